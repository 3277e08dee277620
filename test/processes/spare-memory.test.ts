import assert from "node:assert/strict";
import { test } from "node:test";
import { getHeapSpaceStatistics } from "node:v8";
import { giveBack } from "../../src/processes/spare-memory.ts";

const young = () =>
	getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.physical_space_size ?? 0;

test("what a process has needed to start is given back", () => {
	// As modules do: what is made stays for long enough to have the young generation grow.
	let kept: object[] = [];
	for (let round = 0; round < 20; round++) {
		kept = [];
		for (let i = 0; i < 200_000; i++) kept.push({ i });
	}
	assert.equal(kept.length, 200_000);
	kept = [];
	const before = young();
	giveBack();
	assert.ok(before >= 4 * 2 ** 20, `${before} bytes`);
	assert.ok(young() <= 2 ** 20, `${young()} bytes`);
});
