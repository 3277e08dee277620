import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { kept } from "../../src/bindings/caches/freshness.ts";
import { decodeCacheAsked, encodeCacheAsked } from "../../src/bindings/caches/schema.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const CACHED = 8 * 2 ** 20;
const atoll = new TestRuntime({ sandboxes: 2, limits: { subrequests: 500 }, tenantLimits: { cachedBytes: CACHED } });

/** A function that does steps with caches, each a list of what to do and with what, and tells what came of each. */
const RUNS = `
const open = async (name) => name === undefined ? caches.default : await caches.open(name);
const STEPS = {
	async put(url, { request = {}, status = 200, headers = {}, body = "x", cache } = {}) {
		await (await open(cache)).put(new Request(url, { headers: request }), new Response(body, { status, headers }));
	},
	async match(url, { headers = {}, method = "GET", options, cache } = {}) {
		const found = await (await open(cache)).match(new Request(url, { method, headers }), options);
		if (found === undefined) return null;
		return { status: found.status, headers: Object.fromEntries(found.headers), body: await found.text() };
	},
	async delete(url, { cache, method = "GET", options } = {}) {
		return await (await open(cache)).delete(new Request(url, { method }), options);
	},
	async large(url, { size, cut }) {
		const piece = new Uint8Array(100_000).fill(7);
		let left = size;
		const body = new ReadableStream({ pull(controller) {
			if (cut !== undefined && left < cut) controller.error(new Error("cut"));
			else if (left <= 0) controller.close();
			else { controller.enqueue(piece.slice(0, Math.min(left, piece.length))); left -= piece.length; }
		} });
		await caches.default.put(url, new Response(body, { headers: { etag: '"l"' } }));
	},
	async size(url, { headers = {} } = {}) {
		const found = await caches.default.match(new Request(url, { headers }));
		return found === undefined ? null : [found.status, (await found.arrayBuffer()).byteLength, found.headers.get("content-range")];
	},
	async fill(url, { count, size }) {
		for (let i = 0; i < count; i++) await caches.default.put(url + i, new Response(new Uint8Array(size)));
	},
	async kept(url, { count }) {
		const there = [];
		for (let i = 0; i < count; i++) if (await caches.default.match(url + i) !== undefined) there.push(i);
		return there;
	},
	async responses(url) {
		const tell = (what) => what().then((v) => v === undefined ? "undefined" : String(v), (error) => error.name + ": " + error.message);
		const used = new Response("x");
		await used.text();
		return [
			await tell(() => caches.default.put(url, new Response("x", { status: 206 }))),
			await tell(() => caches.default.put(url, new Response("x", { headers: { vary: "accept, *" } }))),
			await tell(() => caches.default.put(new Request(url, { method: "POST" }), new Response("x"))),
			await tell(() => caches.default.put("data:,x", new Response("x"))),
			await tell(() => caches.default.put(url, "x")),
			await tell(() => caches.default.put(url, used)),
			await tell(() => caches.default.put(url)),
			await tell(() => caches.default.match(new Request(url, { method: "POST" }))),
			await tell(async () => new Cache()),
		];
	},
	async storage() {
		const before = await caches.has("s");
		const cache = await caches.open("s");
		await cache.put("http://s.test/", new Response("s"));
		const steps = [before, await caches.has("s"), (await caches.keys()).sort(), await (await caches.match("http://s.test/")).text()];
		return [...steps, await caches.delete("s"), await caches.delete("s"), await caches.has("s"), await caches.match("http://s.test/") ?? null];
	},
	async shape() {
		await caches.default.put("http://shape.test/#x", new Response(null, { status: 204, headers: { "cache-control": "max-age=9" } }));
		const found = await caches.default.match("http://shape.test/");
		let frozen = "no";
		try { found.headers.set("a", "b"); } catch (error) { frozen = error.name; }
		return [found.url, found.type, found.body, frozen, String(caches), String(caches.default)];
	},
};
export default { async fetch(request) {
	const told = [];
	for (const [step, ...given] of await request.json())
		told.push(await STEPS[step](...given).then((value) => value ?? null, (error) => error.name + ": " + error.message));
	return Response.json(told);
} };`;

type Step = [string, ...unknown[]];
interface Told {
	status: number;
	headers: Record<string, string>;
	body: string;
}

async function run(name: string, ...steps: Step[]): Promise<unknown[]> {
	const text = await atoll.text(name, "/", { method: "POST", body: JSON.stringify(steps) });
	return JSON.parse(text) as unknown[];
}

/** Puts a response and gives what matches then, asked for with these headers. */
async function through(name: string, put: object, headers: object = {}): Promise<Told | null> {
	const url = `http://${name}.test/${Math.random()}`;
	return (await run(name, ["put", url, put], ["match", url, { headers }]))[1] as Told | null;
}

test("a response is kept as it is, with its age, until it is no longer fresh", async () => {
	await atoll.deploy("fresh", RUNS);
	const told = await through("fresh", {
		status: 404,
		headers: { "cache-control": "max-age=600", "x-a": "b", age: "20", "content-type": "text/x" },
		body: "gone",
	});
	const { headers, ...found } = told ?? assert.fail("it was not kept");
	const { age, ...others } = headers as Record<string, string>;
	assert.ok(Number(age) >= 20, age);
	assert.deepEqual(
		{ ...found, headers: others },
		{
			status: 404,
			body: "gone",
			headers: {
				"cache-control": "max-age=600",
				"cf-cache-status": "HIT",
				"content-type": "text/x",
				"x-a": "b",
			},
		},
	);
	assert.deepEqual(await run("fresh", ["shape"]), [
		["http://shape.test/", "default", null, "TypeError", "[object CacheStorage]", "[object Cache]"],
	]);
});

const DATE = new Date(Date.now() - 100_000).toUTCString();

test("what a cache that many share does not keep is not kept", () => {
	const now = Date.parse(DATE) + 100_000;
	const LATER = new Date(now + 100_000).toUTCString();
	const given = (headers: Record<string, string>, status = 200, request: Record<string, string> = {}) =>
		kept({ requestHeaders: Object.entries(request).flat(), status, headers: Object.entries(headers).flat() }, now);
	const seconds = (...args: Parameters<typeof given>) => {
		const entry = given(...args);
		return entry === null ? null : Math.round((entry.expires - now) / 1000);
	};
	const control = (value: string, more: Record<string, string> = {}) => ({ "cache-control": value, ...more });
	const bearer = { authorization: "Bearer x" };
	const table: [number | null, ...Parameters<typeof given>][] = [
		[7200, {}],
		[1200, {}, 302],
		[180, {}, 410],
		[null, {}, 500],
		[5, control("max-age=5"), 500],
		[null, control("max-age=5"), 304],
		[60, control("max-age=5, s-maxage=60")],
		[60, control('S-MaxAge="60", Max-Age=5')],
		[5, control("max-age=5, max-age=60")],
		[null, control("max-age=0")],
		[null, control("max-age=soon")],
		[null, control("no-store, max-age=60")],
		[null, control("private, max-age=60")],
		[null, control("No-Cache")],
		[60, control('x="no-store, private", max-age=60')],
		[40, control("max-age=60", { age: "20" })],
		[null, control("max-age=60", { age: "60" })],
		[null, control("max-age=60", { date: DATE })],
		[100, { expires: LATER }],
		[null, { expires: "0" }],
		[null, { expires: DATE }],
		[100, { expires: LATER, date: DATE }],
		[60, control("max-age=60", { expires: DATE })],
		[365 * 24 * 3600, control("max-age=99999999999")],
		[null, control("max-age=60", { "set-cookie": "a=b" })],
		[60, control("private=Set-Cookie, max-age=60", { "set-cookie": "a=b" })],
		[60, control('private="x-a, set-cookie", max-age=60', { "set-cookie": "a=b" })],
		[null, control("max-age=60"), 200, bearer],
		[60, control("max-age=60, public"), 200, bearer],
		[60, control("s-maxage=60"), 200, bearer],
		[60, control("max-age=60, must-revalidate"), 200, bearer],
		[null, control("max-age=60", { vary: "*" })],
		[90, control("max-age=60, stale-while-revalidate=30")],
		[20, control("max-age=60, stale-while-revalidate=30", { age: "70" })],
		[null, control("max-age=60, stale-while-revalidate=30", { age: "90" })],
		[null, control("max-age=60, must-revalidate, stale-while-revalidate=30", { age: "60" })],
		[60, control("max-age=60, stale-while-revalidate=soon")],
		[null, { "cache-tag": Array.from({ length: 101 }, (_, i) => i).join() }],
	];
	for (const [expected, ...args] of table) assert.equal(seconds(...args), expected, JSON.stringify(args));
	const cookie = control('private="x-a, set-cookie", max-age=60', { "set-cookie": "a=b", "x-a": "b", "x-b": "c" });
	assert.deepEqual(given(cookie)?.headers, ["cache-control", cookie["cache-control"], "x-b", "c"]);
	const varied = given({ vary: "B, a ,b", "cache-tag": "One, two,,one" }, 200, { b: "1" });
	assert.deepEqual(
		[varied?.vary, varied?.tags],
		[
			[
				["a", null],
				["b", "1"],
			],
			["one", "two"],
		],
	);
});

test("what is stale is given while it is made anew, and one asker is told to do that", async () => {
	await atoll.deploy("stale", RUNS);
	const url = "http://stale.test/";
	const headers = { "cache-control": "max-age=60, stale-while-revalidate=600", age: "100" };
	const told = await run(
		"stale",
		["put", url, { headers, body: "old" }],
		...Array.from({ length: 3 }, (): Step => ["match", url]),
		["put", url, { body: "new" }],
		["match", url],
	);
	const found = told.filter((one) => one !== null) as Told[];
	assert.deepEqual(
		found.map(({ body, headers: { "cf-cache-status": status } }) => [body, status]),
		[
			["old", "STALE"],
			["old", "UPDATING"],
			["old", "UPDATING"],
			["new", "HIT"],
		],
	);
	assert.ok(Number(found[0].headers.age) >= 100, found[0].headers.age);
});

test("put refuses what makes no sense, and match finds nothing for other methods", async () => {
	await atoll.deploy("refused", RUNS);
	const [told] = (await run("refused", ["responses", "http://refused.test/"])) as string[][];
	const expected = [
		/^TypeError: .*206/,
		/^TypeError: .*varies by everything/,
		/^TypeError: .*GET/,
		/^TypeError: .*http/,
		/^TypeError: .*not a Response/,
		/^TypeError: .*already been read/,
		/^TypeError: .*argument/,
		/^undefined$/,
		/^TypeError: Illegal constructor/,
	];
	for (const [i, each] of expected.entries()) assert.match(told[i], each);
	const url = "http://refused.test/head";
	const told2 = await run(
		"refused",
		["put", url],
		["match", url, { method: "HEAD" }],
		["match", url, { method: "HEAD", options: { ignoreMethod: true } }],
		["delete", url, { method: "POST" }],
		["delete", url, { method: "POST", options: { ignoreMethod: true } }],
		["delete", url],
		["match", url],
	);
	assert.deepEqual(
		told2.map((one) => (one as Told)?.status ?? one),
		[null, null, 200, false, true, false, null],
	);
});

test("a request that has the response already is answered with 304", async () => {
	const modified = "Mon, 02 Mar 2026 10:00:00 GMT";
	const put = { headers: { etag: '"a,b"', "last-modified": modified, "content-length": "1" } };
	const table: [number, object][] = [
		[304, { "if-none-match": '"a,b"' }],
		[304, { "if-none-match": '"x", W/"a,b"' }],
		[304, { "if-none-match": "*" }],
		[200, { "if-none-match": '"a", "b"' }],
		[200, { "if-none-match": '"x"', "if-modified-since": modified }],
		[304, { "if-modified-since": modified }],
		[304, { "if-modified-since": "Mon, 02 Mar 2026 10:00:01 GMT" }],
		[200, { "if-modified-since": "Mon, 02 Mar 2026 09:59:59 GMT" }],
		[200, { "if-modified-since": "never" }],
		[304, { "if-none-match": '"a,b"', range: "bytes=0-0" }],
	];
	for (const [status, headers] of table) {
		const found = await through("fresh", put, headers);
		assert.equal(found?.status, status, JSON.stringify(headers));
		assert.equal(found.headers.etag, '"a,b"');
		assert.equal(found.body, status === 304 ? "" : "x");
		assert.equal(found.headers["content-length"], status === 304 ? undefined : "1");
	}
});

test("one part of a body is given where that is asked for", async () => {
	const put = { body: "0123456789", headers: { etag: '"a"', "last-modified": "Mon, 02 Mar 2026 10:00:00 GMT" } };
	const table: [string, string | null, object?][] = [
		["bytes=2-4", "206 234 bytes 2-4/10"],
		["bytes=7-", "206 789 bytes 7-9/10"],
		["bytes=-3", "206 789 bytes 7-9/10"],
		["bytes=-30", "206 0123456789 bytes 0-9/10"],
		["bytes=8-99", "206 89 bytes 8-9/10"],
		["bytes=10-", "416  bytes */10"],
		["bytes=-0", "416  bytes */10"],
		["bytes=4-2", null],
		["bytes=-", null],
		["bytes=0-1,3-4", null],
		["lines=0-1", null],
		["bytes=0-1", "206 01 bytes 0-1/10", { "if-range": '"a"' }],
		["bytes=0-1", null, { "if-range": '"b"' }],
		["bytes=0-1", null, { "if-range": 'W/"a"' }],
		["bytes=0-1", "206 01 bytes 0-1/10", { "if-range": "Mon, 02 Mar 2026 10:00:00 GMT" }],
		["bytes=0-1", null, { "if-range": "Mon, 02 Mar 2026 10:00:01 GMT" }],
	];
	for (const [range, expected, more = {}] of table) {
		const found = (await through("fresh", put, { range, ...more })) as Told;
		const told = `${found.status} ${found.body} ${found.headers["content-range"]}`;
		assert.equal(told, expected ?? "200 0123456789 undefined", range + JSON.stringify(more));
	}
	assert.equal((await through("fresh", { ...put, status: 404 }, { range: "bytes=0-1" }))?.status, 404);
});

test("responses that vary are kept side by side, each for requests that are alike", async () => {
	await atoll.deploy("varies", RUNS);
	const url = "http://varies.test/";
	const headers = { vary: "Accept-Language, X-B" };
	const steps: Step[] = ["de", "en"].map((language) => [
		"put",
		url,
		{ request: { "accept-language": language }, headers, body: language },
	]);
	const match = (given: object, options?: object): Step => ["match", url, { headers: given, options }];
	const told = await run(
		"varies",
		...steps,
		match({ "accept-language": "de" }),
		match({ "accept-language": "en", "x-c": "d" }),
		match({ "accept-language": "fr" }),
		match({ "accept-language": "de", "x-b": "" }),
		match({}),
		match({ "accept-language": "fr" }, { ignoreVary: true }),
		["put", url, { request: { "accept-language": "de" }, headers, body: "neu" }],
		match({ "accept-language": "de" }),
		["delete", url],
		match({ "accept-language": "en" }),
	);
	const bodies = told.slice(2).map((one) => (one as Told)?.body ?? one);
	assert.deepEqual(bodies, ["de", "en", null, null, null, "en", null, "neu", true, null]);
	const many: Step[] = Array.from({ length: 25 }, (_, i) => [
		"put",
		url,
		{ request: { "x-b": `${i}` }, headers, body: `${i}` },
	]);
	const found = await run("varies", ...many, match({ "x-b": "0" }), match({ "x-b": "24" }), match({ "x-b": "5" }));
	assert.deepEqual(
		found.slice(25).map((one) => (one as Told)?.body ?? null),
		[null, "24", "5"],
	);
});

test("the default cache is a function's own, one with a name its tenant's, and of `default` each function counts for itself", async () => {
	const of = (tenant: string, name: string) => ({ tenant, hostnames: [`${name}.test`] });
	await atoll.deploy("a1", RUNS, of("ta", "a1"));
	await atoll.deploy("a2", RUNS, of("ta", "a2"));
	await atoll.deploy("b1", RUNS, of("tb", "b1"));
	await atoll.deploy("d1", RUNS);
	await atoll.deploy("d2", RUNS);
	const url = "http://shared.test/";
	for (const name of ["a1", "d1"]) await run(name, ["put", url], ["put", url, { cache: "n" }]);
	const there = async (name: string) =>
		(await run(name, ["match", url], ["match", url, { cache: "n" }])).map((one) => one !== null);
	assert.deepEqual(await there("a1"), [true, true]);
	assert.deepEqual(await there("a2"), [false, true]);
	assert.deepEqual(await there("b1"), [false, false]);
	assert.deepEqual(await there("d1"), [true, true]);
	assert.deepEqual(await there("d2"), [false, false]);
	await run("b1", ["put", url, { cache: "n" }]);
	assert.deepEqual(await run("b1", ["storage"]), [[false, true, ["n", "s"], "s", true, false, false, null]]);
	// Another version has what the one before has kept.
	await atoll.deploy("a1", `${RUNS}\n//`, of("ta", "a1"));
	assert.deepEqual(await there("a1"), [true, true]);
});

test("large bodies lie in files, come in pieces and in parts, and go with what replaces them", async () => {
	await atoll.deploy("large", RUNS);
	const blobs = () => readdirSync(join(atoll.folder, "data/stores/relaxed/blobs")).length;
	const url = "http://large.test/";
	const size = 3_000_000;
	assert.deepEqual(
		await run(
			"large",
			["large", url, { size }],
			["size", url],
			["size", url, { headers: { range: "bytes=100-999999" } }],
			["size", url, { headers: { range: "bytes=-1" } }],
			["size", url, { headers: { "if-none-match": '"l"' } }],
		),
		[
			null,
			[200, size, null],
			[206, 999_900, `bytes 100-999999/${size}`],
			[206, 1, `bytes ${size - 1}-${size - 1}/${size}`],
			[304, 0, null],
		],
	);
	assert.equal(blobs(), 1);
	// One that breaks off, and one that is larger than all that may be kept, leave nothing behind but what was there.
	const [broken, kept, tooLarge, still] = await run(
		"large",
		["large", `${url}2`, { size, cut: 1_000_000 }],
		["size", `${url}2`],
		["large", `${url}3`, { size: CACHED + 1 }],
		["size", url],
	);
	assert.match(broken as string, /^Error: Cache\.put\(\) failed: /);
	assert.deepEqual([kept, tooLarge, still], [null, null, [200, size, null]]);
	// Files are removed a little after what they hold.
	await until(() => blobs() === 1);
	await until(() => readdirSync(join(atoll.folder, "data/stores/relaxed/incoming")).length === 0);
	await run("large", ["put", url]);
	await until(() => blobs() === 0);
});

test("who keeps too much loses what is oldest, and nobody else loses anything", async () => {
	await atoll.deploy("hog", RUNS, { tenant: "hog", hostnames: ["hog.test"] });
	await atoll.deploy("calm", RUNS, { tenant: "calm", hostnames: ["calm.test"] });
	await run("calm", ["put", "http://calm.test/"]);
	const url = "http://hog.test/";
	const [filled, there] = await run("hog", ["fill", url, { count: 60, size: 200_000 }], ["kept", url, { count: 60 }]);
	const kept = there as number[];
	assert.equal(filled, null);
	assert.ok(kept.length >= 35 && kept.length <= 41, `${kept}`);
	assert.equal(kept.at(-1), 59);
	assert.equal(kept.includes(0), false);
	// One that takes the place of most of them.
	const [, , size] = await run(
		"hog",
		["large", `${url}l`, { size: 7_500_000 }],
		["kept", url, { count: 60 }],
		["size", `${url}l`],
	);
	assert.deepEqual(size, [200, 7_500_000, null]);
	assert.equal(((await run("calm", ["match", "http://calm.test/"]))[0] as Told).body, "x");
});

test("what is kept is there after the data process was killed; without its database functions go on with nothing", async () => {
	const url = "http://fresh.test/kept";
	await run("fresh", ["put", url, { body: "before" }]);
	process.kill(atoll.runtime.dataPid(), "SIGKILL");
	assert.equal(((await run("fresh", ["match", url]))[0] as Told).body, "before");
	process.kill(atoll.runtime.dataPid(), "SIGKILL");
	for (const suffix of ["", "-wal", "-shm"])
		writeFileSync(join(atoll.folder, `data/stores/relaxed/data.db${suffix}`), "no database".repeat(1000));
	assert.deepEqual(
		(await run("fresh", ["match", url], ["put", url, { body: "after" }], ["match", url])).map(
			(one) => (one as Told)?.body ?? one,
		),
		[null, null, "after"],
	);
});

test("what the prelude never asks of a cache is known as that", () => {
	for (const cache of [null, "", 'a"\n', "ü"]) {
		const url = "http://a/";
		const put = {
			op: "put",
			cache,
			url,
			status: 200,
			statusText: "O K",
			requestHeaders: ["a", "b"],
			headers: ["c", ""],
		};
		for (const asked of [
			{ op: "match", cache, ignoreVary: true, url, headers: ["a", "b"] },
			{ ...put },
			{ ...put, requestHeaders: [], headers: [] },
			{ op: "delete", cache, url },
			{ op: "names" },
			...(cache === null ? [] : [{ op: "drop", cache }]),
		])
			assert.deepEqual(decodeCacheAsked(encodeCacheAsked(asked as never)), asked);
	}
	for (const text of [
		"",
		"names",
		"names\nnull\n",
		"match\n1\n0\nhttp://a/",
		"match\nnull\n2\nhttp://a/",
		"match\nnull\n0\nhttp://a/\nA\nb",
		"match\nnull\n0\nhttp://a/\na",
		'match\n"a\n0\nhttp://a/',
		"put\nnull\n200\n1\n\nhttp://a/\na\nb",
		"put\nnull\n200\n4\n\nhttp://a/\na\nb",
		"put\nnull\n99\n0\n\nhttp://a/",
		"delete\nnull\nhttp://a/\na\nb",
		"drop\nnull\n",
		'drop\n"a"\nx',
	])
		assert.equal(decodeCacheAsked(text), null, JSON.stringify(text));
});
