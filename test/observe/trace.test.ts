import assert from "node:assert/strict";
import { test } from "node:test";
import { type LogLine, newRecord } from "../../src/observe/record.ts";
import { MOST_EVENTS, MOST_LINKS, MOST_SPANS, Trace, type TracedCall } from "../../src/observe/trace.ts";
import { newSpanId, newTraceId, type TraceContext } from "../../src/observe/trace-context.ts";
import { Tracer } from "../../src/observe/tracer.ts";

const own = () => ({ traceId: newTraceId(), spanId: newSpanId() });
/** What begins a trace follows nothing. */
const ALONE = { parent: null, links: [] };
const CALL: TracedCall = { type: "kv", name: "STORE", operation: "get", target: "KV get", http: null };

function recordOf({ traceId, spanId }: ReturnType<typeof own>) {
	const record = newRecord("r", "http", "http");
	const url = "http://shop.test/a?b=1&sig=secret";
	return Object.assign(record, { traceId, spanId, function: "shop", tenant: "acme", method: "GET", url, status: 200 });
}

function line(message: string): LogLine {
	return { time: "", level: "log", tenant: "acme", function: "shop", version: "v", requestId: "r", message };
}

test("an invocation's calls and lines are its spans and events", () => {
	const ids = own();
	const parent = { traceId: ids.traceId, spanId: newSpanId(), sampled: true, state: "a=1" };
	const trace = new Trace(ids, { parent, links: [] });
	trace.attempt();
	trace.coldStart(3);
	const call = trace.call(CALL);
	call?.end();
	const url = "https://user:pass@api.test/x?Signature=abc&y=2";
	const fetched = trace.call({
		type: "fetch",
		name: "",
		operation: "",
		target: "api.test",
		http: { method: "GET", url },
	});
	fetched?.status(503);
	trace.line(line("hello"));
	trace.exception(line("TypeError: no such thing\n    at shop.ts:3:1"));
	trace.end();
	const [root, cold, kv, get] = trace.finish(recordOf(ids));
	assert.equal(root.name, "GET shop");
	assert.equal(root.parentSpanId, parent.spanId);
	assert.equal(root.state, "a=1");
	assert.equal(root.attributes["url.query"], "b=1&sig=REDACTED");
	assert.deepEqual(
		root.events.map(({ name, attributes }) => [name, attributes["exception.type"] ?? attributes["atoll.log.message"]]),
		[
			["log", "hello"],
			["exception", "TypeError"],
		],
	);
	assert.equal(root.events[1].attributes["exception.message"], "no such thing");
	assert.deepEqual([cold.name, cold.kind, kv.name, get.name], ["cold start", "internal", "kv get", "GET"]);
	for (const span of [cold, kv, get]) {
		assert.equal(span.parentSpanId, ids.spanId);
		assert.ok(span.start >= root.start - 1 && span.end <= root.end && span.start <= span.end);
	}
	assert.equal(get.attributes["url.full"], "https://REDACTED:REDACTED@api.test/x?Signature=REDACTED&y=2");
	assert.equal(get.error, "");
	assert.equal(get.attributes["atoll.unfinished"], true);
	assert.equal(kv.attributes["atoll.unfinished"], undefined);
});

test("however much a function does, what is told of it is bounded, and what was left out is counted", () => {
	const ids = own();
	const trace = new Trace(ids, ALONE);
	for (let i = 0; i < 1000; i++) trace.call(CALL);
	for (let i = 0; i < 1000; i++) trace.line(line("x".repeat(100)));
	const spans = trace.finish(recordOf(ids));
	assert.equal(spans.length, MOST_SPANS);
	assert.equal(spans[0].attributes["atoll.dropped_spans"], 1000 - (MOST_SPANS - 1));
	assert.equal(spans[0].events.length, MOST_EVENTS);
	assert.equal(spans[0].droppedEvents, 1000 - MOST_EVENTS);
});

test("what has led to it beside its parent is linked, so much of it as there is room for", () => {
	const place = (): TraceContext => ({ ...own(), sampled: true, state: "a=1" });
	const places = Array.from({ length: MOST_LINKS + 5 }, place);
	const ids = own();
	const [root] = new Trace(ids, { parent: null, links: places }).finish(recordOf(ids));
	assert.equal(root.parentSpanId, "");
	assert.equal(root.links?.length, MOST_LINKS);
	const { traceId, spanId } = places[0];
	assert.deepEqual(root.links[0], { traceId, spanId, sampled: true });
	assert.equal(root.droppedLinks, 5);
	assert.equal("links" in new Trace(ids, ALONE).finish(recordOf(ids))[0], false);
});

test("however long its texts are, so are they", () => {
	const ids = own();
	const trace = new Trace(ids, ALONE);
	const long = "y".repeat(1_000_000);
	for (let i = 0; i < 100; i++) {
		trace.call({ ...CALL, http: { method: long, url: `http://a.test/${long}` } });
		trace.line(line(long));
		trace.exception(line(`Error: ${long}`));
	}
	const record = Object.assign(recordOf(ids), { url: `http://a.test/${long}?${long}`, method: long });
	assert.ok(JSON.stringify(trace.finish(record)).length < 80_000);
});

test("nothing is recorded where nobody asks for spans; else what the parent says, or the share", () => {
	const ids = { ...own(), tenant: "acme" };
	const begun = (tracer: Tracer, parent: TraceContext | null) =>
		tracer.begin({ ...own(), tenant: "acme" }, { parent, links: [] }) !== null;
	const sampled = { ...ids, sampled: true, state: "" };
	const tracer = new Tracer();
	assert.equal(begun(tracer, sampled), false);
	const rest = { admits: () => true, onSpans: () => undefined };
	tracer.tracing = { sample: 0, parent: true, ...rest };
	assert.equal(begun(tracer, sampled), true);
	assert.equal(begun(tracer, null), false);
	tracer.tracing.sample = 1;
	assert.equal(begun(tracer, { ...sampled, sampled: false }), false);
	assert.equal(begun(tracer, null), true);
	tracer.tracing = { sample: 0, parent: false, ...rest };
	assert.equal(begun(tracer, sampled), false);
	tracer.tracing = { sample: 1, parent: true, ...rest, admits: (tenant) => tenant !== "acme" };
	assert.equal(begun(tracer, sampled), false);
});
