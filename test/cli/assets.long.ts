import assert from "node:assert/strict";
import { rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLine, get, PORT, say } from "../support/command-line.ts";
import { until } from "../support/until.ts";

const line = new CommandLine();
const FILES = {
	"public/index.html": "<h1>home</h1>",
	"public/a/b/c/d/e/f/g/deep.txt": "deep",
	"public/style.css": "red",
	"public/_headers": "/style.css\n  X-Style: yes\n",
	"public/_redirects": "/old /new 301\n",
};
const CODE = `export default { async fetch(request, env) {
	const asset = await env.FILES.fetch(new URL("/style.css", request.url));
	return new Response(env.FILES === undefined ? "none" : asset.headers.get("x-style") + " " + (await asset.text()));
} };`;

test("serve: sites alone and beside functions, and one that is broken stops nobody", async () => {
	const folder = await line.write("sites", {
		...Object.fromEntries(Object.entries(FILES).map(([path, text]) => [`alone/${path}`, text])),
		"alone/atoll.jsonc": `{ "assets": { "directory": "public" } }`,
		...Object.fromEntries(Object.entries(FILES).map(([path, text]) => [`beside/${path}`, text])),
		"beside/wrangler.toml": `main = "index.js"\n[assets]\ndirectory = "public"\nbinding = "FILES"\n`,
		"beside/index.js": CODE,
		"leaky/atoll.jsonc": `{ "assets": { "directory": "public" } }`,
		"leaky/public/index.html": "leaky",
		"outside/atoll.jsonc": `{ "assets": { "directory": "../../elsewhere" } }`,
		"typed/atoll.jsonc": `{ "main": "index.js", "bindings": { "A": { "type": "assets", "manifest": "x" } } }`,
		"typed/index.js": say("typed"),
	});
	await line.write("elsewhere", { "index.html": "elsewhere" });
	await symlink("/etc/hostname", join(folder, "leaky/public/name.txt"));
	const run = line.run(["serve", folder, "--port", "0"]);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	assert.equal((await get(port, "alone.localhost")).text, "<h1>home</h1>");
	assert.equal((await get(port, "alone.localhost", {}, "/a/b/c/d/e/f/g/deep.txt")).text, "deep");
	assert.equal((await get(port, "alone.localhost", {}, "/old")).status, 301);
	assert.equal((await get(port, "alone.localhost", {}, "/nowhere")).status, 404);
	assert.equal((await get(port, "alone.localhost", {}, "/_headers")).status, 404);
	assert.equal((await get(port, "beside.localhost")).text, "<h1>home</h1>");
	assert.equal((await get(port, "beside.localhost", {}, "/else")).text, "yes red");
	for (const name of ["leaky", "outside", "typed"])
		assert.match((await get(port, `${name}.localhost`)).text, /startup_failed/, name);
	assert.match(run.output(), /leaky\/public\/name\.txt: it leads out of the folder of assets/);
	assert.match(run.output(), /elsewhere: the folder of assets is in none of those that the function may be of/);
	assert.match(run.output(), /files are bound by assets\.binding, and not by their type/);
	// A version has the files that it was deployed with.
	await writeFile(join(folder, "alone/public/index.html"), "changed");
	assert.equal((await get(port, "alone.localhost")).text, "<h1>home</h1>");
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
});

test("serve: a tenant's site is of its own folder", async () => {
	const folder = await line.write("tenants", {
		"acme/good/atoll.jsonc": `{ "assets": { "directory": "public" } }`,
		"acme/good/public/index.html": "good",
		"acme/nosy/atoll.jsonc": `{ "assets": { "directory": "../../evil" } }`,
		"acme/linked/atoll.jsonc": `{ "assets": { "directory": "public" } }`,
		"evil/own/index.js": say("own"),
	});
	await symlink("../../evil/own", join(folder, "acme/linked/public"));
	const run = line.run(["serve", "--tenants", folder, "--port", "0"]);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	assert.equal((await get(port, "good.acme.localhost")).text, "good");
	for (const name of ["nosy", "linked"])
		assert.match((await get(port, `${name}.acme.localhost`, {}, "/index.js")).text, /startup_failed/, name);
	assert.equal(run.output().match(/it leads out of the tenant's folder/g)?.length, 2);
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
});

test("dev: a file that is changed, added or removed is served so, however deep it lies", async () => {
	const folder = await line.write("dev", {
		...FILES,
		"index.js": CODE,
		"atoll.jsonc": `{ "main": "index.js", "assets": { "directory": "public", "binding": "FILES" } }`,
	});
	const run = line.run(["dev", folder, "--port", "0"]);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	const text = async (path: string) => (await get(port, "localhost", {}, path)).text;
	assert.equal(await text("/a/b/c/d/e/f/g/deep.txt"), "deep");
	await until(async () => {
		await writeFile(join(folder, "public/a/b/c/d/e/f/g/deep.txt"), "deeper");
		return (await text("/a/b/c/d/e/f/g/deep.txt")) === "deeper";
	});
	await writeFile(join(folder, "public/style.css"), "blue");
	await until(async () => (await text("/else")) === "yes blue");
	await writeFile(join(folder, "public/new.txt"), "new");
	await until(async () => (await text("/new.txt")) === "new");
	await rm(join(folder, "public/new.txt"));
	await until(async () => (await text("/new.txt")) === "yes blue");
	await writeFile(join(folder, "public/_redirects"), "/gone /new 302\n");
	await until(async () => (await get(port, "localhost", {}, "/gone")).status === 302);
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
});

test("build says how many files a site has", async () => {
	const folder = await line.write("built", { ...FILES, "atoll.jsonc": `{ "assets": { "directory": "public" } }` });
	const run = line.run(["build", folder]);
	assert.equal(await run.exit, 0, run.output());
	assert.match(run.output(), /built: 3 files of assets/);
});
