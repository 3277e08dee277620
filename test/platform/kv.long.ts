import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Platform, startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const NAMESPACES = "/client/v4/accounts/default/storage/kv/namespaces";
const SCRIPTS = "/client/v4/accounts/default/workers/scripts";
const MB = 2 ** 20;

interface Told<T = unknown> {
	result: T;
	errors: { code: number; message: string }[];
	result_info: Record<string, unknown>;
}
interface Listed {
	id: string;
	title: string;
}

async function call<T>(method: string, path: string, body?: unknown, token = TOKEN): Promise<Told<T>> {
	return (await platform.api(method, path, body, token)).body as Told<T>;
}

/** How a call is refused, as `400 10014 …`. */
async function refusal(method: string, path: string, body?: unknown, token = TOKEN): Promise<string> {
	const answer = await platform.api(method, path, body, token);
	const [{ code, message }] = (answer.body as Told).errors;
	return `${answer.status} ${code} ${message}`;
}

/** A namespace of its own, and the path of what is in it. */
async function made(title: string): Promise<{ id: string; path: string }> {
	const { id } = (await call<Listed>("POST", NAMESPACES, { title })).result;
	return { id, path: `${NAMESPACES}/${id}` };
}

function ask(method: string, path: string, init: RequestInit & { duplex?: "half" } = {}): Promise<Response> {
	const headers = { authorization: `Bearer ${TOKEN}`, ...(init.headers as Record<string, string>) };
	return fetch(`http://127.0.0.1:${platform.adminPort}${path}`, { ...init, method, headers });
}

/** Uploads a function as wrangler does, and releases it. */
function upload(name: string, bindings: object[], code = "export default { fetch: () => new Response('x') };") {
	const form = new FormData();
	form.set("metadata", JSON.stringify({ main_module: "a.js", bindings }));
	form.set("a.js", new File([code], "a.js", { type: "application/javascript+module" }));
	return ask("PUT", `${SCRIPTS}/${name}`, { body: form });
}
const bound = (id: string) => [{ type: "kv_namespace", name: "KV", namespace_id: id }];

test("namespaces are made, listed page by page, renamed and removed", async () => {
	const titles = ["c", "a", "b"];
	const ids = new Map<string, string>();
	for (const title of titles) ids.set(title, (await made(title)).id);
	for (const id of ids.values()) assert.match(id, /^[0-9a-f]{32}$/);
	const page = await call<Listed[]>("GET", `${NAMESPACES}?per_page=2&page=2&order=title&direction=asc`);
	assert.deepEqual(page.result, [{ id: ids.get("c"), title: "c", supports_url_encoding: true }]);
	assert.deepEqual(page.result_info, { page: 2, per_page: 2, count: 1, total_count: 3, total_pages: 2 });
	assert.deepEqual((await call("GET", `${NAMESPACES}?page=3`)).result, []);
	const path = `${NAMESPACES}/${ids.get("a")}`;
	assert.match(await refusal("PUT", path, { title: "b" }), /^400 10014 a namespace with this .* already exists/);
	assert.match(await refusal("POST", NAMESPACES, { title: "b" }), /^400 10014 /);
	assert.equal((await call<Listed>("PUT", path, { title: "z" })).result.title, "z");
	await made("a");
	assert.equal((await call<Listed>("GET", path)).result.title, "z");
	for (const { id } of (await call<Listed[]>("GET", NAMESPACES)).result)
		assert.equal((await platform.api("DELETE", `${NAMESPACES}/${id}`)).status, 200);
	assert.match(await refusal("GET", path), /^404 10013 namespace not found/);
	assert.deepEqual((await call("GET", NAMESPACES)).result, []);
});

test("values are put, read and removed with their metadata, whatever their keys hold", async () => {
	const { path } = await made("values");
	const key = "a/b c%ü?#";
	const at = `${path}/values/${encodeURIComponent(key)}`;
	assert.equal((await ask("PUT", at, { body: "täxt" })).status, 200);
	assert.equal(await (await ask("GET", at)).text(), "täxt");
	assert.equal((await call("GET", `${path}/metadata/${encodeURIComponent(key)}`)).result, null);
	const form = new FormData();
	form.set("value", new Blob([new Uint8Array([0, 255])]));
	form.set("metadata", '{"a":[1]}');
	assert.equal((await ask("PUT", `${at}?expiration_ttl=100`, { body: form })).status, 200);
	const answer = await ask("GET", at);
	assert.deepEqual([...(await answer.bytes())], [0, 255]);
	const left = Number(answer.headers.get("expiration")) - Date.now() / 1000;
	assert.ok(left > 90 && left < 110, `${left}`);
	assert.deepEqual((await call("GET", `${path}/metadata/${encodeURIComponent(key)}`)).result, { a: [1] });
	assert.equal((await ask("DELETE", at)).status, 200);
	assert.match(await refusal("GET", at), /^404 10009 get: 'key not found'/);
	assert.match(await refusal("GET", `${path}/metadata/a`), /^404 10009 /);
});

test("large values come and go as streams, and too large ones are refused", async () => {
	const { path } = await made("large");
	const at = `${path}/values/large`;
	const parts = (count: number) => ReadableStream.from(Array.from({ length: count }, () => new Uint8Array(MB).fill(7)));
	assert.equal((await ask("PUT", at, { body: parts(25) as ReadableStream, duplex: "half" })).status, 200);
	const read = await (await ask("GET", at)).bytes();
	assert.deepEqual([read.length, read[0], read[25 * MB - 1]], [25 * MB, 7, 7]);
	// Whoever still sends when it is refused may not get to hear why.
	const refused = ask("PUT", at, { body: parts(26) as ReadableStream, duplex: "half" });
	assert.equal(
		await refused.then(
			({ status }) => status,
			() => 413,
		),
		413,
	);
	assert.equal((await (await ask("GET", at)).bytes()).length, 25 * MB);
});

test("keys are listed by prefix, part by part", async () => {
	const { path } = await made("keys");
	const given = ["a1", "a2", "a3", "b"].map((key) => ({ key, value: key, metadata: { key } }));
	assert.deepEqual((await call("PUT", `${path}/bulk`, given)).result, {
		successful_key_count: 4,
		unsuccessful_keys: [],
	});
	const first = await call<{ name: string }[]>("GET", `${path}/keys?prefix=a&limit=2`);
	assert.deepEqual(first.result, [
		{ name: "a1", metadata: { key: "a1" } },
		{ name: "a2", metadata: { key: "a2" } },
	]);
	const { cursor, count } = first.result_info as { cursor: string; count: number };
	assert.equal(count, 2);
	const rest = await call<{ name: string }[]>("GET", `${path}/keys?prefix=a&limit=2&cursor=${cursor}`);
	assert.deepEqual(
		rest.result.map(({ name }) => name),
		["a3"],
	);
	assert.equal(rest.result_info.cursor, "");
	assert.match(await refusal("GET", `${path}/keys?cursor=nonsense`), /^400 10021 Invalid cursor/);
	assert.match(await refusal("GET", `${path}/keys?limit=0`), /^400 10021 limit/);
});

test("many values are put, read and removed at a time", async () => {
	const { path } = await made("bulk");
	const given = [
		{ key: "text", value: "first" },
		{ key: "text", value: "last" },
		{ key: "bytes", value: "AP8=", base64: true },
		{ key: "json", value: '{"a":1}', metadata: { of: "json" }, expiration_ttl: 60 },
		{ key: "__proto__", value: "plain" },
	];
	assert.deepEqual((await call("PUT", `${path}/bulk`, given)).result, {
		successful_key_count: 4,
		unsuccessful_keys: [],
	});
	assert.deepEqual([...(await (await ask("GET", `${path}/values/bytes`)).bytes())], [0, 255]);
	const { body } = await platform.api("POST", `${path}/bulk/get`, { keys: ["text", "nothing", "__proto__"] });
	const { values } = (body as Told<{ values: object }>).result;
	assert.deepEqual(Object.entries(values), [
		["text", "last"],
		["nothing", null],
		["__proto__", "plain"],
	]);
	const asked = { keys: ["json"], type: "json", withMetadata: true };
	const { json } = (await call<{ values: { json: { expiration: number } } }>("POST", `${path}/bulk/get`, asked)).result
		.values;
	assert.deepEqual(json, { value: { a: 1 }, metadata: { of: "json" }, expiration: json.expiration });
	await call("DELETE", `${path}/bulk`, ["text"]);
	await call("POST", `${path}/bulk/delete`, [{ name: "bytes" }, "json"]);
	const names = (await call<{ name: string }[]>("GET", `${path}/keys`)).result.map(({ name }) => name);
	assert.deepEqual(names, ["__proto__"]);
});

test("what is put by the API counts against what the operator lets a tenant store", async () => {
	const file = join(platform.line.folder, "small.jsonc");
	await writeFile(file, JSON.stringify({ tenantLimits: { storedBytes: 1000 } }));
	const small = await startPlatform("--config", file);
	const { body } = await small.api("POST", NAMESPACES, { title: "small" });
	const path = `${NAMESPACES}/${(body as Told<Listed>).result.id}/bulk`;
	assert.equal((await small.api("PUT", path, [{ key: "a", value: "x".repeat(800) }])).status, 200);
	const { status, body: refused } = await small.api("PUT", path, [{ key: "b", value: "x".repeat(800) }]);
	assert.equal(status, 413);
	assert.match((refused as Told).errors[0].message, /would have more than 1000 bytes/);
});

test("what makes no sense is refused with what is wrong", async () => {
	const { path } = await made("refusals");
	const many = Array.from({ length: 101 }, (_, i) => `k${i}`);
	for (const [method, at, body, why] of [
		["PUT", "/bulk", { key: "a" }, /^400 10021 the body: /],
		["PUT", "/bulk", [{ key: "a" }], /^400 10021 0\.value: /],
		[
			"PUT",
			"/bulk",
			[{ key: "a", value: "x", expiration_ttl: 5 }],
			/^400 10021 "a": Invalid expiration_ttl of 5\..*0 of 1 were stored/,
		],
		["PUT", "/bulk", [{ key: "k".repeat(513), value: "x" }], /^414 10021 .*exceeds key length limit of 512/],
		["POST", "/bulk/get", { keys: many }, /^400 10021 keys: /],
		["POST", "/bulk/delete", [5], /^400 10021 /],
		["PUT", "/values/a?expiration=12", "x", /^400 10021 Invalid expiration of 12/],
		["PUT", "/values/a?expiration_ttl=soon", "x", /^400 10021 expiration_ttl: /],
		["GET", `/values/${"k".repeat(513)}`, undefined, /^414 10021 /],
	] as const)
		assert.match(await refusal(method, path + at, body), why);
	const form = new FormData();
	form.set("value", "x");
	form.set("metadata", "{");
	assert.match(await (await ask("PUT", `${path}/values/a`, { body: form })).text(), /part metadata is no JSON/);
	form.set("metadata", JSON.stringify("m".repeat(1100)));
	assert.equal((await ask("PUT", `${path}/values/a`, { body: form })).status, 413);
	form.delete("value");
	assert.match(await (await ask("PUT", `${path}/values/a`, { body: form })).text(), /part value is missing/);
	assert.match(await refusal("POST", NAMESPACES, { title: " " }), /^400 10021 title/);
	assert.match(
		await refusal("POST", "/client/v4/accounts/a%2Fb/storage/kv/namespaces", { title: "t" }),
		/^400 10021 the tenant's name/,
	);
	assert.match(await refusal("GET", `${NAMESPACES}/none/keys`), /^404 10013 /);
	assert.match(await refusal("GET", `${path}/nothing`), /^404 10007 .*atoll does not have this call/);
	assert.doesNotMatch(platform.log, /"level":50/);
});

test("tokens do what their scope and tenant allow, and one that is held to functions nothing", async () => {
	const { path } = await made("scopes");
	const token = async (grant: object) =>
		((await platform.api("POST", "/v1/tokens", { label: "t", tenant: "default", ...grant })).body as { token: string })
			.token;
	const reader = await token({ scope: "read" });
	assert.deepEqual((await call("GET", `${path}/keys`, undefined, reader)).result, []);
	assert.match(await refusal("PUT", `${path}/values/a`, "x", reader), /^403 10000 .*needs deploy/);
	assert.match(await refusal("POST", NAMESPACES, { title: "mine" }, reader), /^403 10000 /);
	assert.match(await refusal("DELETE", path, undefined, reader), /^403 10000 /);
	const stranger = await token({ scope: "deploy", tenant: "other" });
	assert.match(await refusal("GET", `${path}/keys`, undefined, stranger), /^403 10000 /);
	const theirs = path.replace("/default/", "/other/");
	assert.match(await refusal("GET", `${theirs}/keys`, undefined, stranger), /^404 10013 /);
	const held = await token({ scope: "deploy", functions: ["one"] });
	assert.match(await refusal("GET", `${path}/values/a`, undefined, held), /^403 10000 .*acts on one alone/);
});

test("a version is bound to a namespace that is there, which stays as long as it is released", async () => {
	const { id, path } = await made("bound");
	assert.match(
		await (await upload("nowhere", bound("0".repeat(32)))).text(),
		/10041,"message":"KV namespace '0{32}' not found/,
	);
	assert.equal((await platform.api("GET", "/v1/tenants/default/functions/nowhere")).status, 404);
	assert.equal((await upload("bound", bound(id))).status, 200);
	const settings = async () => (await call<{ bindings: object[] }>("GET", `${SCRIPTS}/bound/settings`)).result.bindings;
	assert.deepEqual(await settings(), bound(id));
	assert.equal((await upload("bound", [{ type: "inherit", name: "KV" }])).status, 200);
	assert.deepEqual(await settings(), bound(id));
	const { items } = (await call<{ items: { resources: { bindings: object[] } }[] }>("GET", `${SCRIPTS}/bound/versions`))
		.result;
	assert.deepEqual(items[0].resources.bindings, bound(id));
	assert.match(await refusal("DELETE", path), /^400 10052 namespace has associated scripts: bound;/);
	await call("PUT", `${path}/bulk`, [{ key: "a", value: "x" }]);
	assert.equal((await upload("bound", [])).status, 200);
	assert.equal((await platform.api("DELETE", path)).status, 200);
	// What was released before cannot be released again.
	const shares = { shares: [{ version: "1", percent: 100 }] };
	const { status, body } = await platform.api("POST", "/v1/tenants/default/functions/bound/releases", shares);
	assert.equal(status, 400);
	assert.match(JSON.stringify(body), /unknown_namespace.*KV namespace/);
});

test("what atoll deploy binds by name is there for all, and wrangler's of that title is the same", async () => {
	const code = `export default { async fetch(r, { KV }) { return new Response(await KV.get("key")); } };`;
	const deploy = async (name: string, id: string) => {
		const config = JSON.stringify({ name, bindings: { KV: { type: "kv", id } } });
		const folder = await platform.line.write(name, { "atoll.jsonc": config, "index.js": code });
		const { code: exit, output } = await platform.atoll("deploy", folder);
		assert.equal(exit, 0, output);
	};
	const wranglers = await made("named-kv");
	await ask("PUT", `${wranglers.path}/values/key`, { body: "by title" });
	await deploy("named", "named-kv");
	assert.equal((await platform.get("named.localhost")).text, "by title");
	await deploy("first", "first-kv");
	const { result } = await call<Listed>("GET", `${NAMESPACES}/first-kv`);
	assert.equal(result.title, "first-kv");
	await ask("PUT", `${NAMESPACES}/first-kv/values/key`, { body: "by id" });
	assert.equal((await platform.get("first.localhost")).text, "by id");
});

test("a backup has what is stored as it was at one moment, while it changes", async () => {
	const { path } = await made("backed-up");
	await call("PUT", `${path}/bulk`, [{ key: "small", value: "kept", metadata: { a: 1 } }]);
	const put = (i: number) => ask("PUT", `${path}/values/large${i % 5}`, { body: new Uint8Array(300_000 + i).fill(7) });
	for (let i = 0; i < 5; i++) await put(i);
	let written = 5;
	let goesOn = true;
	const writing = (async () => {
		while (goesOn) await put(written++);
	})();
	const before = written;
	const file = join(platform.line.folder, "stored.tar");
	const { code, output } = await platform.atoll("backup", file);
	goesOn = false;
	await writing;
	assert.equal(code, 0, output);
	assert.ok(written > before);
	const other = new Platform();
	await mkdir(other.data, { recursive: true });
	const restore = () => other.line.run(["restore", file, "--data", other.data]);
	const run = restore();
	assert.equal(await run.exit, 0, run.output());
	await other.up();
	const read = async (at: string) => {
		const headers = { authorization: `Bearer ${TOKEN}` };
		const response = await fetch(`http://127.0.0.1:${other.adminPort}${path}${at}`, { headers });
		assert.equal(response.status, 200, at);
		return response;
	};
	assert.equal(await (await read("/values/small")).text(), "kept");
	assert.deepEqual(((await (await read("/metadata/small")).json()) as Told).result, { a: 1 });
	for (let i = 0; i < 5; i++) {
		const bytes = await (await read(`/values/large${i}`)).bytes();
		assert.equal(bytes.length % 5, i);
		assert.ok(bytes.length >= 300_000 && bytes.every((byte) => byte === 7));
	}
	assert.equal(await other.stop(), 0);
	const again = restore();
	assert.equal(await again.exit, 1);
	assert.match(again.output(), /has a database already/);
});

test("a backup that nobody reads to its end leaves nothing behind", async () => {
	const { path } = await made("broken-off");
	for (let i = 0; i < 10; i++) await ask("PUT", `${path}/values/${i}`, { body: new Uint8Array(5 * MB) });
	const drafts = () =>
		[".", "stores"].flatMap((at) => readdirSync(join(platform.data, at))).filter((name) => name.startsWith("backup."));
	const gone = new AbortController();
	const reader = (await ask("GET", "/v1/backup", { signal: gone.signal })).body?.getReader();
	await reader?.read();
	assert.equal(drafts().length, 3);
	gone.abort();
	await until(() => drafts().length === 0);
	assert.ok(existsSync(join(platform.data, "stores/hold")));
	await sleep(100);
	assert.doesNotMatch(platform.log, /control has ended/);
});
