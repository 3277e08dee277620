import assert from "node:assert/strict";
import { test } from "node:test";
import { Strikes } from "../../src/limits/strikes.ts";

test("the first strike is counted, and from the second on the pauses double, up to ten minutes", () => {
	const strikes = new Strikes();
	const pauses: number[] = [];
	let now = 1_000_000;
	for (let i = 1; i <= 14; i++) {
		strikes.strike(now);
		assert.equal(strikes.count(now), i);
		pauses.push(strikes.remaining(now));
		assert.equal(strikes.remaining(now + pauses[i - 1]), 0);
		now += pauses[i - 1];
	}
	const doubling = Array.from({ length: 10 }, (_, i) => 1000 * 2 ** i);
	assert.deepEqual(pauses, [0, ...doubling, 600_000, 600_000, 600_000]);
});

test("an hour without a strike forgets all, and the next one is the first again", () => {
	const strikes = new Strikes();
	for (const now of [1_000_000, 1_000_001]) strikes.strike(now);
	assert.equal(strikes.count(1_000_001 + 3600_000), 2);
	assert.equal(strikes.count(1_000_002 + 3600_000), 0);
	strikes.strike(1_000_002 + 3600_000);
	assert.deepEqual([strikes.count(5_000_000), strikes.remaining(4_600_002)], [1, 0]);
});
