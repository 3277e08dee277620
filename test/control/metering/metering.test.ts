import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Metering } from "../../../src/control/metering/metering.ts";
import { ReportRoom } from "../../../src/control/metering/report-room.ts";
import { csvOf, usageReport } from "../../../src/control/metering/usage-report.ts";
import { Meter } from "../../../src/edge/meter.ts";
import { Lines } from "../../../src/feed/lines.ts";
import type { ToMeter, ToMetering } from "../../../src/feed/usage.ts";
import type { FunctionId } from "../../../src/names.ts";
import { type InvocationRecord, newRecord } from "../../../src/observe/record.ts";
import { temporaryFolder } from "../../support/runtime.ts";
import { noMoreDisk, smallDisk } from "../../support/small-disk.ts";
import { until } from "../../support/until.ts";

const DAY_MS = 24 * 3600_000;

/** A metering in a folder of its own, and edges that tell it. */
class Bench {
	readonly data: string;
	readonly logged: string[] = [];
	now = Date.parse("2026-12-01T12:00:00Z");
	metering!: Metering;
	readonly #meters: Meter[] = [];

	constructor(data = temporaryFolder()) {
		this.data = data;
	}

	get socket(): string {
		return join(this.data, "metering.sock");
	}

	async open(listens = true): Promise<this> {
		const log = (_: string, message: string) => this.logged.push(message);
		this.metering = await Metering.open({ data: this.data, days: 40, log, now: () => this.now });
		if (listens) await this.metering.listen(this.socket);
		return this;
	}

	meter(held: () => (FunctionId & { memoryMb: number })[] = () => []): Meter {
		const meter = new Meter({ path: this.socket, held, onRefused: () => undefined, now: () => this.now });
		this.#meters.push(meter);
		return meter;
	}

	record(more: Partial<InvocationRecord> = {}): InvocationRecord {
		const known = { tenant: "acme", function: "shop", attempts: 1, time: new Date(this.now).toISOString() };
		return { ...newRecord("id", "http", "http"), ...known, ...more };
	}

	/** How many requests there were, by a tenant's days or functions. */
	async requests(by: "day" | "function" | "tenant" | "month" = "day"): Promise<Record<string, number>> {
		await this.metering.fold();
		const query = { tenant: null, from: "2000-01-01", to: "2999-01-01", by, functions: null, after: "", most: 1000 };
		const { rows } = await usageReport(this.metering.store, query);
		return Object.fromEntries(rows.map(({ key, requests }) => [key, requests]));
	}

	async told(expected: Record<string, number>, by?: "day" | "function"): Promise<void> {
		await until(async () => JSON.stringify(await this.requests(by)) === JSON.stringify(expected));
	}

	async close(): Promise<void> {
		await Promise.all(this.#meters.map((meter) => meter.close()));
		await this.metering.close(0);
	}
}

/** The lines of a journal as edges' words stand there. */
const line = (edge: string, requests: number, day = "2026-12-01") =>
	`${JSON.stringify([edge, 0, "acme", "shop", day, requests, 0, 0, 0, 0, 0, 0])}\n`;
const journal = (data: string, text: string) => {
	mkdirSync(join(data, "metering"), { recursive: true });
	writeFileSync(join(data, "metering/journal-00000000-0000-0000-0000-000000000000"), text);
};

test("what ran is counted by its own day; what did not run, or failed by atoll's fault, is not", async () => {
	const bench = await new Bench().open();
	const meter = bench.meter();
	meter.count(bench.record({ cpuMs: 1.5, responseBytes: 10, subrequests: 2, cold: true }), 128_000);
	meter.count(bench.record({ outcome: "exception" }), 0);
	meter.count(bench.record({ outcome: "client_gone" }), 0);
	meter.count(bench.record({ outcome: "cpu_limit_exceeded", cpuMs: 1000 }), 0);
	for (const outcome of ["sandbox_lost", "internal_error", "shutting_down", "overloaded"] as const)
		meter.count(bench.record({ outcome, cpuMs: 1 }), 1);
	for (const outcome of ["ok", "paused", "quota_exceeded", "client_gone"] as const)
		meter.count(bench.record({ outcome, attempts: 0 }), 1);
	// Its clock has gone on, and the next record is of an invocation that began before midnight.
	bench.now += DAY_MS;
	meter.count(bench.record(), 0);
	meter.count(bench.record({ time: "2026-12-01T23:59:59.999Z" }), 0);
	await bench.told({ "2026-12-01": 5, "2026-12-02": 1 });
	assert.deepEqual(await bench.requests("month"), { "2026-12": 6 });
	assert.deepEqual(
		bench.metering.store.total("acme", "2026-12-01", "2026-12-01"),
		[5, 1_001_500, 128_000, 0, 10, 2, 1],
	);
	await bench.close();
});

test("where control is gone counters go on, and are told it when it is back, once", async () => {
	const bench = await new Bench().open();
	const meters = [bench.meter(), bench.meter()];
	for (const meter of meters) meter.count(bench.record(), 0);
	await bench.told({ "2026-12-01": 2 });
	await bench.metering.close(0);
	for (const meter of meters) for (let i = 0; i < 10; i++) meter.count(bench.record({ function: `f${i}` }), 0);
	await bench.open();
	await bench.told({ "2026-12-01": 22 });
	meters[0].count(bench.record(), 0);
	await bench.told({ "2026-12-01": 23 });
	await bench.close();
});

test("however many invocations end in one round, control is told once, and of each function once", async () => {
	const folder = temporaryFolder();
	const told: ToMetering[] = [];
	const server = createServer((socket) => new Lines<ToMetering, ToMeter>(socket, (said) => told.push(said)));
	await new Promise<void>((resolve) => server.listen(join(folder, "metering.sock"), resolve));
	const bench = new Bench(folder);
	const meter = bench.meter();
	await until(() => told.length === 1);
	for (let round = 1; round <= 2; round++) {
		for (let i = 0; i < 1000; i++) meter.count(bench.record({ function: `f${i % 10}` }), 0);
		await until(() => told.length === 1 + round);
	}
	const [, first, second] = told as (ToMetering & { kind: "used" })[];
	assert.deepEqual([first.named.length, first.values.length], [10, 10]);
	// Names are told once a connection, and values as they are in all.
	assert.deepEqual([second.named.length, second.values.map((value) => value[1])], [0, Array(10).fill(200)]);
	await meter.close();
	server.close();
});

test("an edge that ends tells the last of it", async () => {
	const bench = await new Bench().open();
	const meter = bench.meter();
	meter.count(bench.record(), 0);
	await meter.close();
	assert.deepEqual(await bench.requests(), { "2026-12-01": 1 });
	await bench.close();
});

test("a journal that was left behind is folded, and folding it again changes nothing", async () => {
	const bench = new Bench();
	const text = line("a", 5) + line("b", 7) + line("a", 9);
	journal(bench.data, text);
	await bench.open(false);
	assert.deepEqual(await bench.requests(), { "2026-12-01": 16 });
	const left = () => readdirSync(join(bench.data, "metering")).filter((name) => name.startsWith("journal"));
	assert.deepEqual(left(), []);
	for (let i = 0; i < 2; i++) {
		await bench.metering.close(0);
		journal(bench.data, text);
		await bench.open(false);
		assert.deepEqual(await bench.requests(), { "2026-12-01": 16 });
	}
	assert.deepEqual(bench.logged, []);
	await bench.close();
});

test("lines of a journal that are not whole are ignored, with a word, and those around them are not", async () => {
	const bench = new Bench();
	const whole = line("a", 5);
	journal(
		bench.data,
		`${whole.slice(0, 30)}\n\n${whole}${"\0".repeat(20)}\n[1,2]\n${line("b", -3)}${line("c", 1).slice(0, -2)}`,
	);
	await bench.open(false);
	assert.deepEqual(await bench.requests(), { "2026-12-01": 5 });
	assert.match(bench.logged.join(), /5 lines that are not whole/);
	await bench.close();
});

test("what was journaled and not folded outlives a process that is killed", async () => {
	const bench = await new Bench().open();
	const meter = bench.meter();
	for (let i = 0; i < 3; i++) meter.count(bench.record(), 0);
	const files = () => readdirSync(join(bench.data, "metering")).filter((name) => name.startsWith("journal"));
	// What a kill leaves is what the folder has at that moment.
	await until(() => files().length > 0);
	const killed = new Bench();
	cpSync(join(bench.data, "metering"), join(killed.data, "metering"), { recursive: true });
	rmSync(join(killed.data, "metering/usage.sqlite"));
	rmSync(join(killed.data, "metering/usage.sqlite-wal"), { force: true });
	rmSync(join(killed.data, "metering/usage.sqlite-shm"), { force: true });
	await killed.open(false);
	assert.deepEqual(await killed.requests(), { "2026-12-01": 3 });
	await Promise.all([bench.close(), killed.close()]);
});

test("what is held ready is counted apart, as long as it is held", async () => {
	const bench = await new Bench().open();
	let held = [{ tenant: "acme", name: "shop", memoryMb: 256 }];
	const meter = bench.meter(() => held);
	const total = () => bench.metering.store.total("acme", "2026-12-01", "2026-12-01");
	await until(async () => {
		await bench.metering.fold();
		return total()[3] >= 256 * 1000;
	});
	held = [];
	meter.release();
	await bench.told({ "2026-12-01": 0 });
	await meter.close();
	await bench.metering.fold();
	const [requests, , memory, provisioned] = total();
	assert.deepEqual([requests, memory, provisioned % 256], [0, 0, 0]);
	await bench.close();
});

test("an edge forgets old days once they are on the disk, and counts what still comes of them anew", async () => {
	const bench = await new Bench().open();
	const meter = bench.meter();
	const first = bench.record();
	for (let i = 0; i < 3; i++) meter.count(first, 0);
	meter.forget();
	await bench.told({ "2026-12-01": 3 });
	bench.now += 3 * DAY_MS;
	const kept = async () => {
		await bench.metering.fold();
		meter.forget();
		meter.count(first, 0);
		await bench.metering.fold();
	};
	// However often it forgets: what comes is added to what was there.
	for (let i = 0; i < 5; i++) await kept();
	await bench.told({ "2026-12-01": 8 });
	await bench.metering.close(0);
	await bench.open();
	meter.count(first, 0);
	await bench.told({ "2026-12-01": 9 });
	await bench.close();
});

test("days are kept for so long, and an edge that was not heard for a day is not believed again", async () => {
	const bench = new Bench();
	journal(bench.data, line("old", 5, "2026-10-01") + line("old", 3));
	await bench.open(false);
	bench.now += 2 * DAY_MS;
	await bench.metering.tidy();
	assert.deepEqual(await bench.requests(), { "2026-12-01": 3 });
	await bench.metering.close(0);
	journal(bench.data, line("old", 4) + line("new", 1));
	await bench.open(false);
	assert.deepEqual(await bench.requests(), { "2026-12-01": 4 });
	assert.match(bench.logged.join(), /the edge old was not heard for a day/);
	await bench.close();
});

test("functions are told in the order of their tenants, in pages", async () => {
	const bench = await new Bench().open();
	const meter = bench.meter();
	for (const tenant of ["a", "a-b", "a_c", "b"])
		for (const name of ["x", "y"]) meter.count(bench.record({ tenant, function: name }), 0);
	await until(async () => Object.keys(await bench.requests("function")).length === 8);
	const all: string[] = [];
	for (let more = true; more; ) {
		const query = { tenant: null, from: "2026-12-01", to: "2026-12-31", by: "function" as const, functions: null };
		const page = await usageReport(bench.metering.store, { ...query, after: all.at(-1) ?? "", most: 3 });
		all.push(...page.rows.map(({ key }) => key));
		more = page.more;
	}
	assert.deepEqual(all, ["a/x", "a/y", "a-b/x", "a-b/y", "a_c/x", "a_c/y", "b/x", "b/y"]);
	await bench.close();
});

test("a cell of CSV is no formula, whatever it says", () => {
	const rows = [
		{ a: "=1+1", b: 2.5 },
		{ a: 'say "x", y', b: null },
	];
	assert.equal(csvOf(rows, ["a", "b"]), 'a,b\r\n\'=1+1,2.5\r\n"say ""x"", y",\r\n');
});

// Its folder goes after the disk on it.
const disk = join(temporaryFolder(), "disk");
test("where the disk is full counts are kept, and told when there is room", async (t) => {
	if (!smallDisk(disk, "1m")) return t.skip("it takes root to have a small disk");
	t.after(() => noMoreDisk(disk));
	const bench = await new Bench(disk).open();
	const meter = bench.meter();
	meter.count(bench.record(), 0);
	await bench.told({ "2026-12-01": 1 });
	const filler = join(disk, "filler");
	try {
		for (;;) appendFileSync(filler, Buffer.alloc(4096));
	} catch (error) {
		assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
	}
	// More than there is room for in what files have already.
	for (let i = 0; i < 5000; i++) meter.count(bench.record({ function: `f${i}` }), 0);
	await until(async () => {
		await bench.metering.fold();
		return bench.logged.length > 0;
	});
	assert.match(bench.logged.join(), /kept in memory: .*(full|ENOSPC|disk|I\/O)/i);
	rmSync(filler);
	await bench.told({ "2026-12-01": 5001 });
	await bench.metering.close(0);
	await bench.open(false);
	assert.deepEqual(await bench.requests(), { "2026-12-01": 5001 });
	await bench.close();
});

test("reports have room by whoever asks: who asks for many is told to wait, and others are not", async () => {
	const room = new ReportRoom();
	const { promise, resolve } = Promise.withResolvers<void>();
	const of = (asker: string | null) => room.make(asker, () => promise);
	const running = [of("acme"), of("acme")];
	await assert.rejects(of("acme"), /too many reports/);
	for (const tenant of ["a", "b", "c"]) running.push(of(tenant), of(tenant));
	await assert.rejects(of("d"), /too many reports/);
	running.push(of(null));
	resolve();
	await Promise.all(running);
	await room.make("acme", async () => undefined);
});
