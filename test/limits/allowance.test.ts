import assert from "node:assert/strict";
import { test } from "node:test";
import { Allowance } from "../../src/limits/allowance.ts";

const NOW = 1_700_000_000_000;

test("what fills the allowance is within it, the first byte more is beyond it, the rest is dropped", () => {
	const allowance = new Allowance(100);
	assert.equal(allowance.take(60, NOW), "within");
	assert.equal(allowance.take(40, NOW), "within");
	assert.equal(allowance.take(1, NOW), "beyond");
	assert.equal(allowance.take(1, NOW), "dropped");
});

test("a piece that is larger than all is beyond it, and told once", () => {
	const allowance = new Allowance(100);
	assert.equal(allowance.take(101, NOW), "beyond");
	assert.equal(allowance.take(1, NOW), "dropped");
});

test("a second after its first byte it begins anew, with nothing saved and nothing owed", () => {
	const allowance = new Allowance(100);
	assert.equal(allowance.take(500, NOW), "beyond");
	assert.equal(allowance.take(1, NOW + 999), "dropped");
	assert.equal(allowance.take(100, NOW + 1000), "within");
	assert.equal(allowance.take(1, NOW + 1999), "beyond");
	assert.equal(allowance.take(101, NOW + 2000), "beyond");
});
