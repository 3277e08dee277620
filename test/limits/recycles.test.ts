import assert from "node:assert/strict";
import { test } from "node:test";
import { Recycles } from "../../src/limits/recycles.ts";

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;

test("nobody waits until so many sandboxes were lost within a minute", () => {
	const recycles = new Recycles(3);
	for (const at of [0, 10_000]) recycles.note(NOW + at);
	assert.equal(recycles.remaining(NOW + 10_000), 0);
	recycles.note(NOW + 20_000);
	assert.equal(recycles.remaining(NOW + 20_000), 40_000, "until a minute after the first of the three");
	assert.equal(recycles.remaining(NOW + MINUTE - 1), 1);
	assert.equal(recycles.remaining(NOW + MINUTE), 0);
});

test("each further one moves the wait to the next of the last three", () => {
	const recycles = new Recycles(3);
	for (const at of [0, 10_000, 20_000, 30_000]) recycles.note(NOW + at);
	assert.equal(recycles.remaining(NOW + 30_000), 40_000, "until a minute after the second");
	assert.equal(recycles.remaining(NOW + 70_000), 0);
});

test("what is a minute ago counts no more", () => {
	const recycles = new Recycles(2);
	recycles.note(NOW);
	recycles.note(NOW + MINUTE);
	assert.equal(recycles.remaining(NOW + MINUTE), 0);
	const later = new Recycles(2);
	later.note(NOW);
	later.note(NOW + MINUTE - 1);
	assert.equal(later.remaining(NOW + MINUTE - 1), 1);
});

test("with a bound of one each is waited for", () => {
	const recycles = new Recycles(1);
	assert.equal(recycles.remaining(NOW), 0);
	recycles.note(NOW);
	assert.equal(recycles.remaining(NOW), MINUTE);
});
