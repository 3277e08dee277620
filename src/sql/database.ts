import { DatabaseSync, type StatementSync } from "node:sqlite";
import { LRUCache } from "lru-cache";
import type { Bytes, Milliseconds } from "../units.ts";
import { Authorizer } from "./authorizer.ts";
import { problemOf, SqlProblem } from "./problem.ts";
import type { Param, Query } from "./query.ts";
import { MOST_RESULT, Rows, type Value } from "./rows.ts";
import { Script } from "./statements.ts";
import { Transactions } from "./transactions.ts";

/** One row, text or blob: https://developers.cloudflare.com/d1/platform/limits/ */
const MOST_VALUE: Bytes = 2_000_000;
/** https://www.sqlite.org/limits.html */
const LIMITS = {
	length: MOST_VALUE,
	// What a script's next statement is looked for in; one statement may have less (`statements.ts`).
	sqlLength: 500_000,
	column: 100,
	exprDepth: 100,
	compoundSelect: 50,
	vdbeOp: 250_000,
	functionArg: 32,
	attach: 0,
	likePatternLength: 50,
	variableNumber: 100,
	triggerDepth: 10,
};
const PAGE: Bytes = 4096;
/** https://www.sqlite.org/rescode.html#range */
const RANGE = 25;
/** Statements that are kept compiled. */
const MOST_KEPT = 100;
/** Another process, of an edge that drains or of control, may be writing. */
const BUSY_MS: Milliseconds = 5000;
/** What is written goes to the disk with each commit; what is not committed, and what is sorted, stays in memory. */
const SETTINGS = `
	PRAGMA journal_mode = WAL;
	PRAGMA synchronous = FULL;
	PRAGMA temp_store = MEMORY;
	PRAGMA cache_spill = OFF;
	PRAGMA cache_size = -16384;
	PRAGMA mmap_size = 0;
	PRAGMA journal_size_limit = 4194304;
	PRAGMA trusted_schema = OFF`;

/** What one statement has come to. */
export interface Result {
	columns: string[];
	rows: Rows;
	meta: Meta;
}

/** https://developers.cloudflare.com/d1/worker-api/return-object/ */
export interface Meta {
	served_by: string;
	duration: Milliseconds;
	changes: number;
	last_row_id: number;
	changed_db: boolean;
	size_after: Bytes;
	rows_read: number;
	rows_written: number;
}

/** What a statement counts, where this Node tells: https://www.sqlite.org/c3ref/c_stmtstatus_counter.html */
type Counting = StatementSync & { stat?(counter: "fullscanStep"): number; resetStats?(): void };

interface Compiled {
	statement: Counting;
	writes: boolean;
	/** How many values it takes; `null` before it was run. */
	parameters: number | null;
}

/** Something that is asked of a database, with a number of its own. */
export interface SqlCall<T> {
	id: number;
	run: (database: SqlDatabase) => T;
}

/** A tenant's database, whose statements strangers write. */
export class SqlDatabase {
	readonly #database: DatabaseSync;
	readonly #authorizer = new Authorizer();
	readonly #kept = new LRUCache<string, Compiled>({ max: MOST_KEPT });
	readonly #state: StatementSync;
	readonly #pages: StatementSync;
	readonly #schema: StatementSync;
	/** Of the schema that was looked at last: whether there is anything in it that is checked with the commit alone. */
	#defers = false;
	#schemaVersion = -1n;
	#mostPages = 0;
	/** How much the call that runs may bring still. */
	#left = 0;
	/** A statement has changed how the connection goes on: the next call is for another one. */
	isStale = false;
	readonly #transactions: Transactions;

	/** `onCommit` is called with the numbers of calls before anything lasts that they have changed. */
	constructor(path: string, onCommit: (calls: Iterable<number>) => void) {
		this.#database = new DatabaseSync(path, {
			timeout: BUSY_MS,
			limits: LIMITS,
			defensive: true,
			readBigInts: true,
			returnArrays: true,
		});
		this.#database.exec(SETTINGS);
		this.#state = this.#database.prepare("SELECT total_changes(), last_insert_rowid()");
		this.#pages = this.#database.prepare("PRAGMA page_count");
		this.#schema = this.#database.prepare("PRAGMA schema_version");
		this.#database.setAuthorizer(this.#authorizer.decide);
		this.#transactions = new Transactions(
			this.#database,
			(sql) => this.#trusted(() => this.#database.exec(sql)),
			onCommit,
		);
	}

	/** How large it is. */
	get size(): Bytes {
		const [pages] = this.#trusted(() => this.#pages.get()) as unknown as [bigint];
		return Number(pages) * PAGE;
	}

	/**
	 * Whether a foreign key is checked with the commit alone, where another call's changes could mend what one has broken:
	 * https://www.sqlite.org/foreignkeys.html#fk_deferred
	 */
	get defers(): boolean {
		return this.#trusted(() => {
			const [version] = this.#schema.get() as unknown as [bigint];
			if (version !== this.#schemaVersion) {
				const found = this.#database.prepare("SELECT 1 FROM sqlite_schema WHERE sql LIKE '%DEFERRABLE%' LIMIT 1");
				this.#defers = found.get() !== undefined;
				this.#schemaVersion = version;
			}
			return this.#defers;
		});
	}

	/** How large it may become, at least what it is. */
	bound(most: Bytes): void {
		const pages = Math.max(1, Math.floor(most / PAGE));
		if (pages === this.#mostPages) return;
		this.#trusted(() => this.#database.exec(`PRAGMA max_page_count = ${pages}`));
		this.#mostPages = pages;
	}

	/** Runs a query, all of its statements or none, and gives what the last has come to. */
	query({ sql, params }: Query): Result {
		this.#left = MOST_RESULT;
		const kept = this.#kept.get(sql);
		if (kept !== undefined) return this.#alone(kept, params);
		const script = new Script(this.#database, sql);
		const first = this.#compile(script);
		if (first === null) throw new SqlProblem("No SQL statements detected.");
		if (script.at === sql.length || sql.slice(script.at).trim() === "") {
			this.#keep(sql, first);
			return this.#alone(first, params);
		}
		return this.#transaction(() => this.#all(sql, params).at(-1) as Result);
	}

	/** Runs queries, all of them or none. */
	batch(queries: readonly Query[]): Result[] {
		this.#left = MOST_RESULT;
		return this.#transaction(() => queries.flatMap(({ sql, params }) => this.#all(sql, params).slice(-1)));
	}

	/** Runs all statements of a script or none, and gives what each has come to. */
	script({ sql, params }: Query): Result[] {
		this.#left = MOST_RESULT;
		return this.#transaction(() => this.#all(sql, params));
	}

	/** Runs the statements of a script, each for itself, whose results nobody reads. Gives how many. */
	exec(sql: string): number {
		const script = new Script(this.#database, sql);
		for (let count = 0; ; count++) {
			const from = script.at;
			try {
				const one = this.#compile(script);
				if (one === null) return count;
				this.#left = MOST_RESULT;
				this.#alone(one, []);
			} catch (error) {
				const line = sql.slice(0, from + /^\s*/.exec(sql.slice(from))![0].length).split("\n").length;
				const told = problemOf(error, this.#authorizer.refusal);
				throw new SqlProblem(
					`Error in line ${line}: ${sql.slice(from, script.at > from ? script.at : from + 200).trim()}: ${told.message}`,
				);
			}
		}
	}

	/** Runs a script of any size as one transaction, whose results nobody reads, and which need not fit into memory. */
	import(sql: string): { count: number; meta: Meta } {
		this.#trusted(() => this.#database.exec("PRAGMA cache_spill = ON"));
		try {
			return this.#importAll(sql);
		} finally {
			this.#trusted(() => this.#database.exec("PRAGMA cache_spill = OFF"));
		}
	}

	#importAll(sql: string): { count: number; meta: Meta } {
		return this.#transaction(() => {
			const script = new Script(this.#database, sql);
			const before = performance.now();
			let meta: Meta | null = null;
			let count = 0;
			for (; ; count++) {
				const one = this.#compile(script);
				if (one === null) break;
				this.#left = MOST_RESULT;
				const last = this.#run(one, []).meta;
				meta = meta === null ? last : sumOf(meta, last);
			}
			if (meta === null) throw new SqlProblem("No SQL statements detected.");
			return { count, meta: { ...meta, duration: performance.now() - before } };
		});
	}

	/** Rows of a statement of this process's own, that changes nothing. */
	*rows(sql: string): Generator<Value[]> {
		yield* this.#database.prepare(sql).iterate() as unknown as Iterable<Value[]>;
	}

	#all(sql: string, params: readonly Param[]): Result[] {
		const kept = this.#kept.get(sql);
		if (kept !== undefined) return [this.#run(kept, params)];
		const script = new Script(this.#database, sql);
		const results: Result[] = [];
		for (;;) {
			const one = this.#compile(script);
			if (one === null) break;
			// What is bound is for the last statement. Which one that is takes a look at all the rest.
			const isAsked = params.length > 0 || results.length === 0;
			const isLast = isAsked && sql.slice(script.at).trim() === "";
			if (isLast && results.length === 0) this.#keep(sql, one);
			results.push(this.#run(one, isLast ? params : []));
		}
		if (results.length === 0) throw new SqlProblem("No SQL statements detected.");
		return results;
	}

	#keep(sql: string, one: Compiled): void {
		if (!this.#authorizer.changesSchema) this.#kept.set(sql, one);
	}

	#compile(script: Script): Compiled | null {
		this.#authorizer.reset();
		try {
			const statement = script.next();
			return statement === null ? null : { statement, writes: this.#authorizer.writes, parameters: null };
		} catch (error) {
			throw problemOf(error, this.#authorizer.refusal);
		} finally {
			this.#note();
		}
	}

	/** Takes notice of what has just been compiled. */
	#note(): void {
		if (this.#authorizer.changesSchema) this.#kept.clear();
		if (this.#authorizer.changesConnection) this.isStale = true;
	}

	/** One that reads is as it is; one that changes something is a transaction, as is known by now. */
	#alone(one: Compiled, params: readonly Param[]): Result {
		return one.writes ? this.#transaction(() => this.#run(one, params)) : this.#run(one, params);
	}

	/** Does what a call asks for. */
	perform<T>({ id, run }: SqlCall<T>): T {
		return this.#transactions.perform(id, () => run(this));
	}

	/**
	 * Does what calls ask for, one after the other, and commits at once what they have changed, until some of them took long
	 * enough. Gives what came of each of these, or, as an Error, why nothing did.
	 */
	group(calls: readonly SqlCall<Result[]>[]): (Result[] | Error)[] {
		let letters = 0;
		return this.#transactions.group(
			calls.map(({ id, run }) => ({ id, run: () => run(this) })),
			(results) => {
				for (const { rows } of results) letters += rows.length;
				return letters > MOST_RESULT;
			},
		);
	}

	/** What is done either has changed all that it was to change, or nothing. */
	#transaction<T>(what: () => T): T {
		return this.#transactions.run(what, (error) => problemOf(error, this.#authorizer.refusal));
	}

	#run(one: Compiled, params: readonly Param[]): Result {
		try {
			return this.#bindAndRun(one, params);
		} catch (error) {
			// One that has failed tells of that when it is bound anew.
			this.#kept.clear();
			throw problemOf(error, this.#authorizer.refusal);
		}
	}

	#bindAndRun(one: Compiled, params: readonly Param[]): Result {
		const { statement, writes } = one;
		refuseMismatch(one, params);
		const before = this.#counts();
		const sizeBefore = writes ? this.size : 0;
		statement.resetStats?.();
		const rows = new Rows(this.#left);
		const begun = performance.now();
		for (const row of statement.iterate(...params) as unknown as Iterable<Value[]>) rows.add(row);
		const duration = performance.now() - begun;
		this.#left -= rows.length;
		const columns = statement.columns().map(({ name }) => name);
		// What only reads changes none of it.
		const after = writes ? this.#counts() : before;
		const changes = after.changes - before.changes;
		const size = this.size;
		const meta: Meta = {
			served_by: "atoll",
			duration,
			changes,
			last_row_id: after.lastRow,
			changed_db: writes && (changes > 0 || after.lastRow !== before.lastRow || size !== sizeBefore),
			size_after: size,
			rows_read: Math.max(rows.count, statement.stat?.("fullscanStep") ?? 0),
			rows_written: changes,
		};
		return { columns, rows, meta };
	}

	#counts(): { changes: number; lastRow: number } {
		const [changes, row] = this.#trusted(() => this.#state.get()) as unknown as [bigint, bigint];
		return { changes: Number(changes), lastRow: Number(row) };
	}

	#trusted<T>(what: () => T): T {
		this.#authorizer.trusts = true;
		try {
			return what();
		} finally {
			this.#authorizer.trusts = false;
		}
	}

	close(): void {
		this.#database.close();
	}
}

/** Throws unless there is a value for each parameter: SQLite takes what is missing for NULL. */
function refuseMismatch(one: Compiled, params: readonly Param[]): void {
	const { statement } = one;
	const takes = (count: number) => {
		try {
			statement.iterate(...new Array<null>(count).fill(null));
			return true;
		} catch (error) {
			if ((error as { errcode?: number }).errcode !== RANGE) throw error;
			return false;
		}
	};
	if (one.parameters === null && takes(params.length) && !takes(params.length + 1)) one.parameters = params.length;
	if (one.parameters !== params.length) throw new SqlProblem("Wrong number of parameter bindings for SQL query.");
}

function sumOf(a: Meta, b: Meta): Meta {
	return {
		...b,
		changes: a.changes + b.changes,
		changed_db: a.changed_db || b.changed_db,
		rows_read: a.rows_read + b.rows_read,
		rows_written: a.rows_written + b.rows_written,
	};
}
