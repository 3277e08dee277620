import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate as pause } from "node:timers/promises";
import { addBindingCalls, addHistogram, type Histogram, newHistogram, type Tally } from "../../observe/tally.ts";
import { Refused } from "../../stores/store.ts";
import type { Count, Milliseconds } from "../../units.ts";
import type { EpochMs, Rollup, RollupQuery } from "../calls.ts";

const HOUR: Milliseconds = 3600_000;
const DAY = 24 * HOUR;
/** How long steps are, and for how long they are kept. */
const KEPT: readonly [step: Milliseconds, keptMs: Milliseconds][] = [
	[10_000, 6 * HOUR],
	[60_000, 7 * DAY],
	[HOUR, 396 * DAY],
];
/** So many versions have rollups of their own in a step, of one tenant a quarter of them; the others share one. */
const MOST_VERSIONS: Count = 1000;
const MOST_OF_TENANT = 1 / 4;
const OTHERS = "_others";
/** So many rows there are of each length of step; the oldest go. */
const MOST_ROWS: Count = 2_000_000;
const MOST_REMOVED: Count = 2000;
/** So many rows are read for one query, and so many steps with what is told apart in them are told. */
const MOST_READ: Count = 200_000;
const MOST_TOLD: Count = 12_000;
/** So many are read without a pause. */
const MOST_AT_ONCE: Count = 1000;

const SCHEMA = `
	CREATE TABLE state (session TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
	CREATE TABLE rollups (
		step INTEGER NOT NULL, time INTEGER NOT NULL, tenant TEXT NOT NULL, function TEXT NOT NULL, version TEXT NOT NULL,
		value TEXT NOT NULL, PRIMARY KEY (step, time, tenant, function, version)) WITHOUT ROWID;
	CREATE INDEX rollups_of ON rollups (step, tenant, function, time);`;
const VERSION = 1;
const DAMAGED = [11, 26];

/** What is added up of a version in a step. */
type Sums = Pick<
	Rollup,
	| "outcomes"
	| "wall"
	| "cpu"
	| "start"
	| "requestBytes"
	| "responseBytes"
	| "subrequests"
	| "bindingCalls"
	| "memoryBytes"
>;

interface Row {
	time: EpochMs;
	tenant: string;
	function: string;
	version: string;
	value: string;
}

type Whose = Pick<Rollup, "tenant" | "function" | "version">;

/** What was counted, by steps of several lengths. */
export class RollupStore {
	readonly #database: DatabaseSync;
	readonly #statements;
	#rows: Map<Milliseconds, Count>;

	constructor(folder: string, word: (text: string) => void) {
		this.#database = opened(join(folder, "rollups.db"), word);
		const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
		this.#statements = {
			number: prepare("SELECT number FROM state WHERE session = ?"),
			setNumber: prepare("INSERT OR REPLACE INTO state VALUES (?, ?)"),
			forget: prepare("DELETE FROM state WHERE session <> ?"),
			get: prepare(
				"SELECT value FROM rollups WHERE step = ? AND time = ? AND tenant = ? AND function = ? AND version = ?",
			),
			put: prepare("INSERT OR REPLACE INTO rollups VALUES (?, ?, ?, ?, ?, ?)"),
			count: prepare("SELECT count(*) AS count FROM rollups WHERE step = ?"),
			versions: prepare("SELECT count(*) AS count, total(tenant = ?) AS own FROM rollups WHERE step = ? AND time = ?"),
			remove: prepare(
				`DELETE FROM rollups WHERE (step, time, tenant, function, version) IN (SELECT step, time, tenant, function, version
				FROM rollups WHERE step = ? AND time < ? ORDER BY time LIMIT ${MOST_REMOVED})`,
			),
		};
		this.#rows = new Map(
			KEPT.map(([step]) => [step, (this.#statements.count.get(step) as { count: Count }).count] as const),
		);
	}

	/** Adds what was counted, all of it or nothing; what has a number that was there is there already. */
	add(session: string, number: number, steps: readonly { time: EpochMs; tallies: readonly Tally[] }[]): void {
		const { number: last = 0 } = (this.#statements.number.get(session) ?? {}) as { number?: number };
		if (number <= last) return;
		const before = new Map(this.#rows);
		this.#database.exec("BEGIN IMMEDIATE");
		try {
			for (const { time, tallies } of steps)
				for (const [step] of KEPT) {
					const began = time - (time % step);
					for (const tally of tallies) this.#addTo(step, began, tally);
				}
			this.#statements.forget.run(session);
			this.#statements.setNumber.run(session, number);
			this.#database.exec("COMMIT");
		} catch (error) {
			if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
			this.#rows = before;
			throw error;
		}
	}

	#addTo(step: Milliseconds, time: EpochMs, tally: Tally & { version?: string }): void {
		const { tenant, function: name, version = "" } = tally;
		let key: [string, string, string] = [tenant, name, version];
		let row = this.#statements.get.get(step, time, ...key) as { value: string } | undefined;
		if (row === undefined && name !== OTHERS && !this.#hasRoom(step, time, tenant)) {
			key = ["", OTHERS, ""];
			row = this.#statements.get.get(step, time, ...key) as { value: string } | undefined;
		}
		const sums = row === undefined ? newSums() : sumsIn(row.value);
		addSums(sums, tally);
		this.#statements.put.run(step, time, ...key, textOf(sums));
		if (row === undefined) this.#rows.set(step, (this.#rows.get(step) ?? 0) + 1);
	}

	/** Most steps have few versions; they are counted where that may be otherwise. */
	#hasRoom(step: Milliseconds, time: EpochMs, tenant: string): boolean {
		const { count, own } = this.#statements.versions.get(tenant, step, time) as { count: Count; own: Count };
		return count < MOST_VERSIONS && (tenant === "default" || own < MOST_VERSIONS * MOST_OF_TENANT);
	}

	/** Steps in order, read a part at a time. Rejects with Refused where that is too much. */
	async query({ tenant, functions, since, until, step, by }: RollupQuery): Promise<Rollup[]> {
		if (functions !== null && tenant === null) throw new Refused("400 functions: they are asked for of one tenant");
		// A step that has begun before is not all of it after.
		const times = [Math.ceil(since / step) * step, until];
		const told = new Map<string, Rollup>();
		let read = 0;
		for (const row of this.#read(step, tenant, functions, times)) {
			if (++read > MOST_READ || told.size > MOST_TOLD)
				throw new Refused("400 step: there are too many for one answer: ask for longer steps, or a shorter time");
			const whose: Whose = {
				tenant: by === "total" ? (tenant ?? "") : row.tenant,
				function: by === "total" ? "" : row.function,
				version: by === "version" ? row.version : "",
			};
			const key = `${row.time}/${whose.tenant}/${whose.function}/${whose.version}`;
			const rollup = told.get(key) ?? { time: row.time, step, ...whose, ...newSums() };
			told.set(key, rollup);
			addSums(rollup, sumsIn(row.value));
			if (read % MOST_AT_ONCE === 0) await pause();
		}
		return [...told.values()].sort((a, b) => a.time - b.time);
	}

	*#read(step: Milliseconds, tenant: string | null, functions: string[] | null, times: number[]): Iterable<Row> {
		const rows = (condition: string, ...values: (string | number)[]) =>
			this.#database
				.prepare(`SELECT time, tenant, function, version, value FROM rollups WHERE step = ? AND ${condition}`)
				.iterate(step, ...values, ...times) as unknown as Iterable<Row>;
		if (tenant === null) yield* rows("time >= ? AND time < ?");
		else if (functions === null) yield* rows("tenant = ? AND time >= ? AND time < ?", tenant);
		else
			for (const name of new Set(functions))
				yield* rows("tenant = ? AND function = ? AND time >= ? AND time < ?", tenant, name);
	}

	/** Removes some of what is too old, or too much. `isTrusted` says whether the clock may tell. */
	tidy(now: EpochMs, isTrusted: boolean): void {
		for (const [step, keptMs] of KEPT) {
			const count = this.#rows.get(step) ?? 0;
			const before = count > MOST_ROWS ? Number.MAX_SAFE_INTEGER : isTrusted ? now - keptMs : 0;
			if (before === 0) continue;
			const { changes } = this.#statements.remove.run(step, before);
			this.#rows.set(step, count - Number(changes));
		}
	}

	close(): void {
		this.#database.close();
	}
}

function opened(path: string, word: (text: string) => void): DatabaseSync {
	try {
		return open(path);
	} catch (error) {
		if (!DAMAGED.includes(((error as { errcode?: number }).errcode ?? 0) & 0xff)) throw error;
		word(`${path} is damaged (${(error as Error).message}), and was set aside as ${path}.damaged`);
		renameSync(path, `${path}.damaged`);
		for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
		return open(path);
	}
}

function open(path: string): DatabaseSync {
	const database = new DatabaseSync(path, { timeout: 5000 });
	database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY");
	const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
	if (version > VERSION) throw new Error(`${path} was written by a newer atoll`);
	if (version === 0) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${VERSION}; COMMIT`);
	return database;
}

function newSums(): Sums {
	return {
		outcomes: {},
		...{ wall: newHistogram(), cpu: newHistogram(), start: newHistogram() },
		...{ requestBytes: 0, responseBytes: 0, subrequests: 0, bindingCalls: {}, memoryBytes: 0 },
	};
}

function addSums(to: Sums, more: Sums | Tally): void {
	for (const [outcome, count] of Object.entries(more.outcomes))
		to.outcomes[outcome] = (to.outcomes[outcome] ?? 0) + count;
	addHistogram(to.wall, more.wall);
	addHistogram(to.cpu, more.cpu);
	addHistogram(to.start, more.start);
	to.requestBytes += more.requestBytes;
	to.responseBytes += more.responseBytes;
	to.subrequests += more.subrequests;
	addBindingCalls(to.bindingCalls, more.bindingCalls);
	if (more.memoryBytes > 0) to.memoryBytes = more.memoryBytes;
}

/** As it is stored: of histograms only the buckets that have something. */
function textOf(sums: Sums): string {
	const { outcomes, wall, cpu, start, requestBytes, responseBytes, subrequests, bindingCalls, memoryBytes } = sums;
	const numbers = [requestBytes, responseBytes, subrequests, memoryBytes];
	return JSON.stringify([outcomes, sparse(wall), sparse(cpu), sparse(start), ...numbers, bindingCalls]);
}

type Sparse = [sum: number, ...bucketsAndCounts: number[]];

function sparse({ counts, sum }: Histogram): Sparse {
	return [sum, ...counts.flatMap((count, bucket) => (count === 0 ? [] : [bucket, count]))];
}

function dense([sum, ...pairs]: Sparse): Histogram {
	const histogram = newHistogram();
	histogram.sum = sum;
	for (let i = 0; i < pairs.length; i += 2) histogram.counts[pairs[i]] = pairs[i + 1];
	return histogram;
}

function sumsIn(text: string): Sums {
	const [outcomes, wall, cpu, start, requestBytes, responseBytes, subrequests, memoryBytes, bindingCalls] = JSON.parse(
		text,
	) as [...[Record<string, Count>, Sparse, Sparse, Sparse], ...[number, number, number, number, Record<string, Count>]];
	return {
		...{ outcomes, wall: dense(wall), cpu: dense(cpu), start: dense(start) },
		...{ requestBytes, responseBytes, subrequests, bindingCalls, memoryBytes },
	};
}
