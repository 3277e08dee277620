import assert from "node:assert/strict";
import { test } from "node:test";
import { Lane } from "../../src/pool/lane.ts";

interface Member {
	name: string;
	stuckBy: number | null;
}

const KEYS = Array.from({ length: 1200 }, (_, i) => i + 1);
const TENANT = -1;

function laneOf(size: number): Lane<Member> {
	const lane = new Lane<Member>();
	for (let i = 0; i < size; i++) lane.members.push({ name: `m${i}`, stuckBy: null });
	return lane;
}

const homes = (lane: Lane<Member>, tenant = TENANT) => KEYS.map((key) => lane.home(key, tenant).name);

function countOf(names: string[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
	return counts;
}

test("homes are spread evenly, and stay", () => {
	const lane = laneOf(4);
	const before = homes(lane);
	const counts = countOf(before);
	for (const { name } of lane.members) assert.ok(counts[name] > 240 && counts[name] < 360, JSON.stringify(counts));
	assert.deepEqual(homes(lane), before);
});

test("one more member takes its share from the others, and nothing moves among those", () => {
	const lane = laneOf(3);
	const before = homes(lane);
	lane.members.push({ name: "new", stuckBy: null });
	const after = homes(lane);
	const moved = KEYS.filter((_, i) => after[i] !== before[i]);
	assert.ok(moved.length > 240 && moved.length < 360, `${moved.length} moved`);
	assert.deepEqual(
		after,
		before.map((name, i) => (after[i] === "new" ? "new" : name)),
	);
	lane.remove(lane.members[3]);
	assert.deepEqual(homes(lane), before, "and without it all is as it was");
});

test("a successor has what the member had whose place it takes", () => {
	const lane = laneOf(3);
	const before = homes(lane);
	const [, lost] = lane.members;
	const successor = { name: "successor", stuckBy: null };
	lane.replace(lost, successor);
	assert.equal(lane.has(lost), false);
	assert.equal(lane.has(successor), true);
	assert.deepEqual(
		homes(lane),
		before.map((name) => (name === "m1" ? "successor" : name)),
	);
});

test("a member that is stuck is passed by, and only what it had is spread over the others", () => {
	const lane = laneOf(3);
	const before = homes(lane);
	lane.members[1].stuckBy = 7;
	const after = homes(lane);
	assert.deepEqual(Object.keys(countOf(after.filter((_, i) => before[i] === "m1"))).toSorted(), ["m0", "m2"]);
	assert.deepEqual(
		after.filter((_, i) => before[i] !== "m1"),
		before.filter((name) => name !== "m1"),
	);
	lane.members[1].stuckBy = null;
	assert.deepEqual(homes(lane), before);
});

test("a tenant stays behind its own long turn", () => {
	const lane = laneOf(3);
	const before = homes(lane, 7);
	lane.members[1].stuckBy = 7;
	assert.deepEqual(homes(lane, 7), before);
	assert.notDeepEqual(homes(lane, 8), before);
});

test("where all are stuck homes are what they are in calm", () => {
	const lane = laneOf(2);
	const before = homes(lane);
	assert.equal(lane.stuck, false);
	lane.members[0].stuckBy = 7;
	assert.equal(lane.stuck, false);
	lane.members[1].stuckBy = 8;
	assert.equal(lane.stuck, true);
	assert.deepEqual(homes(lane), before);
});

test("a lane of one has one home, stuck or not", () => {
	const lane = laneOf(1);
	lane.members[0].stuckBy = 7;
	assert.deepEqual(new Set(homes(lane)), new Set(["m0"]));
});
