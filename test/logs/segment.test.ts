import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { NewEntry } from "../../src/logs/store/new-entry.ts";
import { Segment, type State } from "../../src/logs/store/segment.ts";
import { Segments } from "../../src/logs/store/segments.ts";
import { Writer } from "../../src/logs/store/writer.ts";
import { batchOf } from "../support/log-batches.ts";
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
	for (const version of ["v7", "w49"])
		segment.removeOldest(versions().get(version) as never, { until: 5000, most: 1000 });
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

test("a segment that is written to no longer is opened and read without a write, which would wait for the disk", () => {
	const path = join(temporaryFolder(), "segment-0000000001.db");
	const segment = Segment.live(path, 1);
	segment.write([entry("v", 1000)], [], { ...STATE });
	segment.seal();
	const before = readFileSync(path);
	const again = Segment.sealed(path, 1);
	assert.equal(again.prepare("SELECT count(*) AS entries FROM entries").get()?.entries, 1);
	again.close();
	assert.ok(readFileSync(path).equals(before));
	// What is removed later leaves the file, which was made for that.
	segment.write([entry("w", 1000)], [], { ...STATE, next: 2 });
	assert.equal(segment.prepare("PRAGMA auto_vacuum").get()?.auto_vacuum, 2);
	segment.close();
});

test("of many segments those that were read last stay open", () => {
	const folder = temporaryFolder();
	const COUNT = 40;
	for (let i = 1; i <= COUNT; i++) {
		const segment = Segment.live(join(folder, `segment-${String(i).padStart(10, "0")}.db`), i);
		segment.write([entry("v", 1000 * i)], [], { ...STATE, next: i, written: Date.now() });
		segment.seal();
	}
	const segments = new Segments(folder, { days: 7, maxBytes: 2 ** 30 }, assert.fail);
	const read = (segment: Segment) => segments.read(segment, () => segment.prepare("SELECT 1").get(), undefined);
	const open = () => segments.all.filter(({ isOpen }) => isOpen);
	const [, ...sealed] = segments.all;
	for (const segment of sealed) read(segment);
	assert.deepEqual(open().slice(1), sealed.slice(-16));
	// Two whose entries lie between one another's: neither closes the other.
	const [one, other] = [sealed[0], sealed[20]];
	for (let i = 0; i < 3; i++) {
		read(one);
		read(other);
		assert.ok(one.isOpen && other.isOpen);
	}
	assert.equal(open().length, 17);
	segments.close();
	assert.deepEqual(open(), []);
});

test("a tenant's function of few entries keeps its latest where another one's are too many", () => {
	const segments = new Segments(temporaryFolder(), { days: 7, maxBytes: 2 ** 32, tenantBytes: 2 ** 20 }, assert.fail);
	const of = (version: string, count: number, first: number) =>
		Array.from({ length: count }, (_, i) => entry(version, first + Math.floor((1_000_000 * i) / count)));
	// The rare one's first is the oldest of all.
	const entries = [...of("rare", 400, 1000), ...of("many", 10_000, 1001)];
	segments.live.write(entries, [], { ...STATE, written: Date.now() });
	const { groups } = segments.live;
	const [rare, many] = ["rare", "many"].map((version) => groups.get(`one/shop/${version}`));
	while (segments.tidy());
	assert.ok((segments.bytesByTenant().get("one") as number) <= 2 ** 20);
	assert.ok(many !== undefined && many.entries < 9000 && many.entries > 1000, String(many?.entries));
	assert.ok(rare !== undefined && rare.entries >= 400 / 4, String(rare?.entries));
	const [{ least }] = segments.live.prepare("SELECT min(time) AS least FROM entries").all() as { least: number }[];
	assert.ok(segments.live.range.first <= least && least > 1001);
	segments.close();
});

test("whoever sends more than may wait waits for the writer, and loses nothing", async () => {
	const segments = new Segments(temporaryFolder(), { days: 7, maxBytes: 2 ** 30 }, assert.fail);
	const writer = new Writer(segments, assert.fail);
	const [BATCHES, ENTRIES] = [6, 100];
	const url = "x".repeat(40_000);
	const batch = batchOf(Array.from({ length: ENTRIES }, (_, i) => record({ url: url + i })));
	let taken = 0;
	// 4 MB each, without a round of the event loop between them as long as there is room.
	for (let number = 1; number <= BATCHES; number++)
		taken = await writer.take({ session: "test", number, taken, lost: 0 }, batch);
	writer.close();
	assert.equal(taken, BATCHES * ENTRIES);
	assert.equal(
		segments.all.reduce((sum, { entries }) => sum + entries, 0),
		BATCHES * ENTRIES,
	);
	assert.deepEqual(
		segments.all.flatMap(({ losses }) => [...losses]),
		[],
	);
	segments.close();
});
