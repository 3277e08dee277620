/** Packs the package, installs the tarball into an empty folder, and uses it there as a stranger would. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "atoll-package-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const npm = (args: string[], cwd: string) =>
	execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

test("the tarball installs into an empty folder and works there", async (t) => {
	npm(["pack", "--pack-destination", folder], process.cwd());
	const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) as string;
	const project = join(folder, "project");
	mkdirSync(project);
	writeFileSync(
		join(project, "package.json"),
		'{ "name": "project", "private": true, "type": "module", "allowScripts": { "isolated-vm": true, "esbuild": true } }',
	);
	npm(["install", "--no-audit", "--no-fund", join(folder, tarball)], project);
	writeFileSync(
		join(project, "hello.ts"),
		`export default { fetch: (request: Request) => new Response("packed " + new URL(request.url).pathname) };`,
	);
	const bin = join(project, "node_modules", ".bin", "atoll");

	await t.test("npx --no atoll-edge runs its command, and asks no registry", () => {
		const npx = ["--no", "--offline", "atoll-edge", "build", "hello.ts"];
		execFileSync("npx", npx, { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
		assert.ok(existsSync(join(project, ".atoll")), "the function was built");
	});

	await t.test("atoll serve", async () => {
		const child = spawn(process.execPath, [bin, "serve", "hello.ts", "--port", "0"], {
			cwd: project,
			stdio: ["ignore", "pipe", "inherit"],
		});
		let output = "";
		const port = await new Promise<string>((resolve, reject) => {
			child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
				output += chunk;
				const match = /"url":"http:\/\/localhost:(\d+)"[\s\S]*"ready"/.exec(output);
				if (match !== null) resolve(match[1]);
			});
			child.on("exit", () => reject(new Error(`it ended:\n${output}`)));
		});
		assert.equal(await (await fetch(`http://127.0.0.1:${port}/x`)).text(), "packed /x");
		const exited = new Promise((resolve) => child.removeAllListeners("exit").on("exit", resolve));
		child.kill("SIGTERM");
		assert.equal(await exited, 0);
	});

	await t.test("atoll up, and atoll deploy to it", async () => {
		const token = "token-of-the-package";
		const child = spawn(process.execPath, [bin, "up", "--data", "up", "--port", "0", "--admin-port", "0"], {
			cwd: project,
			env: { ...process.env, ATOLL_ADMIN_TOKEN: token },
			stdio: ["ignore", "pipe", "inherit"],
		});
		const exited = new Promise((resolve) => child.once("exit", resolve));
		let output = "";
		const [port, admin] = await new Promise<string[]>((resolve, reject) => {
			child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
				output += chunk;
				const match = /"port":(\d+),"adminPort":(\d+)/.exec(output);
				if (match !== null) resolve(match.slice(1));
			});
			child.once("exit", () => reject(new Error(`it ended:\n${output}`)));
		});
		execFileSync(process.execPath, [bin, "deploy", "hello.ts"], {
			cwd: project,
			env: { ...process.env, ATOLL_SERVER: `http://127.0.0.1:${admin}`, ATOLL_TOKEN: token },
			stdio: ["ignore", "pipe", "pipe"],
		});
		const answer = await new Promise<string>((resolve, reject) => {
			get({ host: "127.0.0.1", port, path: "/z", headers: { host: "hello.localhost" } }, (response) => {
				let text = "";
				response.setEncoding("utf8").on("data", (chunk: string) => {
					text += chunk;
				});
				response.on("end", () => resolve(text));
			}).on("error", reject);
		});
		assert.equal(answer, "packed /z");
		child.kill("SIGTERM");
		assert.equal(await exited, 0);
	});

	await t.test('import { createRuntime } from "atoll-edge"', () => {
		writeFileSync(
			join(project, "embed.js"),
			`import { createRuntime } from "atoll-edge";
			for (const isolation of ["process", "inline"]) {
				await using runtime = await createRuntime({ isolation });
				await runtime.deploy({ name: "hello", hostnames: ["hello.example"], entry: "hello.ts" });
				console.log(isolation, await (await runtime.fetch(new Request("http://hello.example/y"))).text());
			}`,
		);
		assert.equal(
			execFileSync(process.execPath, ["embed.js"], { cwd: project, encoding: "utf8" }),
			"process packed /y\ninline packed /y\n",
		);
	});

	await t.test("what is bundled into functions comes along", () => {
		writeFileSync(
			join(project, "compat.js"),
			`import { AsyncLocalStorage } from "node:async_hooks";
			import { createHash } from "node:crypto";
			import { EventEmitter } from "node:events";
			import assert from "node:assert";
			import { Readable } from "node:stream";
			import { inspect } from "node:util";
			const storage = new AsyncLocalStorage();
			export default { async fetch() {
				assert.ok(new EventEmitter() instanceof EventEmitter && Readable.from([]));
				const page = new HTMLRewriter().on("b", { text: (t) => void (t.lastInTextNode || t.replace(inspect({ a: 1 }))) }).transform(new Response("<b>x</b>"));
				const hash = createHash("sha1").update(Buffer.from("x")).digest("hex").slice(0, 6);
				return storage.run("kept", async () => new Response([await page.text(), hash, storage.getStore(), new URLPattern({ pathname: "/:a" }).test("http://a/b")].join(" ")));
			} };`,
		);
		writeFileSync(
			join(project, "embed-compat.js"),
			`import { createRuntime } from "atoll-edge";
			await using runtime = await createRuntime();
			await runtime.deploy({ name: "compat", hostnames: ["compat.example"], entry: "compat.js" });
			console.log(await (await runtime.fetch(new Request("http://compat.example/"))).text());`,
		);
		assert.equal(
			execFileSync(process.execPath, ["embed-compat.js"], { cwd: project, encoding: "utf8" }),
			"<b>{ a: 1 }</b> 11f6ad kept true\n",
		);
	});

	await t.test("its types say what it takes", () => {
		writeFileSync(
			join(project, "typed.ts"),
			`import { createRuntime, type InvocationRecord } from "atoll-edge";\nconst runtime = await createRuntime({ limits: { cpuMs: 5 } });\nruntime.subscribe({ record: (record: InvocationRecord) => record.cpuMs.toFixed() });\n// @ts-expect-error: there is no such option\nawait createRuntime({ workers: 2 });\n`,
		);
		const tsc = join(process.cwd(), "node_modules", ".bin", "tsc");
		execFileSync(
			process.execPath,
			[
				tsc,
				"--noEmit",
				"--strict",
				"--module",
				"nodenext",
				"--target",
				"es2024",
				"--lib",
				"es2024,esnext.disposable",
				"--types",
				"node",
				"--typeRoots",
				join(process.cwd(), "node_modules", "@types"),
				"typed.ts",
			],
			{ cwd: project, stdio: "inherit" },
		);
	});

	await t.test("the library is what dist/ exports, by import and by require", () => {
		const names = (how: string, flags: string[]) =>
			execFileSync(process.execPath, [...flags, `console.log(Object.keys(${how}).sort().join(" "))`], {
				cwd: project,
				encoding: "utf8",
			})
				.trim()
				.split(" ");
		const asModule = ["--input-type=module", "-e"];
		const exported = names(`await import("./node_modules/atoll-edge/dist/index.js")`, asModule);
		assert.ok(exported.includes("createRuntime"));
		assert.deepEqual(names(`require("atoll-edge")`, ["--input-type=commonjs", "-e"]), exported);
		const imported = names(`await import("atoll-edge")`, asModule);
		assert.deepEqual(
			imported.filter((name) => name !== "default" && name !== "module.exports"),
			exported,
		);
	});

	// What atoll needs, the `node` of its own dependencies, is new enough; an older one is only there where the system
	// has it.
	const old = ["/usr/bin/node", "/usr/local/bin/node"].find((path) => {
		try {
			return Number(execFileSync(path, ["-p", "process.versions.node.split('.')[0]"], { encoding: "utf8" })) < 24;
		} catch {
			return false; // There is no Node at this place.
		}
	});
	const skip = old === undefined && "this machine has no older Node to try";
	const fails = (args: string[], stderr: RegExp) =>
		assert.throws(
			() => execFileSync(old as string, args, { cwd: project, encoding: "utf8", stdio: "pipe" }),
			(error: { status: number; stderr: string }) => {
				assert.match(error.stderr, stderr);
				return error.status === 1;
			},
		);

	await t.test("a Node that is too old gets one clear line of the command", { skip }, () =>
		fails(
			[bin, "serve", "hello.ts"],
			/^atoll needs Node\.js 24 or newer, and this is [\d.]+\. .*`npm install node`.*\n$/,
		),
	);

	for (const [how, type, code] of [
		["import", "module", `import { createRuntime } from "atoll-edge"; createRuntime();`],
		["import()", "module", `await import("atoll-edge");`],
		["import() in CommonJS", "commonjs", `import("atoll-edge");`],
		["require", "commonjs", `require("atoll-edge");`],
	])
		await t.test(`and one clear sentence of ${how}`, { skip }, () =>
			fails([`--input-type=${type}`, "-e", code], /^Error: atoll needs Node\.js 24 or newer, and this is [\d.]+\.$/m),
		);
});
