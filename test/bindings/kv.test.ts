import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const STORED = 40 * 2 ** 20;
const atoll = new TestRuntime({ sandboxes: 1, tenantLimits: { storedBytes: STORED } });

/** A function that runs what it is sent, with the namespace at hand, and answers with what that gives, or throws. */
const RUNS = `
const AsyncFunction = (async () => {}).constructor;
const STEPS = {
	async put({ KV }, url) { await KV.put(url.searchParams.get("key"), url.searchParams.get("value")); },
	async get({ KV }, url) { return await KV.get(url.searchParams.get("key")); },
	async types({ KV }) {
		await KV.put("text", "täxt");
		await KV.put("bytes", new Uint8Array([1, 2, 255]));
		await KV.put("view", new DataView(new Uint8Array([0, 7, 8, 9]).buffer, 1, 2));
		await KV.put("json", JSON.stringify({ a: [1] }), { metadata: { kind: "json" } });
		await KV.put("stream", new Blob(["from ", "a stream"]).stream());
		await KV.put("empty", "");
		return [
			await KV.get("text"), [...new Uint8Array(await KV.get("bytes", "arrayBuffer"))],
			[...new Uint8Array(await KV.get("view", { type: "arrayBuffer" }))],
			await KV.get("json", "json"), await new Response(await KV.get("stream", "stream")).text(),
			await KV.get("empty"), await KV.get("nothing"), await KV.getWithMetadata("json", "json"),
			await KV.getWithMetadata("nothing"), [...await KV.get(["text", "nothing", "json", "text"])],
			[...await KV.getWithMetadata(["json", "nothing"], "json")],
		];
	},
	async gone({ KV }) {
		await KV.put("gone", "x"); await KV.delete("gone"); await KV.delete("gone");
		return await KV.get("gone");
	},
	async reads({ KV }, url) {
		const values = [];
		for (let i = 0; i < 5; i++) values.push(await KV.get(url.searchParams.get("key")));
		return values;
	},
	async changes({ KV }) {
		const values = [await KV.get("own"), await KV.get("own"), await KV.get("own")];
		for (const value of ["a", "b"]) {
			await KV.put("own", value);
			for (let i = 0; i < 3; i++) values.push(await KV.get("own"));
		}
		await KV.delete("own");
		return [...values, await KV.get("own")];
	},
	async list({ KV }) {
		for (const key of ["a/2", "b", "a/1", "ä", "a/10"]) await KV.put(key, "x", { metadata: { key } });
		const first = await KV.list({ prefix: "a/", limit: 2 });
		const rest = await KV.list({ prefix: "a/", limit: 2, cursor: first.cursor });
		return { first, rest, all: (await KV.list()).keys.map(({ name }) => name) };
	},
	async errors({ KV }) {
		const { cursor } = await KV.list({ limit: 1 });
		const tries = [
			() => KV.put("", "x"), () => KV.put("..", "x"), () => KV.put("k".repeat(513), "x"), () => KV.get("ü".repeat(257)),
			() => KV.put("k", {}), () => KV.get("k", "blob"), () => KV.put("k", "x", { expirationTtl: 5 }),
			() => KV.put("k", "x", { expiration: 12 }), () => KV.put("k", "x", { metadata: "m".repeat(2000) }),
			() => KV.put("k", new Uint8Array(25 * 2 ** 20 + 1)), () => KV.list({ limit: 0 }),
			() => KV.list({ cursor: "nonsense" }), () => KV.list({ prefix: "z", cursor }), () => KV.get("text", "json"),
			() => KV.get(Array.from({ length: 101 }, (_, i) => "k" + i)),
			() => KV.put("k", "x", { expirationTtl: Number.MAX_SAFE_INTEGER }),
		];
		const told = [];
		for (const one of tries) told.push(await one().then(() => "none", (error) => error.name + ": " + error.message));
		return told;
	},
	async large({ KV }, url) {
		const size = Number(url.searchParams.get("size"));
		const bytes = new Uint8Array(size).fill(7);
		bytes[size - 1] = 9;
		await KV.put("large", bytes);
		const read = new Uint8Array(await KV.get("large", "arrayBuffer"));
		return [read.length, read[0], read[size - 1]];
	},
	async fill({ KV }, url) {
		const name = url.searchParams.get("key");
		for (let i = 0; i < 10; i++) await KV.put(name + i, new Uint8Array(10 * 2 ** 20));
	},
	async tidy({ KV }) {
		for (const { name } of (await KV.list()).keys) await KV.delete(name);
	},
	async many({ KV }) {
		const keys = Array.from({ length: 6 }, (_, i) => "many" + i);
		for (const [i, key] of keys.entries()) await KV.put(key, String(i).repeat(i === 3 ? 300_000 : 100_000));
		const found = await KV.get([...keys, "none"]);
		return [...found].map(([key, value]) => [key, value === null ? null : value[0] + value.length]);
	},
	async expires({ KV }) {
		await KV.put("soon", "x", { expirationTtl: 60 });
		return (await KV.list({ prefix: "soon" })).keys[0].expiration - Date.now() / 1000;
	},
	shape({ KV }) {
		return [String(KV), KV.constructor.name, Object.keys(KV), typeof KV.constructor.prototype.get];
	},
};
export default { async fetch(request, env) {
	const url = new URL(request.url);
	try {
		return Response.json((await STEPS[url.pathname.slice(1)](env, url)) ?? null);
	} catch (error) {
		return Response.json({ error: error.message }, { status: 500 });
	}
} };`;

const bound = (id: string) => ({ bindings: { KV: { type: "kv", id } } });

async function run(name: string, path: string): Promise<unknown> {
	return JSON.parse(await atoll.text(name, path));
}

test("values come back as what they are asked for, with their metadata", async () => {
	await atoll.deploy("types", RUNS, bound("types"));
	assert.deepEqual(await run("types", "/types"), [
		"täxt",
		[1, 2, 255],
		[7, 8],
		{ a: [1] },
		"from a stream",
		"",
		null,
		{ value: { a: [1] }, metadata: { kind: "json" }, cacheStatus: null },
		{ value: null, metadata: null, cacheStatus: null },
		[
			["text", "täxt"],
			["nothing", null],
			["json", '{"a":[1]}'],
		],
		[
			["json", { value: { a: [1] }, metadata: { kind: "json" }, cacheStatus: null }],
			["nothing", null],
		],
	]);
	assert.equal(await run("types", "/gone"), null);
	assert.deepEqual(await run("types", "/shape"), ["[object KvNamespace]", "KvNamespace", [], "function"]);
});

test("keys are listed in the order of their bytes, by prefix and part by part", async () => {
	await atoll.deploy("lists", RUNS, bound("lists"));
	const { first, rest, all } = (await run("lists", "/list")) as Record<string, { keys: object[]; cursor?: string }>;
	const names = (keys: object[]) => keys.map((key) => (key as { name: string }).name);
	assert.deepEqual(
		[names(first.keys), names(rest.keys), all],
		[["a/1", "a/10"], ["a/2"], ["a/1", "a/10", "a/2", "b", "ä"]],
	);
	assert.deepEqual(first.keys[0], { name: "a/1", metadata: { key: "a/1" } });
	assert.deepEqual(rest, { keys: rest.keys, list_complete: true, cacheStatus: null });
	const left = (await run("lists", "/expires")) as number;
	assert.ok(left > 55 && left < 65, `${left}`);
});

test("what makes no sense is refused in words that Workers have for it", async () => {
	const told = (await run("lists", "/errors")) as string[];
	const expected = [
		/^TypeError: Key name cannot be empty/,
		/^TypeError: "\.\." is not allowed/,
		/^Error: KV PUT failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512\.$/,
		/^Error: KV GET failed: 414 UTF-8 encoded length of 514/,
		/^TypeError: KV put\(\) accepts only/,
		/^TypeError: Unknown response type/,
		/^Error: KV PUT failed: 400 Invalid expiration_ttl of 5\. Expiration TTL must be at least 60\.$/,
		/^Error: KV PUT failed: 400 Invalid expiration of 12\./,
		/^Error: KV PUT failed: 413 Metadata length of 2002 exceeds limit of 1024\.$/,
		/^Error: KV PUT failed: 413 Value length of .* exceeds limit of 26214400\.$/,
		/^Error: KV GET failed: 400 Invalid key_count_limit of 0/,
		/^Error: KV GET failed: 400 Invalid cursor/,
		/^Error: KV GET failed: 400 Invalid cursor/,
		/^none$/,
		/^Error: KV GET_BULK failed: 400 You can request a maximum of 100 keys$/,
		/^Error: KV PUT failed: 400 Invalid expiration_ttl of 9007199254740991\. It is too late a time\.$/,
	];
	for (const [i, each] of expected.entries()) assert.match(told[i], each);
});

test("a namespace is seen by all functions of its tenant that are bound to it, and by nobody else", async () => {
	const other = { tenant: "other", hostnames: ["theirs.test"] };
	await atoll.deploy("one", RUNS, bound("shared"));
	await atoll.deploy("two", RUNS, bound("shared"));
	await atoll.deploy("three", RUNS, bound("another"));
	await atoll.deploy("theirs", RUNS, { ...bound("shared"), ...other });
	await run("one", "/put?key=k&value=v");
	assert.equal(await run("two", "/get?key=k"), "v");
	assert.equal(await run("three", "/get?key=k"), null);
	assert.equal(await run("theirs", "/get?key=k"), null);
});

test("what is read again and again is seen to change at once, by whichever function, and each read counts", async () => {
	for (let i = 0; i < 50; i++) {
		await run("one", `/put?key=often&value=${i}`);
		for (const name of ["two", "one", "two"])
			assert.deepEqual(await run(name, "/reads?key=often"), Array(5).fill(String(i)), name);
	}
	await atoll.deploy("counts", RUNS, bound("shared"));
	for (let i = 0; i < 3; i++) {
		await run("counts", "/reads?key=often");
		const { subrequests, bindingCalls } = await atoll.record("counts", i);
		assert.deepEqual([subrequests, bindingCalls], [5, { KV: 5 }]);
	}
	assert.deepEqual(await run("one", "/changes"), [null, null, null, "a", "a", "a", "b", "b", "b", null]);
});

test("several values come one behind the other, whether in rows or in files", async () => {
	await atoll.deploy("several", RUNS, bound("several"));
	assert.deepEqual(await run("several", "/many"), [
		...["0100000", "1100000", "2100000", "3300000", "4100000", "5100000"].map((value, i) => [`many${i}`, value]),
		["none", null],
	]);
	await run("several", "/tidy");
});

test("large values lie in files, of which none is left when they are gone", async () => {
	await atoll.deploy("large", RUNS, bound("large"));
	const blobs = () => readdirSync(join(atoll.folder, "data/stores/blobs")).length;
	for (const size of [256 * 1024, 256 * 1024 + 1, 25 * 2 ** 20])
		assert.deepEqual(await run("large", `/large?size=${size}`), [size, 7, 9]);
	// Files are removed a little after what they hold.
	await until(() => blobs() === 1);
	assert.equal(await run("large", "/tidy"), null);
	await until(() => blobs() === 0);
	assert.deepEqual(readdirSync(join(atoll.folder, "data/stores/incoming")), []);
});

test("a tenant stores no more than it may, and its neighbours store on", async () => {
	await atoll.deploy("fills", RUNS, { ...bound("f"), tenant: "full", hostnames: ["fills.test"] });
	const { error } = (await run("fills", "/fill?key=a")) as { error: string };
	assert.equal(error, `KV PUT failed: 413 what the tenant has stored would have more than ${STORED} bytes.`);
	await run("one", "/put?key=k&value=again");
	assert.equal(await run("one", "/get?key=k"), "again");
	await run("fills", "/tidy");
	assert.equal(await run("fills", "/put?key=k&value=v"), null);
});

test("what was acknowledged is there after the data process was killed, and whoever asks meanwhile hears of nothing", async () => {
	assert.ok(existsSync(join(atoll.folder, "data/stores/data.db")));
	for (let round = 0; round < 5; round++) {
		const puts = Array.from({ length: 20 }, (_, i) => run("one", `/put?key=r${round}-${i}&value=${i}`));
		process.kill(atoll.runtime.dataPid(), "SIGKILL");
		assert.deepEqual(new Set(await Promise.all(puts)), new Set([null]));
		for (let i = 0; i < 20; i++) assert.equal(await run("two", `/get?key=r${round}-${i}`), String(i));
	}
});
