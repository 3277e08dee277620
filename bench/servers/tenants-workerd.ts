/**
 * Many tenants on one workerd, its Host header routed by a worker: `tenants-workerd.ts FOLDER COPIES ENTRY [ADVERSARY]`,
 * the copies at `n0.localhost`, `n1.localhost` …, the adversary by its file's name.
 */
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join, resolve } from "node:path";
import { buildSync } from "esbuild";

const WORKERD = resolve("bench/node_modules/workerd/bin/workerd");
if (!existsSync(WORKERD)) throw new Error("the benches beside workerd need it: npm ci --prefix bench");

const [folder, copies, entry, adversary] = process.argv.slice(2);
const hostile = adversary === undefined ? [] : [basename(adversary, ".js")];
mkdirSync(folder, { recursive: true });
const port = await new Promise<number>((found) => {
	const probe = createServer().listen(0, "127.0.0.1", () => {
		const { port: free } = probe.address() as { port: number };
		probe.close(() => found(free));
	});
});
const names = [...Array.from({ length: Number(copies) }, (_, i) => `n${i}`), ...hostile];
buildSync({ entryPoints: [entry], outfile: join(folder, "copy.js"), bundle: true, format: "esm", minify: true });
if (adversary !== undefined) copyFileSync(adversary, join(folder, "adversary.js"));
writeFileSync(
	join(folder, "router.js"),
	`export default { fetch(request, env) { return env[request.headers.get("host").split(".")[0]].fetch(request); } };`,
);
const worker = (file: string) =>
	`(modules = [(name = "w.js", esModule = embed "${file}")], compatibilityDate = "2026-01-01")`;
writeFileSync(
	join(folder, "config.capnp"),
	`using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${names.map((name) => `(name = "${name}", worker = ${worker(hostile.includes(name) ? "adversary.js" : "copy.js")})`).join(",\n    ")},
    (name = "router", worker = (modules = [(name = "w.js", esModule = embed "router.js")], compatibilityDate = "2026-01-01",
      bindings = [${names.map((name) => `(name = "${name}", service = "${name}")`).join(", ")}]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "router")]
);
`,
);
const child = spawn(WORKERD, ["serve", join(folder, "config.capnp")], {
	stdio: "ignore",
});
child.on("exit", (code, signal) => console.log(`ended ${signal ?? code}`));
process.on("disconnect", () => {
	child.kill("SIGKILL");
	process.exit(0);
});
for (;;) {
	try {
		await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(200) });
		break;
	} catch (error) {
		if ((error as Error).name === "TimeoutError") break;
		await new Promise((next) => setTimeout(next, 50));
	}
}
console.log(`port ${port}`);
