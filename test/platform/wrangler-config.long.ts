import assert from "node:assert/strict";
import { test } from "node:test";
import { say } from "../support/command-line.ts";
import { startPlatform } from "../support/platform.ts";

const platform = await startPlatform();
const { line } = platform;
const ENV = "export default { fetch: (request, env) => Response.json(env) };";

test("version_metadata is the version's own id, tag and time, and nothing is said of it", async () => {
	const config = JSON.stringify({ name: "meta", main: "index.js", version_metadata: { binding: "VERSION" } });
	const folder = await line.write("meta", { "wrangler.json": config, "index.js": ENV });
	const { code, output } = await platform.atoll("deploy", folder, "--tag", "v1");
	assert.equal(code, 0, output);
	assert.doesNotMatch(output, /warning/);
	const [{ id, created }] = JSON.parse((await platform.atoll("versions", "meta", "--json")).output) as {
		id: string;
		created: string;
	}[];
	const env = JSON.parse((await platform.get("meta.localhost")).text) as object;
	assert.deepEqual(env, { VERSION: { id, tag: "v1", timestamp: created } });
});

test("a version that reads its tag is another one with another tag; rate limits may be said as they were once", async () => {
	const simple = { limit: 1, period: 60 };
	const unsafe = { bindings: [{ name: "LIMIT", type: "ratelimit", namespace_id: "1", simple }] };
	const config = { name: "tagged", main: "index.js", unsafe, version_metadata: { binding: "VERSION" } };
	const code = `export default { async fetch(request, { VERSION, LIMIT }) {
		return new Response(VERSION.tag + (await LIMIT.limit({ key: VERSION.tag })).success);
	} };`;
	const folder = await line.write("tagged", { "wrangler.json": JSON.stringify(config), "index.js": code });
	for (const tag of ["v1", "v2"]) {
		const { code: exit, output } = await platform.atoll("deploy", folder, "--tag", tag);
		assert.equal(exit, 0, output);
		assert.doesNotMatch(output, /warning/);
		assert.equal((await platform.get("tagged.localhost")).text, `${tag}true`);
	}
	assert.equal((await platform.get("tagged.localhost")).text, "v2false");
	const other = { ...config, unsafe: { bindings: [{ name: "X", type: "other" }] } };
	await line.write("tagged", { "wrangler.json": JSON.stringify(other) });
	assert.equal((await platform.atoll("deploy", folder)).code, 1);
});

test("what is left out is warned of once, and bindings that are not there are refused by name", async () => {
	const left = JSON.stringify({ name: "left", main: "index.js", logpush: true, minify: true });
	const folder = await line.write("left", { "wrangler.json": left, "index.js": say("left") });
	const { output } = await platform.atoll("deploy", folder);
	assert.equal(output.match(/warning: .*logpush is left out/g)?.length, 1, output);
	assert.equal(output.match(/warning: .*minify is left out/g)?.length, 1, output);
	const misspelt = {
		name: "left",
		main: "index.js",
		account_id: "a",
		hostname: "x",
		assets: { directory: ".", bindign: "A" },
	};
	await line.write("left", { "wrangler.json": JSON.stringify(misspelt) });
	const warned = (await platform.atoll("deploy", folder, "--dry-run")).output;
	assert.deepEqual(warned.match(/(?<=warning: .*wrangler\.json: )\S+ is left out: atoll does not know it/g), [
		"hostname is left out: atoll does not know it",
		"assets.bindign is left out: atoll does not know it",
	]);
	const missing = JSON.stringify({
		name: "left",
		main: "index.js",
		vectorize: [{ binding: "INDEX", index_name: "x" }],
	});
	await line.write("left", { "wrangler.json": missing });
	const refused = await platform.atoll("deploy", folder);
	assert.equal(refused.code, 1);
	assert.match(refused.output, /vectorize: atoll does not have that yet/);
});

test("r2_buckets are buckets, made where they are missing, and a jurisdiction is warned of", async () => {
	const config = {
		name: "stores",
		main: "index.js",
		r2_buckets: [
			{ binding: "A", bucket_name: "named", preview_bucket_name: "other", jurisdiction: "eu" },
			{ binding: "MY_B" },
		],
	};
	const code = `export default { async fetch(request, { A, MY_B }) {
		await A.put("k", "in a");
		return new Response(await (await A.get("k")).text() + (await MY_B.head("k")));
	} };`;
	const folder = await line.write("stores", { "wrangler.json": JSON.stringify(config), "index.js": code });
	const { code: exit, output } = await platform.atoll("deploy", folder);
	assert.equal(exit, 0, output);
	assert.match(output, /warning: .*r2_buckets: the jurisdiction of A is left out/);
	assert.equal((await platform.get("stores.localhost")).text, "in anull");
	const { body } = await platform.api("GET", "/v1/tenants/default/buckets");
	assert.deepEqual(
		(body as { name: string; objects: number }[]).map(({ name, objects }) => [name, objects]),
		[
			["named", 1],
			["stores-my-b", 0],
		],
	);
});

test("a route is a hostname, and one with a path is refused by the command line as by Cloudflare's API", async () => {
	const config = (pattern: string) =>
		JSON.stringify({ name: "routed", main: "index.js", routes: [{ pattern, zone_name: "example.test" }] });
	const files = { "wrangler.json": config("*.routed.example.test/*"), "index.js": say("routed") };
	const folder = await line.write("routed", files);
	assert.equal((await platform.atoll("deploy", folder)).code, 0);
	assert.equal((await platform.get("a.routed.example.test")).text, "routed");
	const what = /the route routed\.example\.test\/api\/\* has a path, \/api\/\*: a function has all paths/;
	await line.write("routed", { "wrangler.json": config("routed.example.test/api/*") });
	const { code, output } = await platform.atoll("deploy", folder);
	assert.equal(code, 1);
	assert.match(output, what);
	const { status, body } = await platform.api("PUT", "/client/v4/accounts/default/workers/scripts/routed/routes", [
		{ pattern: "routed.example.test/api/*" },
	]);
	assert.equal(status, 400);
	assert.match((body as { errors: { message: string }[] }).errors[0].message, what);
	assert.equal((await platform.get("a.routed.example.test")).text, "routed");
});

test("--env takes an environment's main, variables and site, and not the top level's", async () => {
	const config = JSON.stringify({
		name: "envs",
		main: "top.js",
		vars: { MARK: "top" },
		env: { staging: { main: "staging.js", vars: { MARK: "!" }, version_metadata: { binding: "V" } } },
	});
	const folder = await line.write("envs", {
		"wrangler.json": config,
		"top.js": say("top"),
		"staging.js": `export default { fetch: (r, env) => new Response("staging" + env.MARK + env.V.id.length) };`,
	});
	assert.equal((await platform.atoll("deploy", folder, "--env", "staging")).code, 0);
	assert.equal((await platform.get("envs-staging.localhost")).text, "staging!36");
	const unknown = await platform.atoll("deploy", folder, "--env", "prod");
	assert.equal(unknown.code, 1);
	assert.match(unknown.output, /there is no environment prod, only staging/);
	// The same in development.
	const run = line.run(["dev", folder, "--env", "staging", "--port", "0"]);
	const [, port] = await run.until(/"url":"http:\/\/[^"]*?:(\d+)"/);
	await run.until(/"msg":"ready"/);
	assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "staging!36");
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
	const plain = await line.write("plain", { "index.js": say("plain") });
	for (const command of ["dev", "deploy"]) {
		const none = line.run([command, plain, "--env", "staging"]);
		assert.equal(await none.exit, 1);
		assert.match(none.output(), /names an environment of wrangler's configuration, and there is none here/);
	}
});

test("a KV namespace is one of its id, and without one of the function's own, in each environment", async () => {
	const config = (kv: object, more = {}) =>
		JSON.stringify({ name: "kept", main: "index.js", kv_namespaces: [kv], ...more });
	const code = `export default { async fetch(request, { KV }) {
		const { searchParams } = new URL(request.url);
		if (searchParams.has("put")) await KV.put("key", searchParams.get("put"));
		return new Response(await KV.get("key"));
	} };`;
	const own = { binding: "KV", preview_id: "p", remote: true };
	const files = { "wrangler.json": config(own, { env: { none: {} } }), "index.js": code };
	const folder = await line.write("kept", files);
	const deploy = async (...args: string[]) => {
		const { code: exit, output } = await platform.atoll("deploy", folder, ...args);
		assert.equal(exit, 0, output);
		assert.doesNotMatch(output, /warning/);
	};
	await deploy();
	await deploy("--name", "other");
	assert.equal((await platform.get("kept.localhost", "/?put=kept")).text, "kept");
	assert.equal((await platform.get("other.localhost", "/?put=other")).text, "other");
	assert.equal((await platform.get("kept.localhost")).text, "kept");
	await line.write("kept", { "wrangler.json": config({ binding: "KV", id: "kept-kv" }) });
	await deploy("--name", "named");
	assert.equal((await platform.get("named.localhost")).text, "kept");
	await line.write("kept", { "wrangler.json": config(own, { env: { none: {} } }) });
	await deploy("--env", "none");
	assert.equal((await platform.get("kept-none.localhost")).status, 500);
});
