import assert from "node:assert/strict";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assetHash } from "../../src/assets/asset-hash.ts";
import { say } from "../support/command-line.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";

const platform = await startPlatform();
const { line } = platform;
const FUNCTION = "/v1/tenants/default/functions/site";

const FILES = {
	"public/index.html": "<h1>home</h1>",
	"public/about.html": "<h1>about</h1>",
	"public/404.html": "<h1>nothing</h1>",
	"public/copy.html": "<h1>home</h1>",
	"public/style.css": "h1 { color: red }",
	"public/drafts/plan.html": "secret",
	"public/_headers": "/style.css\n  X-Style: yes\n",
	"public/_redirects": "/old/* /about?from=:splat 301\n",
	"public/.assetsignore": "drafts\n",
};
const WRANGLER = JSON.stringify({ name: "site", assets: { directory: "./public", not_found_handling: "404-page" } });
const BESIDE = `export default { async fetch(request, env) {
	if (new URL(request.url).pathname === "/api") return new Response("from the function");
	const asset = await env.FILES.fetch(new URL("/style.css", request.url));
	return new Response(asset.headers.get("x-style") + " " + (await asset.text()));
} };`;

test("a site alone is deployed by wrangler's configuration, and only files that are new are sent", async () => {
	const folder = await line.write("site", { ...FILES, "wrangler.jsonc": WRANGLER, "src/index.js": "no function" });
	const first = await platform.atoll("deploy", folder);
	assert.equal(first.code, 0, first.output);
	assert.match(first.output, /uploaded 4 of 4 files/);
	const get = (path: string) => platform.get("site.localhost", path);
	assert.equal((await get("/")).text, "<h1>home</h1>");
	assert.equal((await get("/about")).text, "<h1>about</h1>");
	assert.deepEqual(await get("/drafts/plan"), { status: 404, text: "<h1>nothing</h1>" });
	assert.equal((await get("/_headers")).status, 404);
	assert.equal((await get("/old/page")).status, 301);
	const again = await platform.atoll("deploy", folder);
	assert.match(again.output, /the server has all 5 files already/);
	assert.match(again.output, /site version 1 has/);
	await line.write("site", { "public/about.html": "<h1>more about</h1>", "public/new.txt": "new" });
	const { output } = await platform.atoll("deploy", folder, "--json");
	const told = JSON.parse(output) as { version: { number: number }; assets: object };
	assert.deepEqual([told.version.number, told.assets], [2, { files: 6, uploaded: 2 }]);
	assert.equal((await get("/about")).text, "<h1>more about</h1>");
	await platform.atoll("rollback", "site");
	assert.equal((await get("/about")).text, "<h1>about</h1>");
	assert.equal((await get("/new.txt")).status, 404);
});

test("atoll.jsonc and wrangler.toml say the same of a site beside a function", async () => {
	const toml = `name = "toml"\nmain = "index.js"\n[assets]\ndirectory = "public"\nbinding = "FILES"\n`;
	const jsonc = `{ "name": "jsonc", "main": "index.js", "assets": { "directory": "public", "binding": "FILES" } }`;
	for (const [name, config] of [
		["toml", { "wrangler.toml": toml }],
		["jsonc", { "atoll.jsonc": jsonc }],
	] as const) {
		const folder = await line.write(name, { ...FILES, ...config, "index.js": BESIDE });
		const { code, output } = await platform.atoll("deploy", folder);
		assert.equal(code, 0, output);
		const get = async (path: string) => (await platform.get(`${name}.localhost`, path)).text;
		assert.equal(await get("/about"), "<h1>about</h1>");
		assert.equal(await get("/api"), "from the function");
		assert.equal(await get("/else"), "yes h1 { color: red }");
	}
});

test("many files come in several calls, and how far it is is told", async () => {
	const files = Object.fromEntries(Array.from({ length: 240 }, (_, i) => [`public/${i}.txt`, `file ${i}`]));
	const config = JSON.stringify({ name: "many", assets: { directory: "public" } });
	const folder = await line.write("many", { ...files, "wrangler.json": config });
	const { code, output } = await platform.atoll("deploy", folder);
	assert.equal(code, 0, output);
	assert.match(output, /uploaded 200 of 240 files\nuploaded 240 of 240 files\n/);
	for (const i of [0, 199, 239]) assert.equal((await platform.get("many.localhost", `/${i}.txt`)).text, `file ${i}`);
});

test("--dry-run names the files, and asks no server", async () => {
	const folder = await line.write("dry", { ...FILES, "wrangler.json": WRANGLER });
	const run = line.run(["deploy", folder, "--dry-run", "--json"], { ATOLL_SERVER: "http://127.0.0.1:1" });
	assert.equal(await run.exit, 0, run.output());
	const { modules, assets } = JSON.parse(run.output()) as { modules: string[]; assets: string[] };
	assert.deepEqual(modules, []);
	assert.deepEqual(assets, ["/404.html", "/about.html", "/copy.html", "/index.html", "/style.css"]);
});

test("what a site cannot have is refused before anything is sent, and what is served stays", async () => {
	for (const [assets, more, what] of [
		[{ directory: "nope" }, {}, /refused\/wrangler\.json: its "assets\.directory", nope, is no folder/],
		[{}, {}, /assets\.directory/],
		[{ directory: "public", html_handling: "some" }, {}, /assets\.html_handling/],
		[{ directory: "public", binding: "FILES" }, {}, /assets\.binding is for a function, and there is none/],
		[{ directory: "public", run_worker_first: ["/a"] }, {}, /assets\.run_worker_first is for a function/],
		[{ directory: "public", binding: "A B" }, { main: "index.js" }, /assets\.binding: must be a name/],
		[{ directory: "public", binding: "X" }, { main: "index.js", vars: { X: "1" } }, /there are two bindings called X/],
	] as const) {
		const config = JSON.stringify({ name: "refused", assets, ...more });
		const folder = await line.write("refused", { ...FILES, "wrangler.json": config, "index.js": say("x") });
		const { code, output } = await platform.atoll("deploy", folder);
		assert.notEqual(code, 0, output);
		assert.match(output, what);
	}
	const config = JSON.stringify({ name: "refused", assets: { directory: "public" } });
	const folder = await line.write("refused", { "wrangler.json": config });
	await writeFile(join(line.folder, "outside.txt"), "not yours");
	await symlink(join(line.folder, "outside.txt"), join(folder, "public", "inside.txt"));
	const { code, output } = await platform.atoll("deploy", folder);
	assert.equal(code, 1);
	assert.match(output, /public\/inside\.txt: it leads out of the folder of assets/);
	assert.equal((await platform.get("refused.localhost")).status, 404);
});

test("the API takes no file for another's hash, and no session or file for another function", async () => {
	const bytes = Buffer.from("real");
	const hash = assetHash("text/plain", bytes);
	const begin = async (name: string) => {
		const files = { "/a.txt": { hash, size: 4 } };
		const { body } = await platform.api("POST", `${FUNCTION.replace("site", name)}/assets`, { files });
		return body as { session: string; missing: string[][] };
	};
	const send = async (name: string, session: string, content: string) => {
		const form = new FormData();
		form.set("session", session);
		form.set(hash, new File([content], hash, { type: "text/plain" }));
		const url = `http://127.0.0.1:${platform.adminPort}${FUNCTION.replace("site", name)}/assets/files`;
		const response = await fetch(url, { method: "POST", body: form, headers: { authorization: `Bearer ${TOKEN}` } });
		return { status: response.status, body: (await response.json()) as { detail?: string; session?: string } };
	};
	const { session, missing } = await begin("one");
	assert.deepEqual(missing, [[hash]]);
	assert.match((await send("one", session, "fake")).body.detail ?? "", /has other bytes than its hash says/);
	assert.match((await send("two", session, "real")).body.detail ?? "", /the session is of another function/);
	assert.equal((await send("one", "none", "real")).status, 401);
	const done = await send("one", session, "real");
	assert.equal(done.status, 200);
	assert.deepEqual((await begin("one")).missing, []);
	// What one function has is nobody else's.
	assert.deepEqual((await begin("two")).missing, [[hash]]);
	const { body } = await platform.api("POST", `${FUNCTION}/assets`, { files: { "no-slash": { hash, size: 4 } } });
	assert.match((body as { detail: string }).detail, /must be a path like \/index\.html/);
});
