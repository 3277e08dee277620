import assert from "node:assert/strict";
import { test } from "node:test";
import { Schedule } from "../../src/isolates/schedule.ts";

/** A schedule of functions named by their numbers: `tenants` of those that are not their own, and which have no isolate yet. */
function schedule(tenants: Record<number, number> = {}, cold = new Set<number>()) {
	const made = new Schedule(
		(version) => tenants[version] ?? version,
		(version) => cold.has(version),
	);
	/** Runs the turns of whoever is next; what ran is warm, and has been charged for. */
	const next = (us = 0) => {
		const version = made.next();
		if (version === undefined) return undefined;
		cold.delete(version);
		made.charge(version, us);
		return version;
	};
	const add = (...versions: number[]) => {
		for (const version of versions) made.add(version);
	};
	return {
		add,
		next,
		drain: () => Array.from({ length: 100 }, () => next()).filter((version) => version !== undefined),
	};
}

test("functions have their turns in rounds, in the order in which they came", () => {
	const { add, next, drain } = schedule();
	add(1, 2, 3);
	assert.equal(next(), 1);
	add(1); // It has more, for the next round.
	assert.deepEqual(drain(), [2, 3, 1]);
});

test("a tenant that used more than its share of a round goes without until others had as much", () => {
	const { add, next } = schedule({ 11: 1, 12: 1 });
	add(11, 2);
	assert.equal(next(3500), 11); // Two and a half milliseconds more than its one.
	assert.equal(next(), 2);
	const order = [];
	for (let i = 0; i < 5; i++) {
		add(12, 2); // Whichever of its functions it was.
		order.push(next());
	}
	assert.deepEqual(order, [2, 2, 2, 12, 2]);
});

test("who owes runs where nobody else has anything to run", () => {
	const { add, next } = schedule();
	add(1);
	next(1e6);
	add(1);
	assert.equal(next(), 1);
});

test("a function that is warm waits for one start at most, however many are to be started", () => {
	const { add, next, drain } = schedule({}, new Set([1, 2, 3]));
	add(1, 2, 3, 9);
	const order = [];
	for (let i = 0; i < 5; i++) {
		order.push(next());
		add(9);
	}
	assert.deepEqual([...order, ...drain()], [9, 1, 9, 2, 9, 3, 9]);
});

test("tenants take turns at being started", () => {
	const mine = Array.from({ length: 10 }, (_, i) => i + 100);
	const tenants = Object.fromEntries(mine.map((version) => [version, 1]));
	const { add, next, drain } = schedule(tenants, new Set([...mine, 2, 3]));
	add(...mine);
	assert.equal(next(), 100);
	add(2, 3);
	assert.deepEqual([next(), next(), next()], [2, 3, 101]);
	assert.deepEqual(drain(), mine.slice(2));
});

test("who was started before and needs it again waits for those alone that waited already", () => {
	const cold = new Set([1, 2]);
	const { add, next } = schedule({}, cold);
	add(1, 2);
	assert.equal(next(), 1);
	cold.add(1); // It has lost its isolate.
	add(1, 2);
	const order: (number | undefined)[] = [];
	// Others that were never started come all the time.
	for (let newcomer = 3; newcomer < 13; newcomer++) {
		cold.add(newcomer);
		add(newcomer);
		order.push(next());
	}
	assert.ok(order.indexOf(1) >= 0 && order.indexOf(1) <= 2, order.join());
});
