import assert from "node:assert/strict";
import { test } from "node:test";
import { Strikes } from "../../src/limits/strikes.ts";

const HOUR = 3600_000;
const NOW = 1_700_000_000_000;

test("the first strike disables nothing, the second for a second, each further one for twice as long", () => {
	const strikes = new Strikes();
	assert.equal(strikes.count(NOW), 0);
	assert.equal(strikes.remaining(NOW), 0);
	const waits = Array.from({ length: 4 }, () => {
		strikes.strike(NOW);
		return strikes.remaining(NOW);
	});
	assert.deepEqual(waits, [0, 1000, 2000, 4000]);
	assert.equal(strikes.count(NOW), 4);
});

test("it is disabled up to the last millisecond of its wait, and no longer", () => {
	const strikes = new Strikes();
	strikes.strike(NOW);
	strikes.strike(NOW + 5);
	assert.equal(strikes.remaining(NOW + 5 + 999), 1);
	assert.equal(strikes.remaining(NOW + 5 + 1000), 0);
	assert.equal(strikes.remaining(NOW + HOUR), 0);
});

test("no wait is longer than ten minutes", () => {
	const strikes = new Strikes();
	// The eleventh is 1000 * 2 ** 9, and the twelfth would be 1,024,000.
	for (let i = 0; i < 11; i++) strikes.strike(NOW);
	assert.equal(strikes.remaining(NOW), 512_000);
	strikes.strike(NOW);
	assert.equal(strikes.remaining(NOW), 600_000);
	for (let i = 0; i < 2000; i++) strikes.strike(NOW);
	assert.equal(strikes.remaining(NOW), 600_000);
});

test("strikes are forgotten after more than an hour without another, all at once", () => {
	const strikes = new Strikes();
	strikes.strike(NOW);
	strikes.strike(NOW + HOUR);
	assert.equal(strikes.count(NOW + HOUR), 2, "an hour to the millisecond is not enough");
	assert.equal(strikes.count(NOW + 2 * HOUR), 2, "and it begins anew with each");
	assert.equal(strikes.count(NOW + 2 * HOUR + 1), 0);
	strikes.strike(NOW + 2 * HOUR + 1);
	assert.equal(strikes.count(NOW + 2 * HOUR + 1), 1);
	assert.equal(strikes.remaining(NOW + 2 * HOUR + 1), 0, "the first after that is a first one");
});
