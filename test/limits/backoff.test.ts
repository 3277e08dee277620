import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../src/limits/backoff.ts";

const NOW = 1_700_000_000_000;

test("the first failure costs no wait, the second 100 ms, each further one twice as much up to 10 s", () => {
	const backoff = new Backoff();
	const waits = Array.from({ length: 11 }, () => {
		backoff.failed(NOW);
		return backoff.remaining(NOW);
	});
	assert.deepEqual(waits, [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
	for (let i = 0; i < 2000; i++) backoff.failed(NOW);
	assert.equal(backoff.remaining(NOW), 10_000);
});

test("a wait goes down to 0 and stays there", () => {
	const backoff = new Backoff();
	assert.equal(backoff.remaining(NOW), 0);
	backoff.failed(NOW);
	backoff.failed(NOW);
	assert.equal(backoff.remaining(NOW + 99), 1);
	assert.equal(backoff.remaining(NOW + 100), 0);
	assert.equal(backoff.remaining(NOW + 101), 0);
});

test("a wait begins with the failure, not with the end of the one before", () => {
	const backoff = new Backoff();
	backoff.failed(NOW);
	backoff.failed(NOW);
	backoff.failed(NOW + 30);
	assert.equal(backoff.remaining(NOW + 30), 200);
});

test("a success ends the wait, and the next failure is a first one", () => {
	const backoff = new Backoff();
	for (let i = 0; i < 5; i++) backoff.failed(NOW);
	backoff.succeeded();
	assert.equal(backoff.remaining(NOW), 0);
	backoff.failed(NOW);
	assert.equal(backoff.remaining(NOW), 0);
	backoff.failed(NOW);
	assert.equal(backoff.remaining(NOW), 100);
});
