import assert from "node:assert/strict";
import { test } from "node:test";
import { newRecord } from "../../src/observe/record.ts";
import { addSums, BOUNDS, Tallies } from "../../src/observe/tally.ts";

const record = (name: string, more: object = {}) => ({
	...newRecord("1", "http", "http"),
	tenant: "t",
	function: name,
	...more,
});

test("invocations are counted by function, event and outcome, and how long they took by the bucket", () => {
	const tallies = new Tallies(10);
	tallies.count(record("a", { wallMs: 0.5, cpuMs: 0.1, requestBytes: 3, memoryBytes: 7 }));
	tallies.count(record("a", { wallMs: 0.6, cold: true, startMs: 40_000, responseBytes: 5 }));
	tallies.count(record("a", { wallMs: 99_000, outcome: "wall_time_exceeded", subrequests: 2 }));
	tallies.count(record("a", { event: "queue" }));
	tallies.count(record("b"));
	const all = tallies.take();
	assert.deepEqual(
		all.map((one) => [one.function, one.event, one.outcomes]),
		[
			["a", "http", { ok: 2, wall_time_exceeded: 1 }],
			["a", "queue", { ok: 1 }],
			["b", "http", { ok: 1 }],
		],
	);
	const [{ wall, cpu, start, ...rest }] = all;
	// What is as long as a bound is still below it.
	assert.deepEqual([wall.counts[0], wall.counts[1], wall.counts[BOUNDS.length]], [1, 1, 1]);
	assert.ok(Math.abs(wall.sum - 99.0011) < 1e-9);
	assert.equal(cpu.counts[0], 3);
	assert.deepEqual([start.counts[BOUNDS.length], start.sum], [1, 40]);
	assert.deepEqual([rest.requestBytes, rest.responseBytes, rest.subrequests, rest.memoryBytes], [3, 5, 2, 7]);
	assert.deepEqual(tallies.take(), []);
});

test("what was counted at several places adds up", () => {
	const [one, two] = [1, 2].map((wallMs) => {
		const tallies = new Tallies(10);
		tallies.count(record("a", { wallMs, responseBytes: 10 }));
		tallies.count(record("a", { wallMs, outcome: "client_gone" }));
		return tallies.take()[0];
	});
	addSums(one, two);
	assert.deepEqual(one.outcomes, { ok: 2, client_gone: 2 });
	assert.equal(one.responseBytes, 20);
	assert.equal(
		one.wall.counts.reduce((sum, count) => sum + count),
		4,
	);
	assert.ok(Math.abs(one.wall.sum - 0.006) < 1e-9);
});

test("memory that was measured stands until it is measured again", () => {
	const [one, unmeasured, two] = [7, 0, 5].map((memoryBytes) => {
		const tallies = new Tallies(10);
		tallies.count(record("a", { memoryBytes }));
		return tallies.take()[0];
	});
	addSums(one, unmeasured);
	assert.equal(one.memoryBytes, 7);
	addSums(one, two);
	assert.equal(one.memoryBytes, 5);
});

test("however many functions there are, so many tallies are held, and nothing is left uncounted", () => {
	const tallies = new Tallies(100);
	for (let i = 0; i < 1000; i++) tallies.count(record(`f${i}`, { tenant: "default" }));
	const all = tallies.take();
	assert.equal(all.length, 101);
	const counted = all.reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
	assert.equal(counted, 1000);
	assert.deepEqual([all[100].tenant, all[100].function, all[100].outcomes], ["", "_others", { ok: 900 }]);
});

test("a tenant's functions, however many, leave tallies to those of others", () => {
	const tallies = new Tallies(100);
	for (let i = 0; i < 1000; i++) tallies.count(record(`f${i}`, { tenant: "many" }));
	tallies.count(record("one", { tenant: "other" }));
	const all = tallies.take();
	assert.equal(all.filter(({ tenant }) => tenant === "many").length, 25);
	assert.deepEqual(
		all.filter(({ tenant }) => tenant !== "many").map((one) => [one.tenant, one.function, one.outcomes.ok]),
		[
			["", "_others", 975],
			["other", "one", 1],
		],
	);
	tallies.count(record("f", { tenant: "many" }));
	assert.equal(tallies.take()[0].function, "f");
});

test("versions are told apart, up to so many of a function, and none of it goes uncounted", () => {
	const tallies = new Tallies(100);
	for (let i = 0; i < 60; i++) tallies.count(record("a", { tenant: "default", version: `v${i % 30}` }));
	const all = tallies.take();
	assert.equal(all.length, 17);
	assert.deepEqual(all[0], { ...all[0], function: "a", version: "v0", outcomes: { ok: 2 } });
	assert.deepEqual([all[16].version, all[16].outcomes], ["", { ok: 28 }]);
});

test("where there is no room for another version it is counted with the function all the same", () => {
	const tallies = new Tallies(4);
	for (const name of ["a", "b", "c", "d", "e"]) tallies.count(record(name, { tenant: "default", version: "v1" }));
	for (const name of ["a", "b", "c", "d", "e"]) tallies.count(record(name, { tenant: "default", version: "v2" }));
	const counted = tallies.take().map((one) => [one.function, one.version, one.outcomes.ok]);
	assert.deepEqual(counted, [
		...["a", "b", "c", "d"].map((name) => [name, "v1", 1]),
		["_others", "", 2],
		...["a", "b", "c", "d"].map((name) => [name, "", 1]),
	]);
});

test("functions that are no more make room for others", () => {
	const tallies = new Tallies(4);
	for (let i = 0; i < 5; i++) tallies.count(record(`f${i}`, { tenant: "default" }));
	tallies.retain(({ function: name }) => name === "f1");
	tallies.count(record("f7", { tenant: "default" }));
	const left = [...tallies.values()].map((one) => [one.function, one.outcomes.ok]);
	assert.deepEqual(left, [
		["f1", 1],
		["_others", 1],
		["f7", 1],
	]);
});

test("bindings' calls are counted by their names, whatever these are, and of a hundred of them", () => {
	const tallies = new Tallies(10);
	const called = (bindingCalls: Record<string, number>) => tallies.count(record("a", { subrequests: 1, bindingCalls }));
	called({ KV: 2, constructor: 1 });
	called({ KV: 1, constructor: 1, toString: 1 });
	const [tally] = tallies.take();
	assert.deepEqual({ ...tally.bindingCalls }, { KV: 3, constructor: 2, toString: 1 });
	for (let i = 0; i < 200; i++) called({ [`B${i}`]: 1 });
	const { bindingCalls } = tallies.take()[0];
	assert.deepEqual([Object.keys(bindingCalls).length, bindingCalls.B99, bindingCalls._others], [101, 1, 100]);
});
