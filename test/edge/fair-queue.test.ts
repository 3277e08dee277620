import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FairQueue, type Whose } from "../../src/edge/fair-queue.ts";

const MOST = 256 * 1024;

function queueOf(most = MOST) {
	const lost = new Map<Whose, number>();
	const queue = new FairQueue(most, (whose, count) => lost.set(whose, (lost.get(whose) ?? 0) + count));
	const taken = () => {
		const counts = new Map<Whose, number>();
		let text = "";
		for (const [whose, { bytes, count }] of queue.take(Number.POSITIVE_INFINITY)) {
			counts.set(whose, (counts.get(whose) ?? 0) + count);
			text += bytes.toString();
		}
		return { counts, text };
	};
	return { queue, lost, taken };
}

test("whoever floods it loses its own, whether it came first or last", () => {
	for (const first of [true, false]) {
		const { queue, lost, taken } = queueOf();
		const flood = () => {
			for (let i = 0; i < 10_000; i++) queue.add("loud", `${"x".repeat(99)}\n`);
		};
		if (first) flood();
		for (let i = 0; i < 500; i++) queue.add(`quiet-${i % 5}`, `${"y".repeat(99)}\n`);
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
	for (let i = 0; i < 200_000; i++) queue.add(`tenant-${i % 2000}`, `${"x".repeat(99)}\n`);
	assert.ok(queue.size <= 2 ** 20);
	const { counts } = taken();
	assert.equal(counts.size, 2000);
	for (const [whose, count] of counts) assert.equal(count + (lost.get(whose) ?? 0), 100);
});

test("whatever comes, no more waits than may, and each text is taken or counted", () => {
	const texts = fc.array(
		fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 9000 }), fc.constantFrom("x", "ü", "\u{1f600}")),
		{ maxLength: 400 },
	);
	fc.assert(
		fc.property(texts, fc.integer({ min: 1, max: 50 }), (all, every) => {
			const { queue, lost } = queueOf(64 * 1024);
			let text = "";
			let count = 0;
			for (const [at, [whose, length, letter]] of all.entries()) {
				queue.add(`t${whose}`, `${letter.repeat(length)}\n`);
				// What is not a piece yet is counted by its letters, of which one may take three bytes.
				assert.ok(queue.size <= 64 * 1024 + 3 * 16 * 1024 * 10);
				if (at % every === 0)
					for (const [, piece] of queue.take(20_000)) {
						text += piece.bytes.toString();
						count += piece.count;
					}
			}
			for (const [, piece] of queue.take(Number.POSITIVE_INFINITY)) {
				text += piece.bytes.toString();
				count += piece.count;
			}
			assert.equal(queue.size, 0);
			assert.equal(text.split("\n").length - 1, count);
			assert.equal(count + [...lost.values()].reduce((sum, one) => sum + one, 0), all.length);
		}),
		{ numRuns: 100 },
	);
});

test("of what waits tenants have their turns", () => {
	const { queue } = queueOf();
	for (let i = 0; i < 100; i++) queue.add("loud", "x".repeat(1000));
	queue.add("quiet", "y");
	const order = [...queue.take(Number.POSITIVE_INFINITY)].map(([whose]) => whose);
	assert.equal(order.indexOf("quiet"), 1);
});
