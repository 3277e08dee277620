/** An unmodified wrangler against a real server: `npm run test:wrangler`, which `.ci/run` has installed it for. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const WRANGLER = resolve("test/wrangler/node_modules/wrangler/bin/wrangler.js");
const platform = await startPlatform();

interface Ended {
	code: number | null;
	output: string;
}

const running = new Set<ChildProcess>();
after(() => {
	for (const child of running) child.kill("SIGKILL");
});

function start(
	folder: string,
	args: string[],
	input = "",
): { child: ChildProcess; output: () => string; ended: Promise<Ended> } {
	const child = spawn(process.execPath, [WRANGLER, ...args], {
		cwd: folder,
		env: {
			...process.env,
			CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${platform.adminPort}/client/v4`,
			CLOUDFLARE_API_TOKEN: TOKEN,
			CLOUDFLARE_ACCOUNT_ID: "default",
			WRANGLER_SEND_METRICS: "false",
			XDG_CONFIG_HOME: platform.line.folder,
			NO_COLOR: "1",
			CI: "1",
		},
		stdio: ["pipe", "pipe", "pipe"],
	});
	running.add(child);
	child.stdin.end(input);
	let text = "";
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding("utf8").on("data", (chunk: string) => {
			text += chunk;
		});
	const ended = new Promise<Ended>((done) =>
		child.on("close", (code) => {
			running.delete(child);
			done({ code, output: text });
		}),
	);
	return { child, output: () => text, ended };
}

/** Runs it to its end, which must be a good one. */
async function wrangler(folder: string, ...args: string[]): Promise<string> {
	const { code, output } = await start(folder, args).ended;
	assert.equal(code, 0, output);
	return output;
}

async function project(name: string, files: Record<string, string | Uint8Array>, config: object = {}): Promise<string> {
	const folder = join(platform.line.folder, name);
	const all = {
		"wrangler.json": JSON.stringify({ name, main: "index.js", compatibility_date: "2026-01-01", ...config }),
		...files,
	};
	for (const [path, content] of Object.entries(all)) {
		await mkdir(join(folder, path, ".."), { recursive: true });
		await writeFile(join(folder, path), content);
	}
	return folder;
}

const answer = (text: string) => `export default { fetch: (request, env) => new Response(${JSON.stringify(text)}) };`;
const versionIn = (output: string) => /Version ID: ([\w-]{36})/.exec(output)?.[1] ?? assert.fail(output);

test("deploy, deploy again, and the function answers with its variables", async () => {
	const code =
		"export default { fetch: (request, env) => Response.json({ ...env, ...Cloudflare.compatibilityFlags }) };";
	const folder = await project("hello", { "index.js": code }, { vars: { GREETING: "hi", LIST: [1, { a: null }] } });
	assert.match(await wrangler(folder, "deploy"), /Uploaded hello/);
	assert.deepEqual(JSON.parse((await platform.get("hello.localhost")).text), {
		GREETING: "hi",
		LIST: [1, { a: null }],
	});
	await project("hello", { "index.js": code }, { vars: { GREETING: "again" }, compatibility_flags: ["nodejs_compat"] });
	await wrangler(folder, "deploy", "--message", "the second", "--tag", "v2");
	assert.deepEqual(JSON.parse((await platform.get("hello.localhost")).text), {
		GREETING: "again",
		nodejs_compat: true,
	});
	const listed = await wrangler(folder, "versions", "list");
	assert.match(listed, /Tag: +v2\nMessage: +the second/);
	assert.equal(listed.match(/Version ID:/g)?.length, 2);
});

test("deploy --dry-run asks nobody", async () => {
	const folder = await project("dry", { "index.js": answer("dry") });
	assert.match(await wrangler(folder, "deploy", "--dry-run"), /--dry-run: exiting now/);
	assert.equal((await platform.get("dry.localhost")).status, 404);
});

test("several modules, WebAssembly, text and data come as they were written", async () => {
	// (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
	const wasm = Uint8Array.fromBase64("AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABagsACgRuYW1lAgMBAAA=");
	const code = `
		import { twice } from "./lib/twice.js";
		import module from "./add.wasm";
		import text from "./note.txt";
		import page from "./page.html";
		import data from "./bytes.bin";
		export default { async fetch() {
			const { exports } = await WebAssembly.instantiate(module);
			return Response.json([twice(2), exports.add(2, 3), text, page, data instanceof ArrayBuffer, [...new Uint8Array(data)]]);
		} };`;
	const files = {
		"index.js": code,
		"lib/twice.js": "export const twice = (n) => n * 2;",
		"add.wasm": wasm,
		"note.txt": "a note",
		"page.html": "<p>page</p>",
		"bytes.bin": new Uint8Array([0, 128, 255]),
	};
	for (const bundled of [true, false]) {
		const config = bundled
			? {}
			: { no_bundle: true, rules: [{ type: "ESModule", globs: ["**/*.js"] }], find_additional_modules: true };
		const name = bundled ? "modules" : "unbundled";
		const folder = await project(name, files, config);
		await wrangler(folder, "deploy");
		const { text } = await platform.get(`${name}.localhost`);
		assert.deepEqual(JSON.parse(text), [4, 5, "a note", "<p>page</p>", true, [0, 128, 255]], name);
	}
});

test("the service worker format finds its bindings as globals", async () => {
	const code = `addEventListener("fetch", (event) => event.respondWith(new Response("worker " + NAME)));`;
	const folder = await project("worker", { "index.js": code }, { vars: { NAME: "global" } });
	await wrangler(folder, "deploy");
	assert.equal((await platform.get("worker.localhost")).text, "worker global");
});

test("versions upload, view and deploy with percentages; deployments, and a rollback", async () => {
	const folder = await project("split", { "index.js": answer("one") });
	const first = versionIn(await wrangler(folder, "deploy"));
	await project("split", { "index.js": answer("two") });
	const second = versionIn(await wrangler(folder, "versions", "upload", "--message", "half"));
	assert.equal((await platform.get("split.localhost")).text, "one");
	assert.equal((await platform.get(`${second.slice(0, 8)}--split.localhost`)).text, "two");
	assert.match(await wrangler(folder, "versions", "view", second), /Message: +half/);
	await wrangler(folder, "versions", "deploy", `${first}@50`, `${second}@50`, "-y");
	const answers = new Set<string>();
	for (let i = 0; i < 60; i++) answers.add((await platform.get("split.localhost")).text);
	assert.deepEqual([...answers].sort(), ["one", "two"]);
	assert.match(await wrangler(folder, "deployments", "list"), /\(50%\)/);
	await wrangler(folder, "rollback", first, "-y", "--message", "back");
	assert.equal((await platform.get("split.localhost")).text, "one");
	assert.match(await wrangler(folder, "deployments", "status"), /back/);
});

test("secrets are put, listed, set in bulk and deleted, and survive a deployment", async () => {
	const code = "export default { fetch: (request, env) => Response.json(env) };";
	const folder = await project("secretive", { "index.js": code });
	// There is no function yet: wrangler makes a draft of one.
	assert.equal((await start(folder, ["secret", "put", "FIRST"], "1").ended).code, 0);
	await wrangler(folder, "deploy");
	assert.deepEqual(JSON.parse((await platform.get("secretive.localhost")).text), { FIRST: "1" });
	const bulk = start(folder, ["secret", "bulk"], JSON.stringify({ SECOND: "2", THIRD: "3" }));
	assert.equal((await bulk.ended).code, 0, bulk.output());
	await wrangler(folder, "deploy");
	assert.equal((await start(folder, ["secret", "delete", "THIRD"], "y\n").ended).code, 0);
	assert.deepEqual(JSON.parse((await platform.get("secretive.localhost")).text), { FIRST: "1", SECOND: "2" });
	const names = (JSON.parse(await wrangler(folder, "secret", "list")) as { name: string }[]).map(({ name }) => name);
	assert.deepEqual(names, ["FIRST", "SECOND"]);
});

test("a secret of one version is refused by its name, and changes nothing", async () => {
	const folder = await project("versioned", {
		"index.js": "export default { fetch: (r, env) => Response.json(env) };",
	});
	await wrangler(folder, "deploy");
	assert.equal((await start(folder, ["secret", "put", "KEPT"], "1").ended).code, 0);
	for (const [args, input] of [
		[["put", "FIRST"], "2"],
		[["bulk"], JSON.stringify({ FIRST: "2" })],
		[["delete", "KEPT"], "y\n"],
	] as const) {
		const { code, output } = await start(folder, ["versions", "secret", ...args], input).ended;
		assert.notEqual(code, 0, output);
		assert.match(
			output,
			new RegExp(`${args[0] === "delete" ? "KEPT" : "FIRST"}: a version has no secrets of its own here`),
		);
	}
	assert.match(await wrangler(folder, "versions", "secret", "list"), /KEPT/);
	assert.deepEqual(JSON.parse((await platform.get("versioned.localhost")).text), { KEPT: "1" });
});

test("tail filters by header and by address, and shows headers without secrets", async () => {
	const folder = await project("filtered", { "index.js": answer("ok") });
	await wrangler(folder, "deploy");
	const args = ["tail", "--format", "json", "--header", "X-User:ada", "--ip", "self"];
	const tail = start(folder, args);
	await until(async () => {
		await platform.get("filtered.localhost", "/bob", { "x-user": "bob" });
		await platform.get("filtered.localhost", "/ada", { "x-user": "ada", authorization: "Bearer s3cr3t" });
		return tail.output().includes("/ada");
	});
	assert.match(tail.output(), /"authorization": "REDACTED"/);
	assert.match(tail.output(), /"cf-connecting-ip": "127\.0\.0\.1"/);
	assert.doesNotMatch(tail.output(), /\/bob|s3cr3t/);
	tail.child.kill("SIGINT");
	await tail.ended;
});

test("tail shows what a function does and logs, and what it throws", async () => {
	const code = `export default { fetch(request) {
		console.warn("seen", new URL(request.url).pathname);
		if (request.url.endsWith("/throw")) throw new TypeError("on purpose");
		return new Response("ok");
	} };`;
	const folder = await project("watched", { "index.js": code });
	await wrangler(folder, "deploy");
	const tail = start(folder, ["tail", "--format", "json"]);
	// It says nothing when it is connected.
	await until(async () => {
		await platform.get("watched.localhost");
		return tail.output().includes('"seen /"');
	});
	const { outcome, event, logs } = JSON.parse(/^\{[\s\S]*?\n\}/m.exec(tail.output())?.[0] ?? "") as {
		outcome: string;
		event: { request: { url: string; method: string } };
		logs: { level: string; message: string[] }[];
	};
	assert.deepEqual([outcome, event.request.method, logs[0].level, logs[0].message], ["ok", "GET", "warn", ["seen /"]]);
	await until(async () => {
		await platform.get("watched.localhost", "/throw");
		return tail.output().includes('"message": "on purpose"');
	});
	assert.match(tail.output(), /"outcome": "exception"/);
	tail.child.kill("SIGINT");
	await tail.ended;
});

test("tail shows what crons, queues and calls of methods are about", async () => {
	const code = `import { WorkerEntrypoint } from "cloudflare:workers";
	export default class extends WorkerEntrypoint {
		fetch() { return new Response("ok"); }
		add(a, b) { return a + b; }
		scheduled() {}
		queue(batch) {}
	}`;
	await wrangler(await project("eventful", { "index.js": code }), "deploy");
	const caller = "export default { fetch: async (_, { API }) => new Response(await API.add(1, 2)) };";
	const config = { services: [{ binding: "API", service: "eventful" }] };
	await wrangler(await project("asking", { "index.js": caller }, config), "deploy");
	const tail = start(platform.line.folder, ["tail", "eventful", "--format", "pretty"]);
	await until(async () => {
		await platform.atoll("trigger", "cron", "eventful", "--cron", "0 9 * * *");
		return tail.output().includes('"0 9 * * *" @');
	});
	assert.match(tail.output(), /"0 9 \* \* \*" @ .* - Ok/);
	await platform.atoll("trigger", "queue", "eventful", "--queue", "orders", "--data", "{}");
	await platform.get("asking.localhost");
	await until(() => /Queue orders \(1 message\) - Ok @/.test(tail.output()));
	await until(() => /default\.add - Ok @/.test(tail.output()));
	assert.doesNotMatch(tail.output(), /Unknown Event/);
	tail.child.kill("SIGINT");
	await tail.ended;
});

test("a service binding reaches another function", async () => {
	await wrangler(await project("callee", { "index.js": answer("from the callee") }), "deploy");
	const code = "export default { fetch: (request, env) => env.CALLEE.fetch(request) };";
	const config = { services: [{ binding: "CALLEE", service: "callee" }] };
	await wrangler(await project("caller", { "index.js": code }, config), "deploy");
	assert.equal((await platform.get("caller.localhost")).text, "from the callee");
});

/** A function that puts and gets what its URL says. */
const KEPT = `export default { async fetch(request, { KV }) {
	const { searchParams } = new URL(request.url);
	const key = searchParams.get("key");
	if (searchParams.has("value")) await KV.put(key, searchParams.get("value"));
	return Response.json(await KV.getWithMetadata(key));
} };`;
const kept = async (name: string, query: string) =>
	JSON.parse((await platform.get(`${name}.localhost`, `/?${query}`)).text) as {
		value: string | null;
		metadata: unknown;
	};

test("a KV namespace is made, filled and read by wrangler and by the function, and removed", async () => {
	const folder = await project("kv", { "index.js": KEPT });
	const created = await wrangler(folder, "kv", "namespace", "create", "things");
	const id = /"id": "([0-9a-f]{32})"/.exec(created)?.[1] ?? assert.fail(created);
	const list = async () => JSON.parse(await wrangler(folder, "kv", "namespace", "list")) as object[];
	assert.deepEqual(await list(), [{ id, title: "things", supports_url_encoding: true }]);
	const again = await start(folder, ["kv", "namespace", "create", "things"]).ended;
	assert.notEqual(again.code, 0);
	assert.match(again.output, /title "things" already exists/);
	await project("kv", { "index.js": KEPT }, { kv_namespaces: [{ binding: "KV", id }] });
	await wrangler(folder, "deploy");
	const key = (...args: string[]) => wrangler(folder, "kv", "key", ...args, "--binding", "KV", "--remote");
	assert.equal((await kept("kv", "key=a&value=from+the+function")).value, "from the function");
	assert.match(await key("get", "a", "--text"), /^from the function/m);
	await key("put", "b/c d", "from wrangler", "--metadata", '{"by":"wrangler"}', "--ttl", "100");
	const { value, metadata } = await kept("kv", "key=b/c%20d");
	assert.deepEqual([value, metadata], ["from wrangler", { by: "wrangler" }]);
	const bytes = new Uint8Array(1_000_000).fill(65);
	await project("kv", { "large.bin": bytes }, { kv_namespaces: [{ binding: "KV", id }] });
	await key("put", "large", "--path", "large.bin");
	assert.equal((await kept("kv", "key=large")).value?.length, bytes.length);
	const names = async () => (JSON.parse(await key("list")) as { name: string }[]).map(({ name }) => name);
	assert.deepEqual(await names(), ["a", "b/c d", "large"]);
	await key("delete", "large");
	assert.deepEqual(await names(), ["a", "b/c d"]);
	const bound = await start(folder, ["kv", "namespace", "delete", "--namespace-id", id, "-y"]).ended;
	assert.notEqual(bound.code, 0);
	assert.match(bound.output, /namespace has associated scripts: kv/);
	await wrangler(folder, "kv", "namespace", "rename", "things", "--new-name", "stuff");
	assert.doesNotMatch(await wrangler(folder, "delete", "--force"), /WARNING|failed/);
	await wrangler(folder, "kv", "namespace", "delete", "stuff", "-y");
	assert.deepEqual(await list(), []);
});

test("many keys are put, read and deleted at a time", async () => {
	const { body } = await platform.api("POST", "/client/v4/accounts/default/storage/kv/namespaces", { title: "many" });
	const { id } = (body as { result: { id: string } }).result;
	const many = Array.from({ length: 1200 }, (_, i) => ({ key: `bulk${i}`, value: "Ynl0ZXM=", base64: true }));
	const folder = await project("many", {
		"many.json": JSON.stringify(many),
		"keys.json": JSON.stringify(["bulk0", { name: "bulk1" }]),
	});
	const kv = (...args: string[]) => wrangler(folder, "kv", ...args, "--namespace-id", id, "--remote");
	await kv("bulk", "put", "many.json");
	assert.match(await kv("bulk", "get", "keys.json"), /"bulk0": "bytes"/);
	await kv("bulk", "delete", "keys.json", "--force");
	assert.equal((JSON.parse(await kv("key", "list")) as object[]).length, 1198);
});

test("wrangler provisions a KV namespace that has no id, and keeps it from then on", async () => {
	const folder = await project("provided", { "index.js": KEPT }, { kv_namespaces: [{ binding: "KV" }] });
	await wrangler(folder, "deploy");
	assert.equal((await kept("provided", "key=a&value=1")).value, "1");
	await wrangler(folder, "deploy");
	assert.equal((await kept("provided", "key=a")).value, "1");
	const args = ["kv", "key", "get", "a", "--binding", "KV", "--remote", "--text"];
	assert.match(await wrangler(folder, ...args), /^1/m);
	// atoll's own command line means the same one.
	const { code, output } = await platform.atoll("deploy", folder);
	assert.equal(code, 0, output);
	assert.equal((await kept("provided", "key=a")).value, "1");
	await project("provided", {}, { kv_namespaces: [{ binding: "KV", id: "0".repeat(32) }] });
	const unknown = await start(folder, ["deploy"]).ended;
	assert.notEqual(unknown.code, 0);
	assert.match(unknown.output, /KV namespace '0{32}' not found.*\[code: 10041\]/);
	assert.equal((await kept("provided", "key=a")).value, "1");
});

/** A function that answers with what a query has given. */
const QUERIES = `export default { async fetch(request, { DB }) {
	const query = new URL(request.url).searchParams;
	try {
		return Response.json((await DB.prepare(query.get("sql")).bind(...query.getAll("param")).all()).results);
	} catch (error) { return new Response(error.message, { status: 500 }); }
} };`;
const queried = async (name: string, sql: string, ...params: string[]) => {
	const search = new URLSearchParams([["sql", sql], ...params.map((param) => ["param", param])]);
	return JSON.parse((await platform.get(`${name}.localhost`, `/?${search}`)).text) as object[];
};

test("a D1 database is made, migrated, filled, exported and removed by wrangler, and asked by the function", async () => {
	const folder = await project("d1", { "index.js": QUERIES });
	const created = await wrangler(folder, "d1", "create", "things");
	const id = /"database_id": "([0-9a-f-]{36})"/.exec(created)?.[1] ?? assert.fail(created);
	const again = await start(folder, ["d1", "create", "things"]).ended;
	assert.notEqual(again.code, 0);
	assert.match(again.output, /A database with that name already exists/);
	const list = async () =>
		JSON.parse(await wrangler(folder, "d1", "list", "--json")) as { uuid: string; name: string }[];
	assert.deepEqual(
		(await list()).map(({ uuid, name }) => [uuid, name]),
		[[id, "things"]],
	);
	await project(
		"d1",
		{
			"migrations/0001_things.sql":
				"CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\nCREATE TRIGGER made AFTER INSERT ON things BEGIN SELECT 1; SELECT 2; END;",
			"migrations/0002_more.sql": "ALTER TABLE things ADD COLUMN note TEXT DEFAULT 'it''s; fine';",
			"rows.sql": Array.from({ length: 3000 }, (_, i) => `INSERT INTO things (name) VALUES ('row; ${i}');`).join("\n"),
		},
		{ d1_databases: [{ binding: "DB", database_id: id, database_name: "things" }] },
	);
	const d1 = (...args: string[]) => wrangler(folder, "d1", ...args, "--remote");
	await wrangler(folder, "d1", "migrations", "create", "things", "third");
	assert.match(await d1("migrations", "list", "things"), /0001_things\.sql[\s\S]*0003_third\.sql/);
	const third = await start(folder, ["d1", "migrations", "apply", "things", "--remote"]).ended;
	assert.match(third.output, /0002_more\.sql[\s\S]*✅/);
	assert.match(await d1("execute", "things", "--command", "SELECT sqlite_version() AS v; SELECT 2 AS two"), /"two": 2/);
	assert.match(await d1("execute", "things", "--file", "rows.sql", "--yes"), /"Total queries executed": 3000/);
	const failed = await start(folder, [
		"d1",
		"execute",
		"things",
		"--remote",
		"--command",
		"INSERT INTO things (name) VALUES ('x'); SELEC 1",
	]).ended;
	assert.notEqual(failed.code, 0);
	assert.match(failed.output, /near "SELEC": syntax error/);
	assert.match(await wrangler(folder, "d1", "info", "things"), /num_tables/);
	await wrangler(folder, "deploy");
	assert.deepEqual(await queried("d1", "SELECT count(*) AS n, max(note) AS note FROM things"), [
		{ n: 3000, note: "it's; fine" },
	]);
	assert.deepEqual(await queried("d1", "INSERT INTO things (name) VALUES (?) RETURNING id", "more"), [{ id: 3001 }]);
	await d1("export", "things", "--output", "dump.sql");
	await wrangler(folder, "d1", "create", "copy");
	await d1("execute", "copy", "--file", "dump.sql", "--yes");
	assert.match(await d1("execute", "copy", "--command", "SELECT count(*) AS n FROM things"), /"n": 3001/);
	const travels = await start(folder, ["d1", "time-travel", "info", "things"]).ended;
	assert.notEqual(travels.code, 0);
	assert.match(travels.output, /Time Travel.*atoll does not have that yet/);
	const bound = await start(folder, ["d1", "delete", "things", "-y"]).ended;
	assert.notEqual(bound.code, 0);
	assert.match(bound.output, /the database is bound to d1/);
	await wrangler(folder, "delete", "--force");
	for (const name of ["things", "copy"]) await wrangler(folder, "d1", "delete", name, "-y");
	assert.deepEqual(await list(), []);
});

test("wrangler provisions a D1 database that has no id, and keeps it from then on", async () => {
	const folder = await project("given", { "index.js": QUERIES }, { d1_databases: [{ binding: "DB" }] });
	await wrangler(folder, "deploy");
	await queried("given", "CREATE TABLE a (b)");
	await queried("given", "INSERT INTO a VALUES (1)");
	await wrangler(folder, "deploy");
	assert.deepEqual(await queried("given", "SELECT b FROM a"), [{ b: 1 }]);
	// atoll's own command line means the same one.
	const { code, output } = await platform.atoll("deploy", folder);
	assert.equal(code, 0, output);
	assert.deepEqual(await queried("given", "SELECT b FROM a"), [{ b: 1 }]);
});

test("static assets are served, alone and before a function, which can ask for them", async () => {
	const files = {
		"public/index.html": "<h1>home</h1>",
		"public/about.html": "<h1>about</h1>",
		"public/docs/index.html": "<h1>docs</h1>",
		"public/404.html": "<h1>nothing</h1>",
		"public/style.css": "h1 { color: red }",
		"public/large.bin": new Uint8Array(300_000).fill(7),
		"public/_headers": "/style.css\n  X-Style: yes\n",
		"public/_redirects": "/old/* /docs/?from=:splat 301\n",
	};
	const folder = await project("site", files, {
		main: undefined,
		assets: { directory: "public", not_found_handling: "404-page" },
	});
	await wrangler(folder, "deploy");
	const get = (path: string) => platform.get("site.localhost", path);
	assert.equal((await get("/")).text, "<h1>home</h1>");
	assert.equal((await get("/about")).text, "<h1>about</h1>");
	assert.equal((await get("/docs/")).text, "<h1>docs</h1>");
	assert.deepEqual(await get("/nowhere"), { status: 404, text: "<h1>nothing</h1>" });
	assert.equal((await get("/about.html")).status, 307);
	assert.equal((await get("/old/page")).status, 301);
	assert.equal((await get("/large.bin")).text.length, 300_000);
	const code = `export default { async fetch(request, env) {
		const { pathname } = new URL(request.url);
		if (pathname === "/api") return new Response("from the function");
		const asset = await env.ASSETS.fetch(new URL("/style.css", request.url));
		return new Response("beside " + asset.headers.get("x-style") + " " + (await asset.text()));
	} };`;
	const both = await project(
		"both",
		{ ...files, "index.js": code },
		{ assets: { directory: "public", binding: "ASSETS" } },
	);
	await wrangler(both, "deploy");
	assert.equal((await platform.get("both.localhost", "/about")).text, "<h1>about</h1>");
	assert.equal((await platform.get("both.localhost", "/api")).text, "from the function");
	assert.equal((await platform.get("both.localhost", "/else")).text, "beside yes h1 { color: red }");
	const first = { directory: "public", binding: "ASSETS", run_worker_first: ["/about*"] };
	await project("both", {}, { assets: first });
	await wrangler(both, "deploy");
	assert.equal((await platform.get("both.localhost", "/about")).text, "beside yes h1 { color: red }");
	assert.equal((await platform.get("both.localhost", "/docs/")).text, "<h1>docs</h1>");
	// atoll's own command line reads the same configuration, and makes the same site of it.
	for (const [name, path] of Object.entries({ site: folder, both })) {
		const { code, output } = await platform.atoll("deploy", path, "--name", `${name}-own`);
		assert.equal(code, 0, output);
		for (const asked of [
			"/",
			"/about",
			"/about.html",
			"/docs",
			"/docs/",
			"/old/page",
			"/style.css",
			"/nowhere",
			"/_headers",
		])
			assert.deepEqual(
				await platform.get(`${name}-own.localhost`, asked),
				await platform.get(`${name}.localhost`, asked),
				`${name}${asked}`,
			);
	}
});

test("routes are hostnames, and delete gives them back", async () => {
	const folder = await project(
		"routed",
		{ "index.js": answer("routed") },
		{ routes: [{ pattern: "routed.example.test/*", zone_name: "example.test" }] },
	);
	await wrangler(folder, "deploy");
	assert.equal((await platform.get("routed.example.test")).text, "routed");
	await wrangler(folder, "delete", "--force");
	assert.equal((await platform.get("routed.example.test")).status, 404);
	assert.equal((await platform.get("routed.localhost")).status, 404);
});

test("schedules and queues: what a function sends arrives at its consumer", async () => {
	const sends = `export default { async fetch(request, env) {
		await env.MAIL.send({ path: new URL(request.url).pathname });
		return new Response("sent");
	} };`;
	const producers = [{ binding: "MAIL", queue: "mail", delivery_delay: 0 }];
	const producer = await project("mails", { "index.js": sends }, { queues: { producers } });
	// wrangler makes a queue that is sent to, and none that is consumed.
	assert.match(await wrangler(producer, "deploy"), /Creating new Queue "mail"/);
	await wrangler(producer, "deploy");
	const takes = `export default {
		scheduled() {},
		queue({ messages }) { for (const { body } of messages) console.log("delivered", body.path); },
	};`;
	const consumer = { queue: "mail", max_batch_size: 20, max_batch_timeout: 0, dead_letter_queue: "undelivered" };
	const config = { triggers: { crons: ["0 9 * * mon-fri"] }, queues: { consumers: [consumer] } };
	const folder = await project("delivers", { "index.js": takes }, config);
	assert.match(await wrangler(folder, "deploy"), /schedule: 0 9 \* \* mon-fri[\s\S]*Consumer for mail/);
	assert.equal((await platform.get("mails.localhost", "/first")).text, "sent");
	await until(() => platform.log.includes("delivered /first"));
	const schedules = await platform.api("GET", "/client/v4/accounts/default/workers/scripts/delivers/schedules");
	assert.deepEqual((schedules.body as { result: unknown }).result, { schedules: [{ cron: "0 9 * * mon-fri" }] });
	// Again, with another setting and another schedule.
	await project("delivers", {}, { triggers: { crons: [] }, queues: { consumers: [{ ...consumer, max_retries: 9 }] } });
	await wrangler(folder, "deploy");
	assert.match(
		await wrangler(folder, "queues", "info", "mail"),
		/Producers: worker:mails[\s\S]*Consumers: worker:delivers/,
	);
	const listed = await wrangler(folder, "queues", "consumer", "list", "mail", "--json");
	const [{ settings, dead_letter_queue: dead }] = JSON.parse(listed) as {
		settings: Record<string, number>;
		dead_letter_queue: string;
	}[];
	assert.deepEqual([settings.batch_size, settings.max_retries, dead], [20, 9, "undelivered"]);
});

test("queues are listed, purged and deleted, and consumers added and removed, each refused by name", async () => {
	const consumes = "export default { fetch: () => new Response('consumes'), queue() {} };";
	const folder = await project("consumes", { "index.js": consumes });
	await wrangler(folder, "deploy");
	await wrangler(await project("second", { "index.js": consumes }), "deploy");
	await wrangler(folder, "queues", "create", "jobs");
	assert.match(await wrangler(folder, "queues", "list"), /jobs/);
	await wrangler(folder, "queues", "consumer", "add", "jobs", "consumes", "--batch-size", "3");
	const other = await start(folder, ["queues", "consumer", "add", "jobs", "second"]).ended;
	assert.match(other.output, /the queue jobs is consumed by consumes/);
	const pulls = await start(folder, ["queues", "consumer", "http", "add", "jobs"]).ended;
	assert.match(pulls.output, /the queue jobs is consumed by consumes, and has one consumer/);
	const used = await start(folder, ["queues", "delete", "jobs"]).ended;
	assert.match(used.output, /the queue jobs is used by consumes/);
	assert.match(await wrangler(folder, "queues", "purge", "jobs", "--force"), /Purged Queue/);
	await wrangler(folder, "queues", "consumer", "remove", "jobs", "consumes");
	await wrangler(folder, "queues", "delete", "jobs");
	assert.doesNotMatch(await wrangler(folder, "queues", "list"), /jobs/);
	await project("second", {}, { triggers: { crons: ["0 0 30 2 *"] } });
	const never = await start(join(platform.line.folder, "second"), ["deploy"]).ended;
	assert.notEqual(never.code, 0);
	assert.match(never.output, /"0 0 30 2 \*" never comes about/);
});

test("version metadata, rate limits in both forms, and datasets are bound, and a preview knows that it is one", async () => {
	const code = `export default { async fetch(request, { VERSION, LIMIT, OLD, VISITS, UNNAMED }) {
		VISITS.writeDataPoint({ blobs: [VERSION.id], doubles: [1] });
		UNNAMED.writeDataPoint();
		return Response.json([VERSION, (await LIMIT.limit({ key: "a" })).success, (await OLD.limit({ key: "a" })).success]);
	} };`;
	const simple = { limit: 100, period: 60 };
	const config = {
		version_metadata: { binding: "VERSION" },
		ratelimits: [{ name: "LIMIT", namespace_id: "1001", simple }],
		unsafe: { bindings: [{ name: "OLD", type: "ratelimit", namespace_id: "1002", simple }] },
		analytics_engine_datasets: [{ binding: "VISITS", dataset: "visits" }, { binding: "UNNAMED" }],
	};
	const folder = await project("bound", { "index.js": code }, config);
	const deployed = versionIn(
		await wrangler(folder, "deploy", "--tag", "v1").then((text) => text.replace("Current ", "")),
	);
	const told = async (host: string) =>
		JSON.parse((await platform.get(host)).text) as [Record<string, string>, ...boolean[]];
	const [version, ...passed] = await told("bound.localhost");
	assert.deepEqual([version.id, version.tag, passed], [deployed, "v1", [true, true]]);
	assert.ok(Math.abs(Date.parse(version.timestamp) - Date.now()) < 60_000, version.timestamp);
	const uploaded = versionIn(await wrangler(folder, "versions", "upload", "--tag", "v2"));
	const [preview] = await told(`${uploaded.slice(0, 8)}--bound.localhost`);
	assert.deepEqual([preview.id, preview.tag], [uploaded, "v2"]);
	assert.equal((await told("bound.localhost"))[0].id, deployed);

	const sql = async (query: string) => {
		const { body } = await platform.api(
			"GET",
			`/client/v4/accounts/default/analytics_engine/sql?query=${encodeURIComponent(query)}`,
		);
		return (body as { data?: object[] }).data;
	};
	const counted = "SELECT blob1 AS id, count() AS n FROM visits GROUP BY id ORDER BY n DESC";
	await until(
		async () => ((await sql("SELECT count() AS n FROM UNNAMED")) as { n: string }[] | undefined)?.[0].n === "3",
	);
	assert.deepEqual(await sql(counted), [
		{ id: deployed, n: "2" },
		{ id: uploaded, n: "1" },
	]);
	const viewed = await wrangler(folder, "versions", "view", uploaded);
	assert.match(viewed, /VISITS[^\n]*visits|visits[^\n]*VISITS/i);
});

test("buckets are made, filled, read and removed, and a function is bound to one", async () => {
	const code = `export default { async fetch(request, { B, OWN }) {
		const object = await B.get("greeting.txt");
		await OWN.put("asked", "yes");
		return new Response(object.body, { headers: { "content-type": object.httpMetadata.contentType } });
	} };`;
	const config = { r2_buckets: [{ binding: "B", bucket_name: "greetings" }, { binding: "OWN" }] };
	const folder = await project("greets", { "index.js": code, "greeting.txt": "hello from a bucket" }, config);
	assert.match(await wrangler(folder, "r2", "bucket", "create", "greetings"), /Created bucket 'greetings'/);
	const object = "greetings/greeting.txt";
	const file = ["--file", "greeting.txt", "--content-type", "text/x-greeting"];
	assert.match(await wrangler(folder, "r2", "object", "put", object, ...file, "--remote"), /Upload complete/);
	assert.match(await wrangler(folder, "deploy"), /env\.B \(greetings\)/);
	assert.equal((await platform.get("greets.localhost")).text, "hello from a bucket");
	assert.match(await wrangler(folder, "r2", "bucket", "list"), /greetings[\s\S]*greets-own/);
	assert.match(await wrangler(folder, "r2", "bucket", "info", "greetings"), /object_count: +1\nbucket_size: +19 B/);
	await wrangler(folder, "r2", "object", "get", object, "--file", "got.txt", "--remote");
	assert.equal(await readFile(join(folder, "got.txt"), "utf8"), "hello from a bucket");
	assert.equal(await wrangler(folder, "r2", "object", "get", "greets-own/asked", "--pipe", "--remote"), "yes");
	const full = await start(folder, ["r2", "bucket", "delete", "greetings"]).ended;
	assert.match(full.output, /the bucket greetings is used by greets/);
	await wrangler(folder, "r2", "object", "delete", object, "--remote");
	await wrangler(folder, "delete", "--force");
	await wrangler(folder, "r2", "bucket", "delete", "greetings");
	assert.doesNotMatch(await wrangler(folder, "r2", "bucket", "list"), /greetings/);
});

test("a bucket notifies a queue, as long as it is told to", async () => {
	const code = `export default {
		async fetch(request, { B }) { await B.put("in/" + new URL(request.url).pathname.slice(1), "x"); return new Response("put"); },
		queue({ messages }) { for (const { body } of messages) console.log("notified", JSON.stringify(body)); },
	};`;
	const consumer = { queue: "notices", max_batch_timeout: 0 };
	const config = { r2_buckets: [{ binding: "B", bucket_name: "noticed" }], queues: { consumers: [consumer] } };
	const folder = await project("notices", { "index.js": code }, config);
	await wrangler(folder, "queues", "create", "notices");
	await wrangler(folder, "r2", "bucket", "create", "noticed");
	await wrangler(folder, "deploy");
	const notification = (...args: string[]) => wrangler(folder, "r2", "bucket", "notification", ...args);
	const rule = ["--event-type", "object-create", "--prefix", "in/", "--queue", "notices"];
	assert.match(await notification("create", "noticed", ...rule), /Event notification rule created/);
	assert.match(await notification("list", "noticed"), /queue_name: +notices\nprefix: +in\//);
	assert.equal((await platform.get("notices.localhost", "/first")).text, "put");
	await until(() => /notified .*PutObject.*in\/first/.test(platform.log));
	await notification("delete", "noticed", "--queue", "notices");
	assert.doesNotMatch(await notification("list", "noticed"), /queue_name/);
});

test("whoami names the account", async () => {
	assert.match(await wrangler(platform.line.folder, "whoami"), /default/);
});

test("what does not start, and what is not there yet, is refused by name, and what ran runs on", async () => {
	const folder = await project("refused", { "index.js": answer("fine") });
	await wrangler(folder, "deploy");
	await project("refused", { "index.js": `throw new Error("at the top"); ${answer("never")}` });
	const broken = await start(folder, ["deploy"]).ended;
	assert.notEqual(broken.code, 0);
	assert.match(broken.output, /at the top/);
	await project("refused", { "index.js": answer("never") }, { vectorize: [{ binding: "INDEX", index_name: "x" }] });
	const missing = await start(folder, ["deploy"]).ended;
	assert.notEqual(missing.code, 0);
	assert.match(missing.output, /the binding INDEX of the type vectorize/);
	assert.equal((await platform.get("refused.localhost")).text, "fine");
});

test("queues consumer http adds, lists and removes one, and delivery is paused and resumed", async () => {
	const folder = await project("pulling", { "index.js": answer("pulling") });
	await wrangler(folder, "queues", "create", "pulled");
	const added = ["--batch-size", "7", "--visibility-timeout-secs", "2", "--message-retries", "1"];
	await wrangler(folder, "queues", "consumer", "http", "add", "pulled", ...added, "--dead-letter-queue", "left");
	const listed = JSON.parse(await wrangler(folder, "queues", "consumer", "http", "list", "pulled", "--json")) as {
		dead_letter_queue: string;
		settings: object;
	}[];
	assert.deepEqual(
		listed.map(({ dead_letter_queue: dead, settings }) => [dead, settings]),
		[["left", { batch_size: 7, max_retries: 1, visibility_timeout_ms: 2000, retry_delay: 0 }]],
	);
	await wrangler(folder, "queues", "pause-delivery", "pulled");
	assert.match(await wrangler(folder, "queues", "info", "pulled"), /Number of Consumers: 1/);
	await wrangler(folder, "queues", "resume-delivery", "pulled");
	await wrangler(folder, "queues", "consumer", "http", "remove", "pulled");
	assert.match(await wrangler(folder, "queues", "consumer", "http", "list", "pulled"), /No HTTP pull consumers/);
});
