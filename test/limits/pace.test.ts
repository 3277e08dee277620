import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../../src/limits/pace.ts";
import { LIGHT_START_US } from "../../src/link/protocol.ts";

function paceAfter(requests: number, startUs = 0): Pace {
	const pace = new Pace(startUs);
	for (let i = 0; i < requests; i++) pace.note(true);
	return pace;
}

test("a new version is heavy until its twentieth light request", () => {
	const pace = paceAfter(19);
	assert.equal(pace.lane, "heavy");
	assert.equal(pace.proven, false);
	pace.note(true);
	assert.equal(pace.lane, "normal");
	assert.equal(pace.proven, true);
});

test("one whose start takes as long as a light one may not is heavy for good", () => {
	assert.equal(paceAfter(100, LIGHT_START_US - 1).lane, "normal");
	assert.equal(paceAfter(100, LIGHT_START_US).lane, "heavy");
	assert.equal(paceAfter(100, LIGHT_START_US).proven, true, "it is known all the same");
});

test("a slow request takes ten light ones away, and light ones beyond forty say nothing more", () => {
	const pace = paceAfter(1000);
	pace.note(false);
	pace.note(false);
	assert.equal(pace.lane, "normal", "40 - 2 * 10 are 20");
	pace.note(false);
	assert.equal(pace.lane, "heavy");
	for (let i = 0; i < 9; i++) pace.note(true);
	assert.equal(pace.lane, "heavy");
	pace.note(true);
	assert.equal(pace.lane, "normal");
});

test("slow ones before it has proven light leave no debt", () => {
	const pace = new Pace(0);
	for (let i = 0; i < 50; i++) pace.note(false);
	assert.equal(pace.proven, true, "what it has served counts, however slow");
	for (let i = 0; i < 19; i++) pace.note(true);
	assert.equal(pace.lane, "heavy");
	pace.note(true);
	assert.equal(pace.lane, "normal");
});

test("one slow request in eleven is borne for ever, one in ten is not", () => {
	const after = (every: number) => {
		const pace = paceAfter(40);
		const lanes = new Set<string>();
		for (let i = 1; i <= 1000; i++) {
			pace.note(i % every !== 0);
			lanes.add(pace.lane);
		}
		return [...lanes];
	};
	assert.deepEqual(after(11), ["normal"]);
	assert.deepEqual(after(10), ["normal", "heavy"]);
});

test("a cut is worth all light requests that there were, and none of those that it has served", () => {
	const pace = paceAfter(1000);
	pace.cut();
	assert.equal(pace.lane, "heavy");
	assert.equal(pace.proven, true);
	for (let i = 0; i < 19; i++) pace.note(true);
	assert.equal(pace.lane, "heavy");
	pace.note(true);
	assert.equal(pace.lane, "normal");
});
