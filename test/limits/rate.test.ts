import assert from "node:assert/strict";
import { test } from "node:test";
import { Rate } from "../../src/limits/rate.ts";

const NOW = 1_700_000_000_000;

test("after a pause as much goes at once as the rate allows in 50 ms, and one byte more waits", () => {
	const rate = new Rate(1000_000); // 1000 bytes a millisecond.
	assert.equal(rate.take(50_000, NOW), 0);
	assert.equal(rate.take(1000, NOW), 1);
	assert.equal(rate.take(1000, NOW), 2);
});

test("however long the pause was, no more than that was saved", () => {
	const rate = new Rate(1000_000);
	assert.equal(rate.take(50_000, NOW), 0);
	assert.equal(rate.take(60_000, NOW + 3600_000), 10);
});

test("what was taken too early is waited for afterwards, also by whoever did not wait", () => {
	const rate = new Rate(1000_000);
	assert.equal(rate.take(150_000, NOW), 100);
	assert.equal(rate.take(0, NOW + 40), 60);
	assert.equal(rate.take(10_000, NOW + 100), 10);
	assert.equal(rate.take(0, NOW + 110), 0);
});

test("over a long time the rate is what it says", () => {
	const rate = new Rate(64_000);
	let now = NOW;
	for (let i = 0; i < 1000; i++) now += rate.take(640, now);
	assert.equal(now - NOW, 1000 * 10 - 50);
});
