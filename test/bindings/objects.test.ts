import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const STORED = 60 * 2 ** 20;
const atoll = new TestRuntime({ sandboxes: 1, tenantLimits: { storedBytes: STORED } });

/** A function that runs the code that it is sent, with the bucket `B` at hand, and answers with what that gives. */
const RUNS = `
const AsyncFunction = (async () => {}).constructor;
const tell = (error) => error.name + ": " + error.message;
export default { async fetch(request, env) {
	const code = await request.text();
	try {
		return Response.json((await new AsyncFunction("B", "tell", code)(env.B, tell)) ?? null);
	} catch (error) {
		return Response.json({ error: tell(error) }, { status: 500 });
	}
} };`;

async function deploy(name: string, bucket: string, tenant?: string): Promise<void> {
	await atoll.deploy(name, RUNS, {
		bindings: { B: { type: "objects", bucket } },
		limits: { cpuMs: 20_000, subrequests: 1000 },
		...(tenant !== undefined && { tenant }),
	});
}

async function run(name: string, code: string): Promise<unknown> {
	return JSON.parse(await atoll.text(name, "/", { method: "POST", body: code }));
}

const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest("hex");

test("an object is as it was put, with all that is known of it", async () => {
	await deploy("whole", "whole-bucket");
	const said = (await run(
		"whole",
		`const put = await B.put("a/b.txt", "hello", {
			httpMetadata: { contentType: "text/plain", cacheControl: "no-store", cacheExpiry: new Date(0) },
			customMetadata: { who: "ada", __proto__: null, ["__proto__"]: "x" },
			sha256: "${hash("sha256", "hello")}",
		});
		const got = await B.get("a/b.txt");
		const headers = new Headers();
		got.writeHttpMetadata(headers);
		const head = await B.head("a/b.txt");
		return {
			text: await got.text(), used: got.bodyUsed, put, head, range: got.range, headers: [...headers],
			same: [put.version === got.version, put.uploaded.getTime() === got.uploaded.getTime(), got.uploaded instanceof Date],
			md5: new Uint8Array(got.checksums.md5).length, none: [got.checksums.sha1, await B.head("none"), await B.get("none")],
			custom: Object.entries(got.customMetadata), names: [put, got].map((one) => one.constructor.name),
			again: await got.text().catch(tell),
		};`,
	)) as Record<string, unknown> & { put: Record<string, unknown>; head: Record<string, unknown> };
	assert.deepEqual([said.text, said.used], ["hello", true]);
	assert.deepEqual(said.put, said.head);
	const { version, uploaded, ...rest } = said.put;
	assert.match(version as string, /^[0-9a-f]{32}$/);
	assert.ok(!Number.isNaN(Date.parse(uploaded as string)));
	assert.deepEqual(rest, {
		key: "a/b.txt",
		size: 5,
		etag: hash("md5", "hello"),
		httpEtag: `"${hash("md5", "hello")}"`,
		checksums: { md5: hash("md5", "hello"), sha256: hash("sha256", "hello") },
		httpMetadata: { contentType: "text/plain", cacheControl: "no-store", cacheExpiry: "1970-01-01T00:00:00.000Z" },
		customMetadata: JSON.parse('{ "who": "ada", "__proto__": "x" }'),
		storageClass: "Standard",
	});
	assert.deepEqual(said.range, { offset: 0, length: 5 });
	assert.deepEqual(said.headers, [
		["cache-control", "no-store"],
		["content-type", "text/plain"],
		["expires", "Thu, 01 Jan 1970 00:00:00 GMT"],
	]);
	assert.deepEqual([said.same, said.md5, said.none], [[true, true, true], 16, [null, null, null]]);
	assert.deepEqual(said.custom, [
		["who", "ada"],
		["__proto__", "x"],
	]);
	assert.deepEqual(said.names, ["R2Object", "R2ObjectBody"]);
	assert.match(said.again as string, /^TypeError: Body has already been used/);
});

test("all kinds of content, small and large, come back in all forms", async () => {
	await deploy("kinds", "kinds");
	const said = await run(
		"kinds",
		`const sizes = {};
		await B.put("text", "täxt");
		await B.put("buffer", new Uint8Array([1, 2, 255]).buffer);
		await B.put("view", new DataView(new Uint8Array([0, 7, 8, 9]).buffer, 1, 2));
		await B.put("blob", new Blob(["from ", "a blob"], { type: "x/y" }));
		await B.put("stream", new Blob(["from ", "a stream"]).stream());
		await B.put("json", JSON.stringify({ a: [1] }), { httpMetadata: new Headers({ "content-type": "application/json", "x-other": "1" }) });
		await B.put("nothing", null);
		const large = new Uint8Array(600_000).fill(7);
		large[599_999] = 9;
		const { size, etag } = await B.put("large", large);
		let pulled = 0;
		const slow = new ReadableStream({ pull(c) { if (pulled++ < 10) c.enqueue(new Uint8Array(50_000).fill(pulled)); else c.close(); } });
		await B.put("slow", slow);
		const json = await B.get("json");
		return [
			await (await B.get("text")).text(), [...await (await B.get("buffer")).bytes()],
			[...new Uint8Array(await (await B.get("view")).arrayBuffer())], await (await (await B.get("blob")).blob()).text(),
			await new Response((await B.get("stream")).body).text(), await json.json(), json.httpMetadata,
			await (await B.get("nothing")).text(), (await B.get("nothing")).size, size, etag,
			[(await (await B.get("large")).bytes()).at(-1), (await B.get("slow")).size, (await (await B.get("slow")).bytes())[450_000]],
			(await new Response((await B.get("large")).body).blob()).size,
			await B.put("bad", {}).catch(tell),
			await B.put("bad", new ReadableStream({ pull(c) { c.error(new Error("broke")); } })).catch(tell), await B.head("bad"),
		];`,
	);
	const large = Buffer.alloc(600_000, 7);
	large[599_999] = 9;
	assert.deepEqual(said, [
		"täxt",
		[1, 2, 255],
		[7, 8],
		"from a blob",
		"from a stream",
		{ a: [1] },
		{ contentType: "application/json" },
		"",
		0,
		600_000,
		createHash("md5").update(large).digest("hex"),
		[9, 500_000, 10],
		600_000,
		"TypeError: put: a value must be a string, an ArrayBuffer, a view, a Blob, a ReadableStream or null",
		"Error: put: the function's request body failed (10001)",
		null,
	]);
});

test("ranges give those bytes, of what is small and of what is large", async () => {
	await deploy("ranges", "ranges");
	const cases = [
		["{ offset: 2 }", "cdefgh", [2, 6]],
		["{ offset: 2, length: 3 }", "cde", [2, 3]],
		["{ length: 2 }", "ab", [0, 2]],
		["{ offset: 6, length: 100 }", "gh", [6, 2]],
		["{ suffix: 3 }", "fgh", [5, 3]],
		["{ suffix: 100 }", "abcdefgh", [0, 8]],
		['new Headers({ range: "bytes=1-3" })', "bcd", [1, 3]],
		['new Headers({ range: "bytes=-2" })', "gh", [6, 2]],
		['new Headers({ range: "bytes=5-" })', "fgh", [5, 3]],
		['new Headers({ range: "bytes=0-1,4-5" })', "abcdefgh", [0, 8]],
		['new Headers({ range: "lines=1" })', "abcdefgh", [0, 8]],
		["new Headers()", "abcdefgh", [0, 8]],
	] as const;
	const told = await run(
		"ranges",
		`await B.put("k", "abcdefgh");
		const told = [];
		for (const range of [${cases.map(([range]) => range).join(", ")}]) {
			const got = await B.get("k", { range });
			told.push([await got.text(), [got.range.offset, got.range.length]]);
		}
		return told;`,
	);
	assert.deepEqual(
		told,
		cases.map(([, text, range]) => [text, range]),
	);
	const refused = ["{ offset: 8 }", "{ offset: -1 }", "{ length: 0.5 }", "{ suffix: 1, offset: 1 }", "{ suffix: 0 }"];
	assert.deepEqual(
		await run(
			"ranges",
			`const told = [];
			for (const range of [${refused.join(", ")}]) told.push(await B.get("k", { range }).then(() => "", tell));
			return told;`,
		),
		[
			"Error: get: The requested range is not satisfiable (10039)",
			"RangeError: Invalid range. Starting offset (-1) must be greater than or equal to 0.",
			"RangeError: Invalid range. Length (0.5) must be an integer, not floating point.",
			"TypeError: Suffix is incompatible with offset.",
			"Error: get: The requested range is not satisfiable (10039)",
		],
	);
	assert.deepEqual(
		await run(
			"ranges",
			`const bytes = new Uint8Array(700_000).map((_, i) => i % 251);
			await B.put("large", bytes);
			const got = await B.get("large", { range: { offset: 299_990, length: 300_020 } });
			const part = await got.bytes();
			return [part.length, part.every((byte, i) => byte === (i + 299_990) % 251), (await B.get("large", { range: { suffix: 3 } })).range];`,
		),
		[300_020, true, { offset: 699_997, length: 3 }],
	);
});

test("conditions: what does not hold gives no body, and puts nothing", async () => {
	await deploy("conditions", "conditions");
	const etag = hash("md5", "v");
	const cases: [string, boolean][] = [
		[`{ etagMatches: "${etag}" }`, true],
		['{ etagMatches: "other" }', false],
		[`{ etagDoesNotMatch: "${etag}" }`, false],
		['{ etagDoesNotMatch: "other" }', true],
		['{ etagMatches: "*" }', true],
		["{ uploadedBefore: new Date(Date.now() + 60_000) }", true],
		["{ uploadedBefore: new Date(0) }", false],
		["{ uploadedAfter: new Date(0) }", true],
		["{ uploadedAfter: new Date(Date.now() + 60_000) }", false],
		["{ uploadedAfter: uploaded }", false],
		["{ uploadedBefore: uploaded, secondsGranularity: true }", false],
		[`{ etagMatches: "${etag}", uploadedBefore: new Date(0) }`, true],
		[`new Headers({ "if-match": '"x", "${etag}"' })`, true],
		[`new Headers({ "if-match": 'W/"${etag}"' })`, false],
		[`new Headers({ "if-none-match": 'W/"${etag}"' })`, false],
		['new Headers({ "if-none-match": "*" })', false],
		["new Headers({ 'if-modified-since': new Date(0).toUTCString() })", true],
		["new Headers({ 'if-unmodified-since': new Date(0).toUTCString() })", false],
		["new Headers({ 'if-modified-since': 'nonsense' })", true],
	];
	const told = await run(
		"conditions",
		`const { uploaded } = await B.put("k", "v");
		const told = [];
		for (const onlyIf of [${cases.map(([condition]) => condition).join(", ")}]) {
			const got = await B.get("k", { onlyIf });
			told.push([got.constructor.name, "body" in got, got.etag]);
		}
		return told;`,
	);
	assert.deepEqual(
		told,
		cases.map(([, holds]) => (holds ? ["R2ObjectBody", true, etag] : ["R2Object", false, etag])),
	);
	assert.deepEqual(
		await run(
			"conditions",
			`const told = [];
			told.push(await B.put("k", "other", { onlyIf: { etagMatches: "other" } }));
			told.push(await (await B.get("k")).text());
			told.push((await B.put("k", "next", { onlyIf: { etagMatches: "${etag}" } })).size);
			// There is nothing yet: made once.
			const once = { onlyIf: new Headers({ "if-none-match": "*" }) };
			told.push((await B.put("new", "1", once)).size, await B.put("new", "22", once), await (await B.get("new")).text());
			told.push(await B.put("none", new Uint8Array(300_000), { onlyIf: { etagMatches: "*" } }), await B.head("none"));
			told.push(await B.get("k", { onlyIf: { etagMatches: '"quoted"' } }).catch(tell));
			return told;`,
		),
		[null, "v", 4, 1, null, "1", null, null, 'TypeError: Conditional ETag should not be wrapped in quotes ("quoted").'],
	);
});

test("hashes are checked, of what is small and of what is large", async () => {
	await deploy("hashes", "hashes");
	const algorithms = ["md5", "sha1", "sha256", "sha384", "sha512"];
	const large = "x".repeat(400_000);
	const given = [
		...algorithms.map((name) => `["v", { ${name}: "${hash(name, "v")}" }]`),
		...algorithms.map((name) => `[large, { ${name}: Uint8Array.fromHex("${hash(name, large)}") }]`),
		`["v", { sha1: "${hash("sha1", "w")}" }]`,
		`[large, { sha512: "${hash("sha512", "w")}" }]`,
		`["v", { md5: "abc" }]`,
		`["v", { md5: "${hash("md5", "v")}", sha1: "${hash("sha1", "v")}" }]`,
	];
	const told = (await run(
		"hashes",
		`const large = "x".repeat(400_000);
		const told = [];
		for (const [value, options] of [${given.join(", ")}]) {
			told.push(await B.put("k", value, options).then(({ checksums }) => Object.keys(checksums.toJSON()).join(), tell));
		}
		return told;`,
	)) as string[];
	assert.deepEqual(told.slice(0, 10), [
		...["md5", "md5,sha1", "md5,sha256", "md5,sha384", "md5,sha512"],
		...["md5", "md5,sha1", "md5,sha256", "md5,sha384", "md5,sha512"],
	]);
	assert.match(
		told[10],
		/^Error: put: The SHA-1 checksum you specified did not match what we received\.\nYou provided/,
	);
	assert.match(told[10], new RegExp(`Actual SHA-1 was: ${hash("sha1", "v")} \\(10037\\)$`));
	assert.match(told[11], /^Error: put: The SHA-512 checksum .*\(10037\)$/s);
	assert.equal(told[12], "TypeError: md5 is 16 bytes, as an ArrayBuffer or in hexadecimal");
	assert.equal(told[13], "TypeError: You cannot specify multiple hashing algorithms.");
});

test("lists go by prefix, delimiter and place, a page at a time", async () => {
	await deploy("lists", "lists");
	await run(
		"lists",
		`for (const key of ["a", "a/1", "a/2", "a/b/1", "a/b/2", "a/c/1", "b", "z\\u{10ffff}", "z\\u{10ffff}x", "ä"])
			await B.put(key, "x", { customMetadata: { key }, httpMetadata: { contentType: "t/" + key.length } });`,
	);
	const cases: [string, object][] = [
		[
			"{}",
			{ keys: ["a", "a/1", "a/2", "a/b/1", "a/b/2", "a/c/1", "b", "z\u{10ffff}", "z\u{10ffff}x", "ä"], groups: [] },
		],
		['{ prefix: "a/" }', { keys: ["a/1", "a/2", "a/b/1", "a/b/2", "a/c/1"], groups: [] }],
		['{ prefix: "a/", delimiter: "/" }', { keys: ["a/1", "a/2"], groups: ["a/b/", "a/c/"] }],
		['{ delimiter: "/" }', { keys: ["a", "b", "z\u{10ffff}", "z\u{10ffff}x", "ä"], groups: ["a/"] }],
		['{ delimiter: "\\u{10ffff}" , prefix: "z" }', { keys: [], groups: ["z\u{10ffff}"] }],
		['{ prefix: "a/", startAfter: "a/2" }', { keys: ["a/b/1", "a/b/2", "a/c/1"], groups: [] }],
		['{ startAfter: "b", prefix: "a/" }', { keys: [], groups: [] }],
		['{ startAfter: "0", prefix: "b" }', { keys: ["b"], groups: [] }],
		['{ prefix: "nothing" }', { keys: [], groups: [] }],
	];
	const code = (limit: number) =>
		`const told = [];
		for (const options of [${cases.map(([options]) => options).join(", ")}]) {
			const keys = [], groups = [];
			let pages = 0;
			for (let cursor; ; ) {
				const page = await B.list({ ...options, limit: ${limit}, cursor });
				if (page.objects.length + page.delimitedPrefixes.length > ${limit}) throw new Error("more than the limit");
				keys.push(...page.objects.map(({ key }) => key));
				groups.push(...page.delimitedPrefixes);
				if (!page.truncated) break;
				cursor = page.cursor;
				if (++pages > 20) throw new Error("no end");
			}
			told.push({ keys, groups });
		}
		return told;`;
	for (const limit of [1000, 2, 1])
		assert.deepEqual(
			await run("lists", code(limit)),
			cases.map(([, expected]) => expected),
			`by ${limit}`,
		);
	assert.deepEqual(
		await run(
			"lists",
			`const all = { include: ["httpMetadata", "customMetadata"], prefix: "a/1" };
			const [one] = (await B.list(all)).objects;
			const [bare] = (await B.list({ prefix: "a/1" })).objects;
			const { cursor } = await B.list({ limit: 1 });
			const tries = [() => B.list({ limit: 0 }), () => B.list({ limit: 1001 }), () => B.list({ cursor: "nonsense" }),
				() => B.list({ cursor, prefix: "a" }), () => B.list({ include: ["nothing"] }), () => bare.writeHttpMetadata(new Headers())];
			const told = [];
			for (const one of tries) { try { await one(); told.push(""); } catch (error) { told.push(tell(error)); } }
			return [one.customMetadata, one.httpMetadata, "customMetadata" in bare && bare.customMetadata === undefined, told];`,
		),
		[
			{ key: "a/1" },
			{ contentType: "t/3" },
			true,
			[
				"Error: list: MaxKeys params must be positive integer <= 1000. (10022)",
				"Error: list: MaxKeys params must be positive integer <= 1000. (10022)",
				"Error: list: Invalid cursor: it must be one that a list of the same has given. (10029)",
				"Error: list: Invalid cursor: it must be one that a list of the same has given. (10029)",
				"TypeError: list: include has nothing, and may have httpMetadata and customMetadata",
				"TypeError: HTTP metadata unknown for key `a/1`. Did you forget to add 'httpMetadata' to `include` when listing?",
			],
		],
	);
});

test("one key is deleted, or a thousand, and names and metadata have their bounds", async () => {
	await deploy("bounds", "bounds");
	assert.deepEqual(
		await run(
			"bounds",
			`const keys = Array.from({ length: 300 }, (_, i) => "k:" + i + "\\n\\u{1f600}");
			await Promise.all(keys.map((key) => B.put(key, "x")));
			await B.delete(keys[0]);
			await B.delete("nothing");
			await B.delete([]);
			const left = (await B.list()).objects.length;
			await B.delete([...keys, ...Array.from({ length: 700 }, (_, i) => "x".repeat(1000) + i)]);
			const tries = [
				() => B.delete(Array.from({ length: 1001 }, (_, i) => "k" + i)), () => B.delete(["a", "k".repeat(1025)]),
				() => B.put("", "x"), () => B.put("k".repeat(1025), "x"), () => B.get("ü".repeat(513)),
				() => B.put("k", "x", { customMetadata: { a: "m".repeat(8192) } }), () => B.put("k", "x", { storageClass: "Cold" }),
				() => B.put("k", "x", { ssecKey: "00" }), () => B.createMultipartUpload("k", { customMetadata: { a: "m".repeat(9000) } }),
			];
			const told = [];
			for (const one of tries) told.push(await one().then(() => "none", tell));
			return [left, (await B.list()).objects.length, (await B.put("k".repeat(1024), "x", { storageClass: "InfrequentAccess" })).storageClass, told];`,
		),
		[
			299,
			0,
			"InfrequentAccess",
			[
				"TypeError: delete: up to 1000 keys may be deleted at a time",
				"Error: delete: The specified object name is not valid. (10020)",
				"Error: put: The specified object name is not valid. (10020)",
				"Error: put: The specified object name is not valid. (10020)",
				"Error: get: The specified object name is not valid. (10020)",
				"Error: put: Your metadata headers exceed the maximum allowed metadata size. (10012)",
				"Error: put: The storage class specified is not valid. (10062)",
				"TypeError: ssecKey: atoll does not encrypt objects with keys of functions",
				"Error: createMultipartUpload: Your metadata headers exceed the maximum allowed metadata size. (10012)",
			],
		],
	);
});

test("an object comes in by parts, in any order, and is read across them", async () => {
	await deploy("parts", "parts");
	const size = 5 * 2 ** 20;
	const said = (await run(
		"parts",
		`const size = ${size};
		const part = (n, length = size) => new Uint8Array(length).fill(n);
		const begun = await B.createMultipartUpload("big", { httpMetadata: { contentType: "x/big" }, customMetadata: { a: "b" } });
		const upload = B.resumeMultipartUpload("big", begun.uploadId);
		const three = await upload.uploadPart(7, part(3, 1000));
		const one = await upload.uploadPart(2, part(9));
		const again = await upload.uploadPart(2, new Blob([part(1)]).stream());
		const two = await upload.uploadPart(5, part(2));
		const unused = await upload.uploadPart(6, part(4, 10));
		const tries = [
			() => upload.complete([one, two, three]), () => upload.complete([again, two, three, unused]), () => upload.complete([]),
			() => upload.complete([again, again]), () => B.resumeMultipartUpload("other", begun.uploadId).uploadPart(1, "x"),
			() => B.resumeMultipartUpload("big", "nothing").complete([again]), () => upload.uploadPart(0, "x"),
			() => upload.uploadPart(10_001, "x"), () => upload.complete([{ partNumber: 2, etag: "no hash" }]),
		];
		const told = [];
		for (const each of tries) told.push(await each().then(() => "none", tell));
		const listed = (await B.list()).objects.length;
		const done = await upload.complete([three, again, two]);
		const late = await upload.uploadPart(1, "x").catch(tell);
		const got = await B.get("big", { range: { offset: size - 2, length: size + 4 } });
		const bytes = await got.bytes();
		const tail = await (await B.get("big", { range: { suffix: 1001 } })).bytes();
		let all = 0;
		for await (const chunk of (await B.get("big")).body) all += chunk.length;
		const aborted = await B.createMultipartUpload("gone");
		await aborted.uploadPart(1, "x");
		await aborted.abort();
		const after = await aborted.uploadPart(2, "x").catch(tell);
		return {
			told, listed, done, late, after, all, parts: [three.partNumber, one.etag !== again.etag],
			ends: [bytes.length, bytes[0], bytes[1], bytes[2], bytes[size + 1], bytes[size + 2], bytes[size + 3]], tail: [tail[0], tail[1], tail.length],
			gone: await B.head("gone"), custom: (await B.head("big")).customMetadata,
		};`,
	)) as Record<string, unknown> & { done: Record<string, unknown> };
	assert.deepEqual(said.told, [
		"Error: completeMultipartUpload: One or more of the specified parts could not be found. (10025)",
		"Error: completeMultipartUpload: Your proposed upload is smaller than the minimum allowed object size. (10011)",
		"Error: completeMultipartUpload: One or more of the specified parts could not be found. (10025)",
		"Error: completeMultipartUpload: We encountered an internal error. Please try again. (10001)",
		"Error: uploadPart: The specified multipart upload does not exist. (10024)",
		"Error: completeMultipartUpload: The specified multipart upload does not exist. (10024)",
		"TypeError: Part number must be between 1 and 10000 (inclusive). Actual value was: 0",
		"TypeError: Part number must be between 1 and 10000 (inclusive). Actual value was: 10001",
		"Error: completeMultipartUpload: One or more of the specified parts could not be found. (10025)",
	]);
	const md5 = (bytes: Buffer) => createHash("md5").update(bytes).digest();
	const etags = [Buffer.alloc(size, 1), Buffer.alloc(size, 2), Buffer.alloc(1000, 3)].map(md5);
	assert.equal(said.done.etag, `${md5(Buffer.concat(etags)).toString("hex")}-3`);
	assert.deepEqual([said.done.size, said.done.httpMetadata], [2 * size + 1000, { contentType: "x/big" }]);
	assert.deepEqual([said.listed, said.parts, said.custom, said.gone], [0, [7, true], { a: "b" }, null]);
	assert.match(said.late as string, /10024/);
	assert.match(said.after as string, /10024/);
	assert.equal(said.all, 2 * size + 1000);
	assert.deepEqual(said.ends, [size + 4, 1, 1, 2, 2, 3, 3]);
	assert.deepEqual(said.tail, [2, 3, 1001]);
});

test("a tenant stores as much as it may, and what it removes makes room", async () => {
	await deploy("full", "full", "full");
	const said = (await run(
		"full",
		`const ten = new Uint8Array(10 * 2 ** 20);
		const told = [];
		for (let i = 0; i < 7; i++) told.push(await B.put("k" + i, ten).then(() => "", tell));
		await B.delete(["k0", "k1", "k2"]);
		told.push(await B.put("new", ten).then(() => "", tell));
		for (let i = 0; i < 7; i++) await B.put("same", ten);
		const upload = await B.createMultipartUpload("parts");
		await upload.uploadPart(1, ten);
		told.push(await upload.uploadPart(2, ten).then(() => "", tell));
		await upload.abort();
		told.push((await B.put("last", new Uint8Array(2 ** 20))).size);
		return told;`,
	)) as string[];
	assert.deepEqual(said.slice(0, 5), ["", "", "", "", ""]);
	for (const one of [said[5], said[6], said[8]]) assert.match(one, /\(100100\)$/);
	assert.deepEqual([said[7], said[9]], ["", 2 ** 20]);
});

test("tenants with a bucket of one name have one each, and nobody else's uploads", async () => {
	await deploy("ours", "shared", "ours");
	await deploy("theirs", "shared", "theirs");
	const id = await run("ours", `await B.put("k", "ours"); return (await B.createMultipartUpload("up")).uploadId;`);
	assert.deepEqual(
		await run(
			"theirs",
			`const upload = B.resumeMultipartUpload("up", ${JSON.stringify(id)});
			return [await B.head("k"), (await B.list()).objects.length, await upload.uploadPart(1, "x").catch(tell), await upload.abort().catch(tell)];`,
		),
		[
			null,
			0,
			"Error: uploadPart: The specified multipart upload does not exist. (10024)",
			"Error: abortMultipartUpload: The specified multipart upload does not exist. (10024)",
		],
	);
	assert.equal(await run("ours", `return await (await B.get("k")).text();`), "ours");
});

test("what is read is whole, also where it is replaced or removed meanwhile", async () => {
	await deploy("reading", "reading");
	assert.deepEqual(
		await run(
			"reading",
			`await B.put("k", new Uint8Array(2 ** 20).fill(1));
			const reader = (await B.get("k")).body.getReader();
			let first = (await reader.read()).value;
			await B.put("k", new Uint8Array(2 ** 20).fill(2));
			await B.delete("k");
			let all = first.length, same = true;
			for (;;) {
				const { done, value } = await reader.read();
				if (done) break;
				all += value.length;
				same &&= value.every((byte) => byte === 1);
			}
			return [all, same, await B.head("k")];`,
		),
		[2 ** 20, true, null],
	);
});

test("what is no bucket's name is refused when it is deployed", async () => {
	await assert.rejects(deploy("named", "No"), /bindings\.B: bucket: must have 3 to 63 lower-case letters/);
});
