import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	followedOf,
	newSpanId,
	newTraceId,
	parseTraceparent,
	parseTracestate,
	readTrace,
	traceIn,
	traceparentOf,
	withTrace,
	writtenTrace,
} from "../../src/observe/trace-context.ts";
import { isSampled } from "../../src/observe/tracer.ts";

const hex = (length: number) =>
	fc
		.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length })
		.filter((text) => /[^0]/.test(text));
const place = fc.record(
	{
		traceId: hex(32),
		spanId: hex(16),
		sampled: fc.boolean(),
		state: fc.constantFrom("", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
	},
	{ noNullPrototype: true },
);

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

test("what is said of a place is read as it was", () => {
	fc.assert(
		fc.property(place, (trace) => {
			const headers = withTrace(["accept", "*/*"], trace, null);
			assert.deepEqual(traceIn(headers), trace);
			assert.equal(traceparentOf(trace).length, 55);
		}),
	);
});

test("whatever is no traceparent begins no trace, and nothing throws", () => {
	const rest = "-00f067aa0ba902b7-01";
	for (const text of [
		"",
		`ff-${TRACE}${rest}`,
		`00-${TRACE.toUpperCase()}${rest}`,
		`00-${"0".repeat(32)}${rest}`,
		`00-${TRACE}-${"0".repeat(16)}-01`,
		`00-${TRACE}${rest}-more`,
		`00-${TRACE}${rest}.`,
		`01-${TRACE}${rest}.more`,
		`00-${TRACE}-00f067aa0ba902b7-0`,
		`00-${TRACE}-00f067aa0ba902b7-0x`,
		` 00-${TRACE}${rest}`,
		`00-${TRACE}${rest}, 00-${TRACE}${rest}`,
	])
		assert.equal(parseTraceparent(text), null, text);
	fc.assert(
		fc.property(fc.string({ maxLength: 100 }), (text) => {
			const parsed = parseTraceparent(text);
			if (parsed !== null) assert.ok(text.includes(parsed.traceId));
		}),
	);
});

test("a version to come is read as far as it is known", () => {
	const expected = { traceId: TRACE, spanId: SPAN, sampled: true };
	assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-03-what.is.to.come`), expected);
	assert.deepEqual(parseTraceparent(`01-${TRACE}-${SPAN}-01`), expected);
	assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-02`)?.sampled, false);
});

test("two traceparents are as good as none", () => {
	const one = traceparentOf({ traceId: TRACE, spanId: SPAN, sampled: true, state: "" });
	assert.equal(traceIn(["traceparent", one, "traceparent", one]), null);
});

test("a tracestate is handed on, unless it is malformed, repeats itself or is too long", () => {
	assert.equal(
		parseTracestate("congo=t61rcWkgMzE , , rojo=00f067aa0ba902b7\t"),
		"congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
	);
	assert.equal(parseTracestate("fw529a3039@dt=FfwAAAAA"), "fw529a3039@dt=FfwAAAAA");
	assert.equal(parseTracestate(""), "");
	for (const text of ["Congo=1", "congo", "=1", "a=1,a=2", "a=", "a=x=y", "a=é", "@a=1", `a=${"x".repeat(600)}`])
		assert.equal(parseTracestate(text), "", text);
	const many = Array.from({ length: 33 }, (_, i) => `k${i}=1`).join();
	assert.equal(parseTracestate(many), "");
	const state = ["traceparent", `00-${TRACE}-${SPAN}-01`, "tracestate", "a=1", "tracestate", "b=2"];
	assert.equal(traceIn(state)?.state, "a=1,b=2");
});

test("a trace that is kept is read as it was, and what is none as none", () => {
	const trace = { traceId: TRACE, spanId: SPAN, sampled: true, state: "a=1,b=2" };
	for (const one of [trace, { ...trace, state: "" }, { ...trace, sampled: false }])
		assert.deepEqual(readTrace(writtenTrace(one)), one);
	for (const none of [null, "", "00-what", ` ${writtenTrace(trace)}`]) assert.equal(readTrace(none), null);
});

test("what follows on several things of one trace goes on from the first, and of several begins its own", () => {
	const at = (traceId: string) => ({ traceId, spanId: newSpanId(), sampled: true, state: "" });
	const [first, second, other] = [at(TRACE), at(TRACE), at(newTraceId())];
	assert.deepEqual(followedOf([]), { parent: null, links: [] });
	assert.deepEqual(followedOf([null]), { parent: null, links: [] });
	assert.deepEqual(followedOf([first]), { parent: first, links: [] });
	assert.deepEqual(followedOf([first, { ...first }]), { parent: first, links: [] });
	assert.deepEqual(followedOf([first, second, first]), { parent: first, links: [second] });
	assert.deepEqual(followedOf([first, other, first]), { parent: null, links: [first, other] });
	assert.deepEqual(followedOf([first, null]), { parent: null, links: [first] });
});

test("what a function says of a trace counts, but not what it only hands on", () => {
	const came = { traceId: TRACE, spanId: SPAN, sampled: true, state: "a=1" };
	const call = { ...came, spanId: newSpanId() };
	const handedOn = ["traceparent", traceparentOf(came), "tracestate", "a=1", "x", "y"];
	assert.deepEqual(withTrace(handedOn, call, came), [
		"x",
		"y",
		"traceparent",
		traceparentOf(call),
		"tracestate",
		"a=1",
	]);
	const own = ["traceparent", traceparentOf({ ...came, spanId: newSpanId() })];
	assert.deepEqual(withTrace(own, call, came), own);
	assert.deepEqual(withTrace(handedOn, call, null), handedOn);
	// The state belongs to the header beside it.
	assert.deepEqual(withTrace(["tracestate", "b=2"], { ...call, state: "" }, null), [
		"traceparent",
		traceparentOf(call),
	]);
});

test("ids are as long as they are to be, and none comes twice", () => {
	const ids = Array.from({ length: 500 }, () => [newTraceId(), newSpanId()]).flat();
	for (const id of ids) assert.match(id, /^(?:[0-9a-f]{16}|[0-9a-f]{32})$/);
	assert.equal(new Set(ids).size, ids.length);
});

test("a share of traces is recorded, and with a larger one all of these are", () => {
	const ids = Array.from({ length: 20_000 }, newTraceId);
	const recorded = ids.filter((id) => isSampled(id, 0.1));
	// Ten standard deviations.
	assert.ok(Math.abs(recorded.length - 2000) < 430, String(recorded.length));
	assert.ok(recorded.every((id) => isSampled(id, 0.11)));
	assert.equal(ids.filter((id) => isSampled(id, 0)).length, 0);
	assert.equal(ids.filter((id) => isSampled(id, 1)).length, ids.length);
});
