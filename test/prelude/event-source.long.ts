import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Listening } from "../support/listening.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

/** Collects the events of a source until `count` of them are there. */
const COLLECTS = `
const collect = (source, count, types = ["message"]) => new Promise((resolve) => {
	const seen = [];
	const take = (event) => {
		seen.push(event.type === "open" || event.type === "error" ? event.type + source.readyState : [event.type, event.data, event.lastEventId]);
		if (seen.length === count) { resolve(seen); source.close(); }
	};
	for (const type of ["open", "error", ...types]) source.addEventListener(type, take);
});
`;

inBothIsolations("EventSource", (isolation) => {
	const atoll = new TestRuntime({ isolation, egress: { allow: ["127.0.0.1"] } });
	let origin: Listening;
	const beacons: string[] = [];
	before(async () => {
		let connections = 0;
		origin = await Listening.on(async (req, res) => {
			if (req.url === "/plain") return void res.end("no events");
			if (req.url === "/beacon") {
				let body = "";
				for await (const chunk of req) body += String(chunk);
				beacons.push(`${req.method} ${body}`);
				return void res.end();
			}
			connections++;
			res.writeHead(200, { "content-type": "text/event-stream;charset=utf-8" });
			res.end(
				`retry: 1\nid: ${connections}\ndata: ${req.headers.accept} ${req.headers["last-event-id"] ?? "none"}\n\n`,
			);
		});
	});
	after(() => origin[Symbol.asyncDispose]());

	test("reads the events of a stream, however it is cut", async () => {
		await atoll.deploy(
			"streams",
			`${COLLECTS}
			const TEXT = "\\ufeff: comment\\ndata: one\\r\\ndata:two\\r\\n\\r\\nevent: named\\rdata:  ä\\rid: 7\\r\\revent: nothing\\n\\ndata\\n\\nother: x\\nid\\ndata:y\\n\\ndata: unfinished";
			export default { async fetch(request) {
				const size = Number(new URL(request.url).searchParams.get("size"));
				const bytes = new TextEncoder().encode(TEXT);
				const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
				const source = EventSource.from(ReadableStream.from(pieces));
				const seen = await collect(source, 6, ["message", "named", "nothing"]);
				return Response.json([seen, source.readyState, source.url]);
			} };`,
		);
		for (const size of [1000, 3, 1])
			assert.deepEqual(JSON.parse(await atoll.text("streams", `/?size=${size}`)), [
				[
					"open1",
					["message", "one\ntwo", ""],
					["named", " ä", "7"],
					["message", "", "7"],
					["message", "y", ""],
					"error2",
				],
				2,
				null,
			]);
	});

	test("connects anew where a response ends, and says which event was the last", async () => {
		await atoll.deploy(
			"connects",
			`${COLLECTS}
			export default { async fetch() {
				const source = new EventSource("${origin.origin}/events");
				const before = [source.readyState, source.url, source.withCredentials];
				return Response.json([before, await collect(source, 5), source.readyState]);
			} };`,
		);
		const [started, seen, state] = JSON.parse(await atoll.text("connects")) as [
			unknown,
			[string, string, string][],
			number,
		];
		assert.deepEqual(started, [0, `${origin.origin}/events`, false]);
		const id = Number(seen[1][2]);
		assert.deepEqual(seen, [
			"open1",
			["message", "text/event-stream none", String(id)],
			"error0",
			"open1",
			["message", `text/event-stream ${id}`, String(id + 1)],
		]);
		assert.equal(state, 2);
	});

	test("what is no event stream fails it; a fetcher stands in for fetch", async () => {
		await atoll.deploy(
			"fetchers",
			`${COLLECTS}
			export default { async fetch() {
				const events = () => new Response("data: from a fetcher\\n\\n", { headers: { "content-type": "text/event-stream" } });
				const plain = new EventSource("${origin.origin}/plain");
				const handled = new Promise((resolve) => { plain.onerror = (event) => resolve([event.type, plain.readyState]); });
				const fetched = new EventSource("http://any.test/", { fetcher: { fetch: async () => events() } });
				const refused = ["/relative", ""].map((url) => { try { new EventSource(url); } catch (error) { return error.name; } });
				return Response.json([await handled, await collect(fetched, 2), refused, [EventSource.CONNECTING, EventSource.OPEN, EventSource.CLOSED]]);
			} };`,
		);
		assert.deepEqual(JSON.parse(await atoll.text("fetchers")), [
			["error", 2],
			["open1", ["message", "from a fetcher", ""]],
			["SyntaxError", "SyntaxError"],
			[0, 1, 2],
		]);
	});

	test("a beacon is sent after the response, and nobody hears of its failure", async () => {
		beacons.length = 0;
		await atoll.deploy(
			"beacon",
			`export default { fetch() {
				const sent = [navigator.sendBeacon("${origin.origin}/beacon", "seen"), navigator.sendBeacon("http://127.0.0.1:1/")];
				return Response.json(sent);
			} };`,
		);
		assert.deepEqual(JSON.parse(await atoll.text("beacon")), [true, true]);
		assert.equal((await atoll.record("beacon")).outcome, "ok");
		assert.deepEqual(beacons, ["POST seen"]);
	});
});
