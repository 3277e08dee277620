import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { NewEntry } from "../../src/logs/store/new-entry.ts";
import { Segment, type State } from "../../src/logs/store/segment.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { record } from "./support.ts";

const STATE: State = {
	...{ session: "test", batch: 1, taken: 0, settled: 0 },
	...{ next: 1, begun: 0, written: 0, clean: 0 },
};

function entry(version: string, time: number): NewEntry {
	const whose = { tenant: "one", function: "shop", version, requestId: "r" };
	return { ...whose, time, record: record(whose).record, lines: [] };
}

test("what all queries ask of a segment is known, however many versions it has", () => {
	const path = join(temporaryFolder(), "segment-0000000001.db");
	const segment = Segment.live(path, 1);
	let next = 1;
	const write = (...entries: NewEntry[]) => {
		segment.write(entries, [], { ...STATE, next });
		next += entries.length;
	};
	assert.deepEqual(segment.range, { first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY });
	write(...Array.from({ length: 300 }, (_, i) => entry(`v${i}`, 1000 + i)));
	let walks = 0;
	const { groups } = segment;
	const values = groups.values.bind(groups);
	groups.values = () => {
		walks++;
		return values();
	};
	for (let i = 0; i < 50; i++) {
		write(entry(`w${i}`, 2000 + i), entry("v7", 900 - i));
		assert.deepEqual(segment.range, { first: 900 - i, last: 2000 + i });
	}
	assert.equal(walks, 0);
	assert.equal(new Set([...values()].map(({ id }) => id)).size, 350);
	// The oldest and the latest version go, and what there is says so, now and when it is opened again.
	const versions = () => new Map([...values()].map((group) => [group.version, group]));
	for (const version of ["v7", "w49"]) segment.removeOldest(versions().get(version) as never, 1000);
	assert.deepEqual(segment.range, { first: 1000, last: 2048 });
	segment.close();
	const again = Segment.live(path, 1);
	assert.deepEqual(again.range, { first: 1000, last: 2048 });
	again.write([entry("new", 3000)], [], { ...STATE, next });
	assert.equal(new Set([...again.groups.values()].map(({ id }) => id)).size, 349);
	assert.equal(again.entries, 349);
	again.close();
});

test("losses of a minute are one for each tenant, and are still there when it is opened again", () => {
	const path = join(temporaryFolder(), "segment-0000000001.db");
	const segment = Segment.live(path, 1);
	for (let i = 0; i < 3; i++) {
		const losses = ["one", "two", ""].map((tenant) => ({ time: 60_000 + i, tenant, count: i }));
		segment.write([], [...losses, { time: 120_000, tenant: "one", count: 1 }], STATE);
	}
	const found = [
		{ time: 60_000, tenant: "one", count: 3 },
		{ time: 120_000, tenant: "one", count: 3 },
		{ time: 60_000, tenant: "two", count: 3 },
		{ time: 60_000, tenant: "", count: 3 },
	];
	const losses = (of: Segment) => [...of.losses].sort((a, b) => a.time - b.time);
	const sorted = found.sort((a, b) => a.time - b.time);
	assert.deepEqual(losses(segment), sorted);
	segment.close();
	const again = Segment.sealed(path, 1);
	assert.deepEqual(new Set(losses(again).map((loss) => JSON.stringify(loss))).size, 4);
	assert.equal(
		losses(again).reduce((sum, { count }) => sum + count, 0),
		12,
	);
});
