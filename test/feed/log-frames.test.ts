import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { entriesIn, LogPiece, readLogFrames } from "../../src/feed/log-frames.ts";
import { type InvocationRecord, type LogLine, newRecord } from "../../src/observe/record.ts";
import { batchOf, type Told, toldIn } from "../support/log-batches.ts";

/** Few, so that entries often have them in common. */
const NAME = fc.constantFrom("", "a", "ümläut 😀", "x".repeat(300));
const COUNT = fc.constantFrom(0, 1, 200, 2 ** 32 - 1);
const AMOUNT = fc.constantFrom(0, 0.1, 1.25, 2 ** 40, 1e300);
const COUNTS = fc.constantFrom<Record<string, number>>({}, { KV: 2 }, { 'a"b': 1, fetch: 7 });
/** Halves of surrogate pairs among them. */
const LETTER = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));

const RECORD: fc.Arbitrary<InvocationRecord> = fc.record(
	{
		...{ time: NAME, requestId: NAME, traceId: NAME, spanId: NAME, tenant: NAME, function: NAME, version: NAME },
		...{ event: NAME, hostname: NAME, trigger: fc.constantFrom("http", "dispatch"), method: NAME, url: NAME },
		...{ status: COUNT, outcome: fc.constantFrom("ok", "exception"), cold: fc.boolean() },
		...{ startMs: AMOUNT, cpuMs: AMOUNT, wallMs: AMOUNT },
		...{ requestBytes: AMOUNT, responseBytes: AMOUNT, subrequests: COUNT, bindingCalls: COUNTS },
		...{ exceeded: fc.constantFrom({}, { cpuMs: 1 }), memoryBytes: AMOUNT, attempts: COUNT },
	},
	{ noNullPrototype: true },
);
const LINE: fc.Arbitrary<LogLine> = fc.record(
	{
		...{ time: NAME, level: fc.constantFrom("debug", "error"), tenant: NAME, function: NAME, version: NAME },
		...{ requestId: NAME, message: fc.string({ unit: LETTER, maxLength: 100 }) },
	},
	{ noNullPrototype: true },
);
const TOLD: fc.Arbitrary<Told> = fc.oneof(
	RECORD.map((record) => ({ record })),
	LINE.map((line) => ({ line })),
	fc.tuple(fc.nat(), NAME).map(([lost, tenant]) => ({ lost, tenant })),
);

test("whatever is told is read as it was, and in its order", () => {
	fc.assert(
		fc.property(fc.array(TOLD, { maxLength: 60 }), (all) => {
			const batch = batchOf(all);
			assert.deepEqual(toldIn(batch), all);
			assert.equal(entriesIn(batch), all.length);
		}),
	);
});

test("a record that is much like the one before is small, and a piece is read without the others", () => {
	const piece = new LogPiece("a");
	const record = { ...newRecord("7e45d648", "http", "http"), tenant: "a", url: `https://a.test/${"x".repeat(200)}` };
	piece.add(record);
	const first = piece.size;
	piece.add({ ...record, requestId: "7e45d649", cpuMs: 1.5 });
	assert.ok(first > 300 && piece.size - first < 120, `${first} and ${piece.size - first} bytes`);
	const [one, other] = [0, 1].map(() => {
		const whole = new LogPiece("a");
		whole.add(record);
		return Buffer.concat(whole.take());
	});
	assert.deepEqual(toldIn(other), [{ record }]);
	assert.deepEqual(one, other);
});

test("a long message holds no more memory than itself and a slab", () => {
	const piece = new LogPiece("a");
	const whose = { tenant: "a", function: "f", version: "v", requestId: "" };
	const line: LogLine = { time: "", level: "log", ...whose, message: "x".repeat(32_768) };
	piece.add(line);
	const { size } = piece;
	const held = new Set(piece.take().map(({ buffer }) => buffer));
	const bytes = [...held].reduce((sum, { byteLength }) => sum + byteLength, 0);
	assert.ok(bytes < size + 2048, `${bytes} bytes for ${size}`);
});

test("of bytes that are none, what can be read is told, and the rest is lost with a count", () => {
	const record = { ...newRecord("1", "http", "http"), tenant: "a" };
	const batch = batchOf([{ record }, { record }, { record }]);
	assert.deepEqual(toldIn(batch.subarray(0, -1)), [{ record }, { record }, { lost: 1, tenant: "a" }]);
	assert.deepEqual(toldIn(Buffer.from([9])), [{ lost: 1, tenant: "" }]);
	assert.deepEqual(toldIn(Buffer.from([1, 0, 0, 0, 9])), [{ lost: 1, tenant: "" }]);
	fc.assert(
		fc.property(
			fc.array(TOLD, { minLength: 1, maxLength: 5 }),
			fc.uint8Array({ maxLength: 50 }),
			fc.nat(),
			(all, bytes, at) => {
				const broken = batchOf(all);
				broken.set(bytes.subarray(0, broken.length), at % Math.max(1, broken.length - bytes.length));
				let told = 0;
				const ignored = () => void told++;
				const count = readLogFrames(broken, { record: ignored, line: ignored, lost: ignored });
				assert.equal(count, entriesIn(broken));
				assert.ok(told >= count);
			},
		),
	);
});
