import { existsSync, rmSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { LogLine } from "../../observe/record.ts";
import { transact } from "../../stores/sqlite.ts";
import type { Bytes, Count, EpochMs } from "../../units.ts";
import { type Loss, Losses } from "./losses.ts";
import { bytesOf, ENTRY_COLUMNS, MOST_LINES_BYTES, type NewEntry, rowOf } from "./new-entry.ts";
import { type EntryRow, linesOf } from "./stored-entry.ts";

/**
 * Entries lie in the order in which one version's are read. A row's first columns are those that most queries are of, so
 * that what lies on pages of its own behind them is not read for these.
 */
const SCHEMA = `
	CREATE TABLE state (
		id INTEGER PRIMARY KEY CHECK (id = 1), session TEXT NOT NULL, batch INTEGER NOT NULL, taken INTEGER NOT NULL,
		settled INTEGER NOT NULL, next INTEGER NOT NULL, begun INTEGER NOT NULL, written INTEGER NOT NULL,
		clean INTEGER NOT NULL);
	CREATE TABLE groups (
		id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, function TEXT NOT NULL, version TEXT NOT NULL,
		first INTEGER NOT NULL, last INTEGER NOT NULL, entries INTEGER NOT NULL, bytes INTEGER NOT NULL);
	CREATE TABLE lost (
		time INTEGER NOT NULL, tenant TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (time, tenant)) WITHOUT ROWID;
	CREATE TABLE entries (
		grp INTEGER NOT NULL, time INTEGER NOT NULL, id INTEGER NOT NULL, size INTEGER NOT NULL, requestId TEXT NOT NULL,
		levels INTEGER NOT NULL, exceeded TEXT, outcome TEXT, status INTEGER, cpuMs REAL, wallMs REAL, startMs REAL,
		cold INTEGER, requestBytes INTEGER, responseBytes INTEGER, subrequests INTEGER, memoryBytes INTEGER,
		attempts INTEGER, event TEXT, "trigger" TEXT, method TEXT, hostname TEXT, url TEXT, traceId TEXT, spanId TEXT, more TEXT, marks TEXT, text TEXT,
		PRIMARY KEY (grp, time, id)) WITHOUT ROWID;`;
const VERSION = 1;
/** So many prepared statements are kept. */
const MOST_STATEMENTS = 40;

/** How far a process has come, as of its last transaction. */
export interface State {
	/** Whose batches they were, the number of the last, and how many entries of records and lines had come by then. */
	session: string;
	batch: number;
	taken: Count;
	/** How many of these were stored, or counted as lost. */
	settled: Count;
	/** The next entry's id. */
	next: number;
	begun: EpochMs;
	written: EpochMs;
	/** Whether nothing was under way when it ended. */
	clean: number;
}

/** What a segment has of one version. */
export interface Group {
	id: number;
	tenant: string;
	function: string;
	version: string;
	/** No entry is older or newer. */
	first: EpochMs;
	last: EpochMs;
	entries: Count;
	bytes: Bytes;
}

/** Where an entry lies. */
export interface Place {
	segment: Segment;
	group: Group;
	time: EpochMs;
	id: number;
}

/** No entry is older or newer; of a segment that has none, no time is. */
interface Range {
	first: EpochMs;
	last: EpochMs;
}

/** What was written within some hours, in a database of its own, so that it goes as a whole. */
export class Segment {
	readonly path: string;
	readonly sequence: number;
	readonly groups = new Map<string, Group>();
	readonly losses = new Losses();
	state: State | null = null;
	/** The highest id of a group. */
	#lastGroup = 0;
	/** Between which times all entries are; `null` where it has to be looked for. */
	#range: Range | null = null;
	#database: DatabaseSync | null = null;
	readonly #statements = new Map<string, StatementSync>();
	#isLive: boolean;

	private constructor(path: string, sequence: number, isLive: boolean) {
		this.path = path;
		this.sequence = sequence;
		this.#isLive = isLive;
	}

	/** Opens one for writing, and makes it where it is missing. Throws where that cannot be. */
	static live(path: string, sequence: number): Segment {
		const segment = new Segment(path, sequence, true);
		try {
			segment.#load();
		} catch (error) {
			segment.close();
			throw error;
		}
		return segment;
	}

	/** Opens one that is written to no longer. Throws where it cannot be read. */
	static sealed(path: string, sequence: number): Segment {
		const segment = new Segment(path, sequence, false);
		try {
			segment.#load();
		} finally {
			segment.close();
		}
		return segment;
	}

	get isOpen(): boolean {
		return this.#database !== null;
	}

	#opened(): DatabaseSync {
		if (this.#database !== null) return this.#database;
		if (!this.#isLive && !existsSync(this.path)) throw new Error(`${this.path} is gone`);
		const database = new DatabaseSync(this.path, { timeout: 100 });
		this.#database = database;
		database.exec("PRAGMA temp_store = MEMORY; PRAGMA synchronous = NORMAL");
		database.exec(this.#isLive ? FOR_WRITING : "PRAGMA cache_size = -4096");
		return database;
	}

	#load(): void {
		const database = this.#opened();
		const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
		if (version > VERSION) throw new Error(`${this.path} was written by a newer atoll`);
		// One whose first transaction was never made is as good as new.
		if (version === 0) {
			if (!this.#isLive) return;
			database.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${VERSION}; COMMIT`);
		} else if (this.#isLive) database.exec("BEGIN IMMEDIATE; COMMIT");
		this.#read();
	}

	/** Takes what the database says for what is so. */
	#read(): void {
		const database = this.#opened();
		const groups = database.prepare("SELECT * FROM groups").all() as unknown as Group[];
		const losses = database.prepare("SELECT * FROM lost").all() as unknown as Loss[];
		this.groups.clear();
		for (const group of groups) this.groups.set(keyOf(group), { ...group });
		this.#lastGroup = groups.reduce((last, { id }) => Math.max(last, id), 0);
		this.#range = null;
		this.losses.clear();
		for (const loss of losses) this.losses.add(loss);
		const state = database.prepare("SELECT * FROM state").get() as unknown as State | undefined;
		this.state = state === undefined ? null : { ...state };
	}

	/** Why what it has is not what was written; `null` where all is well. */
	problem(): string | null {
		const [{ quick_check: first }] = this.#opened().prepare("PRAGMA quick_check(1)").all() as { quick_check: string }[];
		return first === "ok" ? null : first;
	}

	/** A statement of this segment, prepared once. Good until the next call of another object's. */
	prepare(sql: string): StatementSync {
		const there = this.#statements.get(sql);
		if (there !== undefined) return there;
		if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
		const statement = this.#opened().prepare(sql);
		this.#statements.set(sql, statement);
		return statement;
	}

	/** Does it whole or not at all; what failed leaves the segment as it was. */
	#transaction(work: () => void): void {
		const database = this.#opened();
		try {
			transact(database, work);
		} catch (error) {
			this.#read();
			throw error;
		}
	}

	/**
	 * Stores entries and losses together with how far the process has come. Gives the places of those entries; the lines of
	 * entries that are named as their former places become theirs.
	 */
	write(
		entries: readonly (NewEntry & { former?: readonly Place[] })[],
		losses: readonly Loss[],
		state: State,
	): Place[] {
		const places: Place[] = [];
		this.#transaction(() => {
			const changed = new Set<Group>();
			for (const entry of entries) {
				const earlier = this.#takeFormer(entry, changed);
				const whole = earlier.length === 0 ? entry : { ...entry, lines: [...earlier, ...entry.lines] };
				places.push(this.#insert(whole, state.next++, changed));
			}
			for (const group of changed) this.#keep(group);
			for (const loss of losses) this.#lose(loss);
			this.#setState(state);
		});
		return places;
	}

	#insert(entry: NewEntry, id: number, changed: Set<Group>): Place {
		const key = keyOf(entry);
		let group = this.groups.get(key);
		if (group === undefined) {
			const { tenant, function: name, version, time } = entry;
			group = { id: ++this.#lastGroup, tenant, function: name, version, first: time, last: time, entries: 0, bytes: 0 };
			this.groups.set(key, group);
		}
		const { row, size } = rowOf(entry, group.id, id);
		this.prepare(INSERT).run(...row);
		group.first = Math.min(group.first, entry.time);
		group.last = Math.max(group.last, entry.time);
		if (this.#range !== null) widen(this.#range, group);
		group.entries++;
		group.bytes += size;
		changed.add(group);
		return { segment: this, group, time: entry.time, id };
	}

	/** Lines that were stored before their record; what would be too much for one entry stays by itself. */
	#takeFormer({ former = [] }: { former?: readonly Place[] }, changed: Set<Group>): LogLine[] {
		const taken: LogLine[] = [];
		let bytes = 0;
		for (const place of former) {
			const lines = this.#takeLines(place, changed);
			bytes += lines.reduce((sum, line) => sum + bytesOf(line), 0);
			taken.push(...lines);
			if (bytes > MOST_LINES_BYTES) break;
		}
		return taken;
	}

	#takeLines({ group, time, id }: Place, changed: Set<Group>): LogLine[] {
		const sql =
			"DELETE FROM entries WHERE grp = ? AND time = ? AND id = ? RETURNING time, requestId, marks, text, size";
		const row = this.prepare(sql).get(group.id, time, id) as EntryRow | undefined;
		if (row === undefined) return [];
		group.entries--;
		group.bytes -= row.size as Bytes;
		changed.add(group);
		return linesOf(row, group);
	}

	#keep(group: Group): void {
		const { id, tenant, function: name, version, first, last, entries, bytes } = group;
		this.prepare("INSERT OR REPLACE INTO groups VALUES (?, ?, ?, ?, ?, ?, ?, ?)").run(
			...[id, tenant, name, version, first, last, entries, bytes],
		);
	}

	#lose(loss: Loss): void {
		const sql = "INSERT INTO lost VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count";
		this.prepare(sql).run(this.losses.add(loss), loss.tenant, loss.count);
	}

	#setState(state: State): void {
		const { session, batch, taken, settled, next, begun, written, clean } = state;
		this.prepare("INSERT OR REPLACE INTO state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)").run(
			...[session, batch, taken, settled, next, begun, written, clean],
		);
		this.state = { ...state };
	}

	/** Removes a version's oldest entries, up to a time and so many at most. */
	removeOldest(group: Group, { until, most }: { until: EpochMs; most: Count }): void {
		this.#transaction(() => {
			const rows = this.prepare(
				"SELECT time, id, size FROM entries WHERE grp = ? AND time <= ? ORDER BY time, id LIMIT ?",
			).all(group.id, until, most) as unknown as { time: EpochMs; id: number; size: Bytes }[];
			const last = rows[rows.length - 1];
			if (last !== undefined)
				this.prepare("DELETE FROM entries WHERE grp = ? AND (time, id) <= (?, ?)").run(group.id, last.time, last.id);
			group.entries -= rows.length;
			group.bytes -= rows.reduce((sum, { size }) => sum + size, 0);
			const isEmpty = group.entries <= 0 || (rows.length < most && until >= group.last);
			if (!isEmpty) {
				group.first = rows.length === most ? last.time : until + 1;
				this.#keep(group);
			} else {
				this.prepare("DELETE FROM groups WHERE id = ?").run(group.id);
				this.groups.delete(keyOf(group));
			}
			this.#range = null;
			// With it, so that the disk is waited for once.
			this.#opened().exec("PRAGMA incremental_vacuum");
		});
	}

	get entries(): Count {
		return [...this.groups.values()].reduce((sum, { entries }) => sum + entries, 0);
	}

	/** Every query asks for it, of all segments. */
	get range(): Readonly<Range> {
		if (this.#range !== null) return this.#range;
		const range = { first: Number.POSITIVE_INFINITY, last: Number.NEGATIVE_INFINITY };
		for (const group of this.groups.values()) widen(range, group);
		this.#range = range;
		return range;
	}

	/** What it takes on the disk. */
	get bytes(): Bytes {
		return filesOf(this.path).reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
	}

	/** It is written to no longer. All of it is in one file then, where the disk has room for that. */
	seal(): void {
		this.#isLive = false;
		try {
			this.#opened().exec("PRAGMA journal_mode = DELETE");
		} catch {
			// It stays in two files, which are read as well.
		}
		this.close();
	}

	/** It is opened again when it is needed. */
	close(): void {
		this.#statements.clear();
		this.#database?.close();
		this.#database = null;
	}

	remove(): void {
		this.close();
		for (const file of filesOf(this.path)) rmSync(file, { force: true });
	}
}

/** What a file is made with is said of no other: SQLite writes it down each time, and waits for the disk. */
const FOR_WRITING = `PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA locking_mode = EXCLUSIVE;
	PRAGMA journal_mode = WAL; PRAGMA cache_size = -32768`;
const INSERT = `INSERT INTO entries (${ENTRY_COLUMNS.map((name) => `"${name}"`).join(", ")})
	VALUES (${ENTRY_COLUMNS.map(() => "?").join(", ")})`;

const filesOf = (path: string): string[] => ["", "-wal", "-shm", "-journal"].map((suffix) => path + suffix);

/** Has a range take in a group's times. */
function widen(range: Range, { first, last }: Group): void {
	range.first = Math.min(range.first, first);
	range.last = Math.max(range.last, last);
}

/** No name holds a slash, and no version does. */
function keyOf({ tenant, function: name, version }: Pick<Group, "tenant" | "function" | "version">): string {
	return `${tenant}/${name}/${version}`;
}
