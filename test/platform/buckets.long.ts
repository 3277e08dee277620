import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Platform, startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const ACCOUNT = "/client/v4/accounts/default";
const BUCKETS = `${ACCOUNT}/r2/buckets`;
const MB = 2 ** 20;

interface Told<T = unknown> {
	result: T;
	errors: { code: number; message: string }[];
	result_info: Record<string, unknown>;
}

async function call<T>(method: string, path: string, body?: unknown, token = TOKEN): Promise<Told<T>> {
	return (await platform.api(method, path, body, token)).body as Told<T>;
}

/** How a call is refused, as `409 10004 …`. */
async function refusal(method: string, path: string, body?: unknown, token = TOKEN): Promise<string> {
	const answer = await platform.api(method, path, body, token);
	const [{ code, message }] = (answer.body as Told).errors;
	return `${answer.status} ${code} ${message}`;
}

function ask(method: string, path: string, init: RequestInit & { duplex?: "half" } = {}): Promise<Response> {
	const headers = { authorization: `Bearer ${TOKEN}`, ...(init.headers as Record<string, string>) };
	return fetch(`http://127.0.0.1:${platform.adminPort}${path}`, { ...init, method, headers });
}

function upload(name: string, bucket: string, code: string) {
	const form = new FormData();
	const bindings = [{ type: "r2_bucket", name: "B", bucket_name: bucket }];
	form.set("metadata", JSON.stringify({ main_module: "a.js", bindings }));
	form.set("a.js", new File([code], "a.js", { type: "application/javascript+module" }));
	return ask("PUT", `${ACCOUNT}/workers/scripts/${name}`, { body: form });
}

const SERVES = `export default { async fetch(request, { B }) {
	const object = await B.get(new URL(request.url).pathname.slice(1));
	return object === null ? new Response("none", { status: 404 }) : new Response(object.body);
} };`;

test("buckets are made, listed and removed once they are empty", async () => {
	for (const name of ["one", "two"]) await call("POST", BUCKETS, { name });
	assert.deepEqual(
		(await call<{ buckets: { name: string }[] }>("GET", BUCKETS)).result.buckets.map(({ name }) => name),
		["one", "two"],
	);
	assert.match(await refusal("POST", BUCKETS, { name: "one" }), /^409 10004 /);
	assert.match(await refusal("POST", BUCKETS, { name: "No" }), /^400 \d+ .*must have 3 to 63/);
	assert.match(await refusal("GET", `${BUCKETS}/three`), /^404 10006 /);
	assert.match(await refusal("GET", `${BUCKETS}/one/objects/none`), /^404 10007 /);
	assert.match(await refusal("GET", `${BUCKETS}/one/cors`), /atoll does not have that yet/);
	await ask("PUT", `${BUCKETS}/one/objects/k`, { body: "x" });
	assert.match(await refusal("DELETE", `${BUCKETS}/one`), /^409 10008 /);
	await ask("DELETE", `${BUCKETS}/one/objects/k`);
	for (const name of ["one", "two"]) assert.equal((await ask("DELETE", `${BUCKETS}/${name}`)).status, 200);
	assert.deepEqual((await call<{ buckets: unknown[] }>("GET", BUCKETS)).result.buckets, []);
});

test("objects are put, listed, given and removed as they come, with their headers", async () => {
	await call("POST", BUCKETS, { name: "objects" });
	const bytes = randomBytes(6 * MB);
	const put = await ask("PUT", `${BUCKETS}/objects/objects/a/b%20c.bin`, {
		body: bytes,
		headers: { "content-type": "image/x", "cache-control": "no-store", "cf-r2-storage-class": "InfrequentAccess" },
	});
	const { result } = (await put.json()) as Told<Record<string, unknown>>;
	const md5 = createHash("md5").update(bytes).digest("hex");
	assert.deepEqual([result.key, result.size, result.etag], ["a/b c.bin", bytes.length, md5]);
	const got = await ask("GET", `${BUCKETS}/objects/objects/a/b%20c.bin`);
	assert.deepEqual(Buffer.from(await got.arrayBuffer()), bytes);
	assert.deepEqual(
		["content-type", "cache-control", "etag", "cf-r2-storage-class"].map((name) => got.headers.get(name)),
		["image/x", "no-store", `"${md5}"`, "InfrequentAccess"],
	);
	for (const key of ["a/c", "b"]) await ask("PUT", `${BUCKETS}/objects/objects/${key}`, { body: key });
	const listed = await call<{ key: string }[]>("GET", `${BUCKETS}/objects/objects?prefix=a/&per_page=1`);
	assert.deepEqual(
		listed.result.map(({ key }) => key),
		["a/b c.bin"],
	);
	assert.equal(listed.result_info.is_truncated, true);
	const rest = `${BUCKETS}/objects/objects?prefix=a/&per_page=1&cursor=${listed.result_info.cursor as string}`;
	assert.deepEqual(
		(await call<{ key: string }[]>("GET", rest)).result.map(({ key }) => key),
		["a/c"],
	);
	const grouped = await call("GET", `${BUCKETS}/objects/objects?delimiter=/`);
	assert.deepEqual(grouped.result_info.delimited, ["a/"]);
	assert.deepEqual(await call("GET", "/v1/tenants/default/buckets"), [
		{ ...((await call("GET", "/v1/tenants/default/buckets/objects")) as object) },
	]);
	const one = (await call("GET", "/v1/tenants/default/buckets/objects")) as unknown as Record<string, unknown>;
	assert.deepEqual([one.objects, one.bytes], [3, bytes.length + 4]);
	assert.match(await refusal("PUT", `${BUCKETS}/objects/objects/${"k".repeat(1025)}`), /^400 10020 /);
});

test("a function serves the objects of its bucket, which stays as long as it is released", async () => {
	assert.match(
		await (await upload("early", "later", SERVES)).text(),
		/"code":10085,"message":"R2 bucket 'later' not found/,
	);
	await call("POST", BUCKETS, { name: "later" });
	assert.equal((await upload("early", "later", SERVES)).status, 200);
	await ask("PUT", `${BUCKETS}/later/objects/page`, { body: "by the API" });
	assert.equal((await platform.get("early.localhost", "/page")).text, "by the API");
	await ask("DELETE", `${BUCKETS}/later/objects/page`);
	assert.match(await refusal("DELETE", `${BUCKETS}/later`), /^409 .*the bucket later is used by early/);
	const settings = await call<{ bindings: object[] }>("GET", `${ACCOUNT}/workers/scripts/early/settings`);
	assert.deepEqual(settings.result.bindings, [{ type: "r2_bucket", name: "B", bucket_name: "later" }]);
});

test("atoll deploy makes the buckets that it names, and its function hears of what the API changes", async () => {
	const folder = await platform.line.write("hears", {
		"index.js":
			"export default { storage({ changes }) { for (const c of changes) console.log('heard', JSON.stringify(c)); } };",
		"atoll.jsonc": JSON.stringify({
			bindings: { B: { type: "objects", bucket: "heard" }, KV: { type: "kv", id: "heard-kv" } },
			triggers: { storage: [{ bucket: "heard", suffix: ".png" }, { kv: "heard-kv" }] },
		}),
	});
	const { code, output } = await platform.atoll("deploy", folder);
	assert.equal(code, 0, output);
	await ask("PUT", `${BUCKETS}/heard/objects/a.png`, { body: "png" });
	await until(() => /heard .*PutObject.*a\.png/.test(platform.log));
	await ask("PUT", `${ACCOUNT}/storage/kv/namespaces/heard-kv/values/key`, { body: "v" });
	await until(() => /heard .*PutKey.*heard-kv/.test(platform.log));
	await ask("DELETE", `${BUCKETS}/heard/objects/a.png`);
	await until(() => /heard .*DeleteObject.*a\.png/.test(platform.log));
});

test("a bucket's own rules tell queues, whoever changes it", async () => {
	const queue = (await call<{ queue_id: string }>("POST", `${ACCOUNT}/queues`, { queue_name: "uploads" })).result;
	await call("POST", BUCKETS, { name: "told" });
	const rules = `${ACCOUNT}/event_notifications/r2/told/configuration`;
	const ofQueue = `${rules}/queues/${queue.queue_id}`;
	const rule = { prefix: "in/", actions: ["PutObject", "CompleteMultipartUpload"], description: "uploads" };
	await call("PUT", ofQueue, { rules: [rule] });
	interface Rules {
		queues: { queueName: string; rules: { ruleId: string; prefix: string; actions: string[] }[] }[];
	}
	const [{ queueName, rules: told }] = (await call<Rules>("GET", rules)).result.queues;
	assert.deepEqual([queueName, told[0].prefix, told[0].actions], ["uploads", "in/", rule.actions]);
	assert.match(await refusal("DELETE", `${ACCOUNT}/queues/${queue.queue_id}`), /used by the bucket told/);
	const writes =
		"export default { async fetch(request, { B }) { await B.put('in/x', 'x'); await B.delete('in/x'); return new Response('ok'); } };";
	await upload("writes-told", "told", writes);
	assert.equal((await platform.get("writes-told.localhost")).text, "ok");
	await ask("PUT", `${BUCKETS}/told/objects/out`, { body: "x" });
	await ask("PUT", `${BUCKETS}/told/objects/in/y`, { body: "x" });
	const count = async () =>
		((await call("GET", "/v1/tenants/default/queues/uploads/messages")) as unknown as { messages: number }).messages;
	assert.equal(await count(), 2);
	await call("DELETE", ofQueue, { ruleIds: [told[0].ruleId] });
	await ask("PUT", `${BUCKETS}/told/objects/in/z`, { body: "x" });
	assert.equal(await count(), 2);
	assert.match(await refusal("DELETE", ofQueue), /^404 /);
	assert.equal((await ask("DELETE", `${ACCOUNT}/queues/${queue.queue_id}`)).status, 200);
});

test("a token for a function, and one of another tenant, see no objects", async () => {
	const made = (body: object) => call("POST", "/v1/tokens", body) as unknown as Promise<{ token: string }>;
	const narrow = await made({ label: "narrow", scope: "deploy", tenant: "default", functions: ["early"] });
	const other = await made({ label: "other", scope: "admin", tenant: "other" });
	for (const { token } of [narrow, other])
		for (const path of [BUCKETS, `${BUCKETS}/told/objects/in/y`, `${BUCKETS}/told/objects`])
			assert.match(await refusal("GET", path, undefined, token), /^403 10000 /);
});

test("a backup has the objects", async () => {
	await call("POST", BUCKETS, { name: "kept" });
	const bytes = randomBytes(3 * MB);
	await ask("PUT", `${BUCKETS}/kept/objects/large`, { body: bytes });
	await ask("PUT", `${BUCKETS}/kept/objects/small`, { body: "small" });
	const file = join(platform.line.folder, "objects.tar");
	assert.equal((await platform.atoll("backup", file)).code, 0);
	const other = new Platform();
	await mkdir(other.data, { recursive: true });
	const run = other.line.run(["restore", file, "--data", other.data]);
	assert.equal(await run.exit, 0, run.output());
	await other.up();
	const headers = { authorization: `Bearer ${TOKEN}` };
	const read = async (key: string) =>
		Buffer.from(
			await (
				await fetch(`http://127.0.0.1:${other.adminPort}${BUCKETS}/kept/objects/${key}`, { headers })
			).arrayBuffer(),
		);
	assert.deepEqual(await read("large"), bytes);
	assert.equal((await read("small")).toString(), "small");
	assert.equal(await other.stop(), 0);
});
