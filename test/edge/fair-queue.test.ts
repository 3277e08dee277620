import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FairQueue, type Whose } from "../../src/edge/fair-queue.ts";
import { entriesIn } from "../../src/feed/log-frames.ts";
import type { LogLine } from "../../src/observe/record.ts";

const MOST = 256 * 1024;

function saying(message: string): LogLine {
	const whose = { tenant: "a", function: "f", version: "v", requestId: "" };
	return { time: "2026-12-01T10:00:00.000Z", level: "log", ...whose, message };
}

function queueOf(most = MOST) {
	const lost = new Map<Whose, number>();
	const queue = new FairQueue(most, (whose, count) => lost.set(whose, (lost.get(whose) ?? 0) + count));
	const taken = () => {
		const counts = new Map<Whose, number>();
		for (const [whose, { count }] of queue.take(Number.POSITIVE_INFINITY))
			counts.set(whose, (counts.get(whose) ?? 0) + count);
		return { counts };
	};
	return { queue, lost, taken };
}

test("whoever floods it loses its own, whether it came first or last", () => {
	for (const first of [true, false]) {
		const { queue, lost, taken } = queueOf();
		const flood = () => {
			for (let i = 0; i < 10_000; i++) queue.add("loud", saying("x".repeat(99)));
		};
		if (first) flood();
		for (let i = 0; i < 500; i++) queue.add(`quiet-${i % 5}`, saying("y".repeat(99)));
		if (!first) flood();
		assert.deepEqual([...lost.keys()], ["loud"]);
		const { counts } = taken();
		for (let i = 0; i < 5; i++) assert.equal(counts.get(`quiet-${i}`), 100);
		assert.equal((counts.get("loud") ?? 0) + (lost.get("loud") ?? 0), 10_000);
		assert.ok((counts.get("loud") ?? 0) > 1500, "what is there is used");
	}
});

test("among thousands who have the same, each goes on having some", () => {
	const { queue, lost, taken } = queueOf(2 ** 20);
	for (let i = 0; i < 200_000; i++) queue.add(`tenant-${i % 2000}`, saying("x".repeat(99)));
	assert.ok(queue.size <= 2 ** 20);
	const { counts } = taken();
	assert.equal(counts.size, 2000);
	for (const [whose, count] of counts) assert.equal(count + (lost.get(whose) ?? 0), 100);
});

test("whatever comes, no more waits than may, and each entry is taken or counted", () => {
	const texts = fc.array(
		fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 9000 }), fc.constantFrom("x", "ü", "\u{1f600}")),
		{ maxLength: 400 },
	);
	fc.assert(
		fc.property(texts, fc.integer({ min: 1, max: 50 }), (all, every) => {
			const { queue, lost } = queueOf(64 * 1024);
			let count = 0;
			const take = (most: number) => {
				for (const [, piece] of queue.take(most)) {
					const { count: said } = piece;
					assert.equal(entriesIn(Buffer.concat(piece.take())), said);
					count += said;
				}
			};
			for (const [at, [whose, length, letter]] of all.entries()) {
				queue.add(`t${whose}`, saying(letter.repeat(length)));
				// What comes is counted by its letters until it is there, of which one may take three bytes.
				assert.ok(queue.size <= 64 * 1024 + 3 * 9000);
				if (at % every === 0) take(20_000);
			}
			take(Number.POSITIVE_INFINITY);
			assert.equal(queue.size, 0);
			assert.equal(count + [...lost.values()].reduce((sum, one) => sum + one, 0), all.length);
		}),
		{ numRuns: 100 },
	);
});

test("of what waits tenants have their turns", () => {
	const { queue } = queueOf();
	for (let i = 0; i < 100; i++) queue.add("loud", saying("x".repeat(1000)));
	queue.add("quiet", saying("y"));
	const order = [...queue.take(Number.POSITIVE_INFINITY)].map(([whose]) => whose);
	assert.equal(order.indexOf("quiet"), 1);
});
