import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLine, get, PORT, say } from "../support/command-line.ts";

const line = new CommandLine();
const { folder } = line;

test("serve: every kind of function in a folder at its hostname, and a broken one stops nobody", async () => {
	const path = await line.write("mixed", {
		"plain.js": say("plain"),
		"typed.ts": `export default { fetch: (r: Request): Response => new Response("typed") };`,
		"module.mjs": say("module"),
		"view.tsx": `/** @jsxImportSource hono/jsx */ export default { fetch: () => new Response("view") };`,
		"indexed/index.ts": say("indexed"),
		"deep/src/index.js": say("deep"),
		"packaged/package.json": '{ "main": "lib/main.js" }',
		"packaged/lib/main.js": say("packaged"),
		"configured/atoll.jsonc":
			'{ // with a comment\n "main": "entry.js", "env": { "MARK": "!" }, "limits": { "cpuMs": 50 }, "hostnames": ["other.example"], }',
		"configured/entry.js": say("configured"),
		"wrangled/wrangler.toml": 'name = "worker"\nmain = "w.js"\ncompatibility_date = "2026-01-01"\n[vars]\nMARK = "?"\n',
		"wrangled/w.js": say("wrangled"),
		"bound/wrangler.toml":
			'main = "b.js"\n[[services]]\nbinding = "ADMIN"\nservice = "bound"\nentrypoint = "Admin"\nprops = { role = "boss" }\n',
		"bound/b.js": `import { WorkerEntrypoint } from "cloudflare:workers";
			export class Admin extends WorkerEntrypoint { role() { return this.ctx.props.role; } }
			export default { fetch: async (request, env) => new Response(await env.ADMIN.role()) };`,
		"broken.js": "export default {",
		"plain.test.js": "throw 1",
		"types.d.ts": "",
		"_hidden.js": "throw 1",
		"notes.txt": "not a function",
	});
	const run = line.run(["serve", path, "--port", "0"]);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	for (const [host, text] of Object.entries({
		"plain.localhost": "plain",
		"typed.localhost": "typed",
		"module.localhost": "module",
		"view.localhost": "view",
		"indexed.localhost": "indexed",
		"deep.localhost": "deep",
		"packaged.localhost": "packaged",
		"other.example": "configured!",
		"worker.localhost": "wrangled?",
		"bound.localhost": "boss",
	})) {
		assert.deepEqual(await get(port, host), { status: 200, text }, host);
	}
	const broken = await get(port, "broken.localhost");
	assert.equal(broken.status, 500);
	assert.match(broken.text, /startup_failed/);
	assert.match(run.output(), /does not build/);
	assert.equal((await get(port, "notes.localhost")).status, 404);
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
	assert.match(run.output(), /"msg":"request"/);
});

test("serve: a single file answers at every hostname, and SIGTERM finishes what is in flight", async () => {
	const path = await line.write("single", {
		"one.js": `export default { async fetch() { console.log("in flight"); await new Promise((r) => setTimeout(r, 150)); return new Response("finished"); } }`,
	});
	const run = line.run(["serve", join(path, "one.js"), "--port", "0", "--isolation", "inline"]);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	const pending = get(port, "whatever.example");
	await run.until(/in flight/);
	run.child.kill("SIGTERM");
	assert.deepEqual(await pending, { status: 200, text: "finished" });
	assert.equal(await run.exit, 0);
});

test("serve: an exception that nobody catches is logged, ends no service, and shows in the exit code", async () => {
	const path = await line.write("netted", { "app.js": say("served") });
	const fault = await line.write("fault", {
		"throw.mjs": `process.on("SIGUSR2", () => {
			setImmediate(() => { throw new Error("nobody caught this"); });
			void Promise.reject(new Error("nor this"));
		});`,
	});
	const run = line.run(["serve", path, "--port", "0"], { NODE_OPTIONS: `--import=${join(fault, "throw.mjs")}` });
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"ready"/);
	run.child.kill("SIGUSR2");
	await run.until(/"level":50,"fault":"Error: nobody caught this/);
	await run.until(/"level":50,"fault":"Error: nor this/);
	assert.deepEqual(await get(port, "app.localhost"), { status: 200, text: "served" });
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 1);
});

test("dev: a change is served, an error is shown with its line, and mending it works", async () => {
	const path = await line.write("devel", {
		"app.ts": `import { word } from "./word.ts";\nexport default { fetch: () => new Response(word) };`,
		"word.ts": `export const word = "first";`,
	});
	const run = line.run(["dev", join(path, "app.ts"), "--port", "0"]);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	const html = { accept: "text/html" };
	assert.equal((await get(port, "x.test")).text, "first");
	await writeFile(join(path, "word.ts"), `export const word = "second";`);
	await run.until(/rebuilt in \d+ ms/);
	assert.equal((await get(port, "x.test")).text, "second");
	await writeFile(join(path, "word.ts"), "export const word = ;");
	await run.until(/does not build/);
	const page = await get(port, "x.test", html);
	assert.equal(page.status, 500);
	assert.match(page.text, /word\.ts:1:21: Unexpected &quot;;&quot;/);
	await writeFile(join(path, "word.ts"), `export const word = "third";`);
	await run.until(/rebuilt[\s\S]*does not build[\s\S]*rebuilt/);
	assert.equal((await get(port, "x.test")).text, "third");
	await writeFile(join(path, "app.ts"), `export default { fetch() {\n\tthrow new Error("seen in dev");\n} };`);
	await run.until(/(?:rebuilt[\s\S]*){3}/);
	const thrown = await get(port, "x.test", html);
	assert.match(thrown.text, /seen in dev/);
	assert.match(thrown.text, /app\.ts:2/);
	run.child.kill("SIGINT");
	assert.equal(await run.exit, 0);
});

test("build: says what each function weighs, and fails if one does not build", async () => {
	const path = await line.write("built", { "good.js": say("good"), "bad.js": "export default {" });
	const good = line.run(["build", join(path, "good.js"), "--data", "out"]);
	assert.equal(await good.exit, 0);
	assert.match(good.output(), /good: .* of code, .* of code cache, starts in .* ms/);
	const both = line.run(["build", path, "--data", "out"]);
	assert.equal(await both.exit, 1);
	assert.match(both.output(), /bad does not build:[\s\S]*bad\.js:1:17/);
});

for (const [what, args, message] of [
	["no command", [], /Usage: atoll/],
	["an unknown command", ["launch"], /atoll: unknown command 'launch'/],
	["no path", ["serve"], /atoll: atoll serve needs the path/],
	["a path that is missing", ["serve", "nowhere"], /atoll: nowhere: there is no such file or folder/],
	["a file that is no function", ["serve", "../etc"], /no such file/],
	["an unknown option", ["serve", ".", "--prot", "1"], /atoll: unknown option '--prot'/],
	["a port that is none", ["serve", ".", "--port", "http"], /atoll: --port must be a whole number/],
	[
		"an isolation that is none",
		["serve", ".", "--isolation", "docker"],
		/atoll: --isolation must be one of process, inline/,
	],
	["an empty folder", ["serve", "void"], /atoll: void: there are no functions in this folder/],
] as const) {
	test(`${what} gets one clear sentence and exit code 1`, async () => {
		await mkdir(join(folder, "void"), { recursive: true });
		const run = line.run([...args]);
		assert.equal(await run.exit, 1);
		assert.match(run.output(), message as RegExp);
		assert.doesNotMatch(run.output(), /\n\s+at /);
	});
}

test("a wrong configuration is named with its place", async () => {
	const path = await line.write("wrong", {
		"f/atoll.jsonc": '{\n  "main": "index.js"\n  "env": {}\n}',
		"f/index.js": say(""),
	});
	const run = line.run(["serve", path, "--port", "0"]);
	assert.equal(await run.exit, 1);
	assert.match(run.output(), /atoll: wrong\/f\/atoll\.jsonc:3:3: it is no JSON: comma expected/);
});

test("a port in use is said so", async () => {
	const path = await line.write("busy", { "one.js": say("") });
	const first = line.run(["serve", path, "--port", "0", "--isolation", "inline"]);
	const port = (await first.until(PORT))[1];
	const second = line.run(["serve", path, "--port", port, "--isolation", "inline"]);
	assert.equal(await second.exit, 1);
	assert.match(second.output(), new RegExp(`atoll: port ${port} on 127.0.0.1 is already in use`));
	first.child.kill("SIGTERM");
	assert.equal(await first.exit, 0);
});
