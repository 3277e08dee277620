import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { DEFAULT_TENANT } from "../../names.ts";
import { addSums, newSums, type Tally } from "../../observe/tally.ts";
import { isDamaged, transact } from "../../stores/sqlite.ts";
import type { Count, EpochMs, Milliseconds } from "../../units.ts";
import type { RollupQuery } from "../calls.ts";
import { type RollupBounds, RollupSearch } from "./rollup-search.ts";
import { sumsIn, textOf } from "./sums.ts";

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
const SCHEMA = `
	CREATE TABLE state (session TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
	CREATE TABLE rollups (
		step INTEGER NOT NULL, time INTEGER NOT NULL, tenant TEXT NOT NULL, function TEXT NOT NULL, version TEXT NOT NULL,
		value TEXT NOT NULL, PRIMARY KEY (step, time, tenant, function, version)) WITHOUT ROWID;
	CREATE INDEX rollups_of ON rollups (step, tenant, function, time);`;
const VERSION = 1;

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
		try {
			transact(this.#database, () => {
				for (const { time, tallies } of steps)
					for (const [step] of KEPT) {
						const began = time - (time % step);
						for (const tally of tallies) this.#addTo(step, began, tally);
					}
				this.#statements.forget.run(session);
				this.#statements.setNumber.run(session, number);
			});
		} catch (error) {
			this.#rows = before;
			throw error;
		}
	}

	#addTo(step: Milliseconds, time: EpochMs, tally: Tally): void {
		const { tenant, function: name, version } = tally;
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
		return count < MOST_VERSIONS && (tenant === DEFAULT_TENANT || own < MOST_VERSIONS * MOST_OF_TENANT);
	}

	/** Throws Refused for a query that makes no sense. */
	search(query: RollupQuery, bounds?: RollupBounds): RollupSearch {
		return new RollupSearch(this.#database, query, bounds);
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
		if (!isDamaged(error)) throw error;
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
