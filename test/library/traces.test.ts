import assert from "node:assert/strict";
import { before, test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline" });
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

before(async () => {
	await atoll.deploy("inner", "export default { fetch: (r) => new Response(r.headers.get('traceparent')) };");
	await atoll.deploy("outer", "export default { fetch: () => fetch('http://inner.test/') };");
	await atoll.deploy("hears", "export default { event() {} };");
});

test("without an exporter a request's trace is handed on as it came, and records name it", async () => {
	assert.equal(await atoll.text("outer", "/", { headers: { traceparent: TRACEPARENT } }), TRACEPARENT);
	const [outer, inner] = [await atoll.record("outer"), await atoll.record("inner")];
	assert.deepEqual([outer.traceId, inner.traceId], [TRACE, TRACE]);
	assert.notEqual(outer.spanId, inner.spanId);
});

test("one that comes without begins a trace, which nobody records", async () => {
	const told = await atoll.text("outer");
	const [outer, inner] = [await atoll.record("outer", 1), await atoll.record("inner", 1)];
	assert.equal(told, `00-${outer.traceId}-${outer.spanId}-00`);
	assert.equal(inner.traceId, outer.traceId);
	assert.notEqual(outer.traceId, TRACE);
});

test("an event goes on with the trace that it names", async () => {
	const attributes = { specversion: "1.0", id: "1", source: "/here", type: "there", traceparent: TRACEPARENT } as const;
	await atoll.runtime.dispatch({ name: "hears" }, { type: "event", attributes, attempts: 1 });
	assert.equal((await atoll.record("hears")).traceId, TRACE);
	const malformed = { ...attributes, traceparent: "00-what" };
	await atoll.runtime.dispatch({ name: "hears" }, { type: "event", attributes: malformed, attempts: 1 });
	assert.match((await atoll.record("hears", 1)).traceId, /^[0-9a-f]{32}$/);
});

const SENDS = `export default { async fetch(request, { QUEUE, KV }) {
	const { pathname } = new URL(request.url);
	if (pathname === "/store") await KV.put("key", "value");
	else await QUEUE.send(pathname, { delaySeconds: 0 });
	return new Response("sent");
} };`;
const TAKES = `export default {
	queue({ messages }) { if (messages.length < 2 && messages[0].body === "/wait") throw new Error("alone"); },
	storage() {},
};`;
const OTHER = `00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`;

test("what takes a function's message, or hears of what it stores, goes on with its trace", async () => {
	await atoll.deploy("sends", SENDS, {
		bindings: { QUEUE: { type: "queue", queue: "sent" }, KV: { type: "kv", id: "stored" } },
	});
	await atoll.deploy("takes", TAKES, {
		triggers: { queues: [{ queue: "sent", maxBatchTimeout: 0 }], storage: [{ kv: "stored" }] },
	});
	await atoll.text("sends", "/one", { headers: { traceparent: TRACEPARENT } });
	const taken = await atoll.record("takes");
	assert.deepEqual([taken.event, taken.traceId], ["queue", TRACE]);
	await atoll.text("sends", "/store", { headers: { traceparent: TRACEPARENT } });
	const heard = await atoll.record("takes", 1);
	assert.deepEqual([heard.event, heard.traceId], ["storage", TRACE]);
	// One that comes without a trace begins one, with which the message goes on.
	await atoll.text("sends", "/two");
	assert.equal((await atoll.record("takes", 2)).traceId, (await atoll.record("sends", 2)).traceId);
});

test("a batch of messages from several traces begins its own", async () => {
	const bindings = { QUEUE: { type: "queue", queue: "batched" } };
	await atoll.deploy("fills", SENDS, { bindings });
	for (const traceparent of [TRACEPARENT, OTHER]) await atoll.text("fills", "/wait", { headers: { traceparent } });
	await atoll.deploy("empties", TAKES, { triggers: { queues: [{ queue: "batched", maxBatchTimeout: 0 }] } });
	const { traceId, outcome } = await atoll.record("empties");
	assert.equal(outcome, "ok");
	assert.ok(!TRACEPARENT.includes(traceId) && !OTHER.includes(traceId));
	assert.match(traceId, /^[0-9a-f]{32}$/);
});

test("a request that no function gets names its trace in the record, where it has one", async () => {
	await atoll.runtime.fetch("http://nobody.test/", { headers: { traceparent: TRACEPARENT } });
	await atoll.runtime.fetch("http://nobody.test/");
	const refused = atoll.records.filter((record) => record.hostname === "nobody.test");
	assert.deepEqual(
		refused.map(({ traceId, spanId }) => [traceId, spanId]),
		[
			[TRACE, ""],
			["", ""],
		],
	);
});
