import assert from "node:assert/strict";
import { test } from "node:test";
import type { Follower } from "../../src/edge/follower.ts";
import { SpanStream } from "../../src/edge/span-stream.ts";
import { newRecord } from "../../src/observe/record.ts";
import type { Span } from "../../src/observe/span.ts";
import { newSpanId, newTraceId } from "../../src/observe/trace-context.ts";
import { Tracer } from "../../src/observe/tracer.ts";
import type { Runtime } from "../../src/runtime.ts";
import { until } from "../support/until.ts";

/** A stream whose control takes what it is told, or does not. */
function streamOf() {
	const told: { spans: Span[]; count: number; dropped: number }[] = [];
	const tracer = new Tracer();
	const follower = {
		takes: true,
		spans: ({ batch, ...rest }: { batch: string; count: number; dropped: number }) =>
			told.push({ ...rest, spans: batch === "" ? [] : JSON.parse(batch) }),
	};
	const otlp = { headers: {}, traces: true, metrics: false, intervalMs: 1000 };
	const config = { otlp, traces: { sample: 1, parent: true } };
	const stream = new SpanStream({ tracer } as Runtime, follower as unknown as Follower, config);
	/** An invocation of a tenant that logs so much; whether it was recorded. */
	const invoke = (tenant: string, letters = 100): boolean => {
		const record = Object.assign(newRecord("r", "http", "http"), {
			tenant,
			traceId: newTraceId(),
			spanId: newSpanId(),
		});
		record.url = "http://a.test/";
		const trace = tracer.begin(record, { parent: null, links: [] });
		if (trace === null) return false;
		for (let left = letters; left > 0; left -= 1000)
			trace.line({
				...{ time: "", level: "log", tenant, function: "f", version: "v" },
				requestId: "r",
				message: "x".repeat(1000),
			});
		trace.end();
		tracer.finish(trace, record);
		return true;
	};
	return { told, follower, stream, invoke, tracer };
}

test("spans are told together", async () => {
	const { told, stream, invoke } = streamOf();
	for (let i = 0; i < 10; i++) invoke("acme");
	await until(() => told.length > 0);
	assert.deepEqual([told.length, told[0].count, told[0].spans.length, told[0].dropped], [1, 10, 10, 0]);
	stream.close();
});

test("a tenant that has had its share has nothing recorded until the next time, and its neighbours do", async () => {
	const { told, stream, invoke } = streamOf();
	let recorded = 0;
	for (let i = 0; i < 100; i++) if (invoke("greedy", 40_000)) recorded++;
	assert.ok(recorded < 10);
	assert.ok(invoke("modest"));
	await until(() => told.length > 0);
	assert.equal(told[0].count + told[0].dropped, 101);
	assert.ok(told[0].count < 5);
	assert.ok(invoke("greedy"));
	stream.close();
	assert.deepEqual([told[1].count, told[1].dropped], [1, 0]);
});

test("what control does not take is kept as far as there is room, and dropped with a count beyond it", async () => {
	const { told, follower, stream, invoke } = streamOf();
	follower.takes = false;
	for (let i = 0; i < 100; i++) invoke("default", 40_000);
	follower.takes = true;
	await until(() => told.length > 0);
	const [{ count, dropped, spans }] = told;
	assert.equal(count + dropped, 100);
	assert.equal(spans.length, count);
	assert.ok(count > 5 && count < 20);
	stream.close();
});

test("so many invocations are recorded at a time, and of one tenant a quarter of them", () => {
	const { stream, tracer } = streamOf();
	const begin = (tenant: string) => {
		const record = Object.assign(newRecord("r", "http", "http"), {
			tenant,
			traceId: newTraceId(),
			url: "http://a.test/",
		});
		const trace = tracer.begin(record, { parent: null, links: [] });
		return trace && (() => tracer.finish(trace, record));
	};
	const ends = Array.from({ length: 200 }, () => begin("greedy")).filter((end) => end !== null);
	assert.equal(ends.length, 128);
	assert.notEqual(begin("modest"), null);
	assert.equal(begin("greedy"), null);
	ends[0]();
	assert.notEqual(begin("greedy"), null);
	assert.equal(begin("greedy"), null);
	stream.close();
});

test("nothing is recorded once it is closed", () => {
	const { stream, invoke } = streamOf();
	stream.close();
	assert.equal(invoke("acme"), false);
});
