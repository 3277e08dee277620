import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ResponseHead } from "../../src/link/messages.ts";
import { HttpServer } from "../../src/server/http-server.ts";
import { sendableHead } from "../../src/server/response-head.ts";
import { exchange, statusOf } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";

/** What an isolate may say, whose prelude the function has made say anything. */
const head = (given: object) => ({ status: 200, statusText: "", headers: [], body: "none", ...given }) as ResponseHead;
const sent = (given: object, method = "GET") => sendableHead(head(given), { method, requestId: "id" }).headers.slice(2);

describe("the head of a response", () => {
	test("has names in lower case, and none of the platform's or of one connection, whatever their case", () => {
		const headers = [
			"X-Own",
			"1",
			"X-Atoll-Error",
			"fake",
			"x-ATOLL-request-id",
			"fake",
			"Transfer-Encoding",
			"chunked",
		];
		for (const name of [
			"Connection",
			"KEEP-ALIVE",
			"Upgrade",
			"Trailer",
			"TE",
			"Proxy-Connection",
			"Proxy-Authenticate",
		])
			headers.push(name, "x");
		assert.deepEqual(sent({ headers }), ["x-own", "1"]);
		assert.deepEqual(sent({ headers, status: 101, socket: 1 }), ["x-own", "1"]);
	});

	test("says at most once how long the body is, and only where nobody counts it", () => {
		const given = (...lengths: string[]) =>
			lengths.flatMap((length, i) => [i % 2 ? "content-length" : "Content-Length", length]);
		const length = (given: object, method?: string) => sent(given, method).join(" ");
		assert.equal(length({ headers: given("5"), body: "stream" }), "content-length 5");
		assert.equal(length({ headers: given("5", "5"), body: "stream" }), "content-length 5");
		for (const lengths of [
			["5", "6"],
			["5", "6", "5"],
			["5, 5"],
			["-1"],
			["+5"],
			["0x5"],
			[""],
			["1e3"],
			["9".repeat(16)],
		])
			assert.equal(length({ headers: given(...lengths), body: "stream" }), "", lengths.join(" and "));
		assert.equal(length({ headers: given("5"), body: "whole" }), "");
		assert.equal(length({ headers: given("5") }), "");
		assert.equal(length({ headers: given("5") }, "HEAD"), "content-length 5");
		assert.equal(length({ headers: given("5"), status: 304 }), "content-length 5");
		assert.equal(length({ headers: given("5"), status: 204 }), "");
		assert.equal(length({ headers: given("5"), status: 101, socket: 1 }), "");
	});

	for (const [what, given] of Object.entries({
		"a line feed in a value": { headers: ["x", "a\r\nset-cookie: b"] },
		"a NUL in a value": { headers: ["x", "a\0b"] },
		"a letter beyond latin1 in a value": { headers: ["x", "\u0100"] },
		"a value that is no text": { headers: ["x", 1] },
		"a value that is missing": { headers: ["x"] },
		"a name that is no text": { headers: [["x"], "1"] },
		"a line feed in a name": { headers: ["x: 1\r\ny", "1"] },
		"a colon in a name": { headers: ["x:", "1"] },
		"a space in a name": { headers: ["content-length ", "1"] },
		"an empty name": { headers: ["", "1"] },
		"a letter that becomes another one in lower case": { headers: ["\u212aeep-alive", "1"] },
		"headers that are none": { headers: { length: 2, 0: "x", 1: "1" } },
		"a line feed in the status text": { statusText: "OK\r\nx: 1" },
		"a status text that is none": { statusText: {} },
		"a status that is text": { status: "200" },
		"a status that is informational": { status: 100 },
		"a status that is none": { status: 600 },
		"a switch to nothing": { status: 101 },
		"a body of an unknown kind": { body: "both" },
		"a 204 with a body": { status: 204, body: "whole" },
		"a 304 with a body": { status: 304, body: "stream" },
		"a 101 with a line feed in a value": { status: 101, socket: 1, headers: ["x", "a\r\nb: c"] },
	}))
		test(`is refused with ${what}`, () => assert.throws(() => sent(given)));
});

describe("responses on the wire, and within the process", () => {
	const atoll = new TestRuntime({ isolation: "inline" });
	let server: HttpServer;
	let port: number;
	before(async () => {
		server = new HttpServer(atoll.runtime);
		({ port } = await server.listen(0, "127.0.0.1"));
		await atoll.deploy(
			"sized",
			`const stream = (size) => new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(size)); c.close(); } });
			export default { fetch(r) {
				const { pathname, searchParams } = new URL(r.url);
				const headers = searchParams.has("length") ? { "content-length": searchParams.get("length") } : {};
				if (pathname === "/whole") return new Response("12345", { headers });
				if (pathname === "/stream") return new Response(stream(5), { headers });
				return new Response(null, { status: Number(pathname.slice(1)), headers });
			} };`,
		);
		await atoll.deploy(
			"asks",
			`export default { async fetch(r) {
				const response = await fetch("http://sized.test" + new URL(r.url).pathname + "?length=7", { method: r.method });
				return Response.json({ length: response.headers.get("content-length"), body: await response.text().catch(() => "broken") });
			} };`,
		);
	});
	after(() => server.close());

	const get = (path: string, method = "GET") =>
		exchange(port, `${method} ${path} HTTP/1.1\r\nHost: sized.test\r\nConnection: close\r\n\r\n`);
	const lengths = (text: string) => [...text.matchAll(/^content-length: (.*)\r$/gim)].map(([, length]) => length);

	test("a body is as long as its head says, or breaks off", async () => {
		assert.deepEqual(lengths(await get("/whole?length=3")), ["5"]);
		assert.deepEqual(lengths(await get("/200?length=3")), ["0"]);
		assert.deepEqual(lengths(await get("/204?length=3")), []);
		assert.deepEqual(lengths(await get("/304?length=3")), ["3"]);
		assert.deepEqual(lengths(await get("/stream?length=5")), ["5"]);
		const short = await get("/stream?length=3");
		assert.equal(statusOf(short), 200);
		assert.doesNotMatch(short, /\0/, "nothing of a body that is too long");
	});

	test("HEAD gets no body, and what its length would be", async () => {
		for (const [path, length] of [
			["/whole", ["5"]],
			["/whole?length=3", ["5"]],
			["/200?length=3", ["3"]],
			["/stream?length=9", ["9"]],
		] as const) {
			const text = await get(path, "HEAD");
			assert.deepEqual(lengths(text), length, path);
			assert.ok(text.endsWith("\r\n\r\n"), path);
			const response = await atoll.fetch("sized", path, { method: "HEAD" });
			assert.equal(response.headers.get("content-length"), length[0], path);
			assert.equal(response.body, null);
		}
	});

	test("what other functions and the library get is held to the same", async () => {
		const ask = async (path: string) => JSON.parse(await atoll.text("asks", path)) as object;
		assert.deepEqual(await ask("/whole"), { length: null, body: "12345" });
		assert.deepEqual(await ask("/stream"), { length: "7", body: "broken" });
		assert.equal(await atoll.text("sized", "/whole?length=3"), "12345");
		await assert.rejects(atoll.text("sized", "/stream?length=7"));
		await assert.rejects(atoll.text("sized", "/stream?length=3"));
	});
});
