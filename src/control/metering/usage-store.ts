import { backup, DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { UsageError } from "../../errors.ts";
import { COUNTS, type Counts, type Day, noCounts } from "../../feed/usage.ts";
import type { FunctionName, TenantName } from "../../names.ts";
import { transact } from "../../stores/sqlite.ts";
import type { Milliseconds } from "../../units.ts";
import { makeOwn, migrate } from "../store/database-file.ts";

/** What an edge has counted of a function's day by now. */
export interface Told {
	edge: string;
	epoch: number;
	tenant: TenantName;
	function: FunctionName;
	day: Day;
	counts: Counts;
}

/** What was used of a day by a function, or all of a tenant's where that is `""`. */
export interface DayUsage {
	tenant: TenantName;
	function: FunctionName | "";
	day: Day;
	counts: Counts;
}

/** Another process may be at its last: it is waited for so long. */
const BUSY_MS: Milliseconds = 1000;

const columns = COUNTS.join(", ");
const declared = COUNTS.map((name) => `${name} INTEGER NOT NULL`).join(", ");
const places = COUNTS.map(() => "?").join(", ");
const grown = COUNTS.map((name) => `${name} = max(${name}, excluded.${name})`).join(", ");
const added = COUNTS.map((name) => `${name} = ${name} + excluded.${name}`).join(", ");
const summed = COUNTS.map((name) => `sum(${name}) AS ${name}`).join(", ");

/** As in control/store/migrations.ts: what stands here is never changed, only added to. */
const MIGRATIONS = [
	`
	-- What each edge has said last, by which is known what is new of what it says next.
	CREATE TABLE told (
		edge TEXT NOT NULL, epoch INTEGER NOT NULL, tenant TEXT NOT NULL, function TEXT NOT NULL, day TEXT NOT NULL,
		${declared},
		PRIMARY KEY (edge, epoch, tenant, function, day)
	) WITHOUT ROWID;
	-- Edges that were there: when they were heard last, and whether they are taken for gone.
	CREATE TABLE edges (id TEXT PRIMARY KEY, heard INTEGER NOT NULL, gone INTEGER NOT NULL) WITHOUT ROWID;
	CREATE TABLE days (
		tenant TEXT NOT NULL, day TEXT NOT NULL, function TEXT NOT NULL, ${declared},
		PRIMARY KEY (tenant, day, function)
	) WITHOUT ROWID;
	CREATE TABLE totals (
		tenant TEXT NOT NULL, day TEXT NOT NULL, ${declared},
		PRIMARY KEY (tenant, day)
	) WITHOUT ROWID;
	CREATE INDEX totals_by_day ON totals (day);
	-- What was told of budgets, once in each of their days or months.
	CREATE TABLE warnings (
		tenant TEXT NOT NULL, budget TEXT NOT NULL, period TEXT NOT NULL, state TEXT NOT NULL, time TEXT NOT NULL,
		PRIMARY KEY (tenant, budget, period, state)
	) WITHOUT ROWID;
	`,
];

type Row = Record<string, string | number>;

const countsOf = (row: Row): Counts => COUNTS.map((name) => row[name] as number);

/**
 * What was used, by tenant, day and function. What an edge says is what it has counted in all: it is added as far as
 * that is more than it has said before, in one transaction with that, so that whatever is told again counts once.
 */
export class UsageStore {
	readonly #database: DatabaseSync;
	readonly #statements;

	private constructor(database: DatabaseSync) {
		this.#database = database;
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		const key = "WHERE edge = ? AND epoch = ? AND tenant = ? AND function = ? AND day = ?";
		this.#statements = {
			told: prepare(`SELECT ${columns} FROM told ${key}`),
			isGone: prepare("SELECT 1 FROM edges WHERE id = ? AND gone = 1"),
			tell: prepare(`INSERT INTO told VALUES (?, ?, ?, ?, ?, ${places}) ON CONFLICT DO UPDATE SET ${grown}`),
			addDay: prepare(`INSERT INTO days VALUES (?, ?, ?, ${places}) ON CONFLICT DO UPDATE SET ${added}`),
			addTotal: prepare(`INSERT INTO totals VALUES (?, ?, ${places}) ON CONFLICT DO UPDATE SET ${added}`),
			total: prepare(`SELECT ${summed} FROM totals WHERE tenant = ? AND day >= ? AND day <= ?`),
			totals: prepare("SELECT * FROM totals WHERE tenant = ? AND day >= ? AND day <= ? ORDER BY day LIMIT ?"),
			ofDay: prepare("SELECT * FROM days WHERE tenant = ? AND day = ? AND function > ? ORDER BY function LIMIT ?"),
			nextTenant: prepare("SELECT min(tenant) AS tenant FROM totals WHERE tenant > ?"),
			hear: prepare("INSERT INTO edges VALUES (?, ?, 0) ON CONFLICT DO UPDATE SET heard = excluded.heard"),
			unheard: prepare("SELECT id FROM edges WHERE heard < ? AND gone = 0"),
			forget: prepare("DELETE FROM told WHERE edge = ? AND epoch <= ? AND day < ?"),
			forgetEdge: prepare("DELETE FROM told WHERE edge = ?"),
			leave: prepare("UPDATE edges SET gone = 1 WHERE id = ?"),
			oldDays: prepare("SELECT DISTINCT tenant, day FROM totals WHERE day < ? LIMIT ?"),
			removeDays: prepare("DELETE FROM days WHERE tenant = ? AND day = ?"),
			removeTotals: prepare("DELETE FROM totals WHERE tenant = ? AND day = ?"),
			removeEdges: prepare("DELETE FROM edges WHERE gone = 1 AND heard < ?"),
			removeWarnings: prepare("DELETE FROM warnings WHERE time < ?"),
			warn: prepare("INSERT INTO warnings VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
			warnings: prepare("SELECT budget, state, time FROM warnings WHERE tenant = ? AND period = ?"),
		};
	}

	/** Opens a database, which is made where it is missing. Throws UsageError for one that cannot be used. */
	static open(path: string): UsageStore {
		let database: DatabaseSync | null = null;
		try {
			makeOwn(path);
			database = new DatabaseSync(path, { timeout: BUSY_MS });
			database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
			migrate(database, path, MIGRATIONS);
			return new UsageStore(database);
		} catch (error) {
			database?.close();
			if (error instanceof UsageError) throw error;
			const what = `the database of what is used, ${path}, cannot be opened: ${(error as Error).message}`;
			throw new UsageError(`${what}; restore a backup, or move it away, and what was counted with it`, "data_unusable");
		}
	}

	/** Adds what is new of what edges have told; all of it or nothing. Returns what was added. */
	fold(all: readonly Told[], now: Milliseconds): { added: DayUsage[]; gone: string[] } {
		const { told, tell, addDay, addTotal, hear, isGone } = this.#statements;
		const more: DayUsage[] = [];
		const gone = new Set<string>();
		transact(this.#database, () => {
			for (const edge of new Set(all.map((one) => one.edge)))
				if (isGone.get(edge) === undefined) hear.run(edge, now);
				else gone.add(edge);
			for (const { edge, epoch, tenant, function: name, day, counts } of all) {
				if (gone.has(edge)) continue;
				const row = told.get(edge, epoch, tenant, name, day) as Row | undefined;
				const before = row === undefined ? noCounts() : countsOf(row);
				const delta = counts.map((count, i) => Math.max(0, count - before[i]));
				if (delta.every((count) => count === 0)) continue;
				tell.run(edge, epoch, tenant, name, day, ...counts);
				addDay.run(tenant, day, name, ...delta);
				addTotal.run(tenant, day, ...delta);
				more.push({ tenant, function: name, day, counts: delta });
			}
		});
		return { added: more, gone: [...gone] };
	}

	/** These edges are at work. */
	heard(edges: Iterable<string>, now: Milliseconds): void {
		transact(this.#database, () => {
			for (const edge of edges) this.#statements.hear.run(edge, now);
		});
	}

	/** An edge tells no more of these days, but of a later epoch. */
	forget(edge: string, epoch: number, before: Day): void {
		this.#statements.forget.run(edge, epoch, before);
	}

	/** Edges that nobody has heard for so long are gone: what they might say yet is not believed. */
	leave(before: Milliseconds, except: ReadonlySet<string>): void {
		const { unheard, leave, forgetEdge } = this.#statements;
		for (const { id } of unheard.all(before) as { id: string }[]) {
			if (except.has(id)) continue;
			transact(this.#database, () => {
				leave.run(id);
				forgetEdge.run(id);
			});
		}
	}

	/** Removes days that are kept no longer, some at a time. Returns whether there may be more. */
	prune(before: Day, most: number): boolean {
		const { oldDays, removeDays, removeTotals, removeEdges, removeWarnings } = this.#statements;
		const old = oldDays.all(before, most) as { tenant: string; day: Day }[];
		transact(this.#database, () => {
			for (const { tenant, day } of old) {
				removeDays.run(tenant, day);
				removeTotals.run(tenant, day);
			}
			removeEdges.run(Date.parse(before));
			removeWarnings.run(before);
		});
		return old.length === most;
	}

	/** What all of a tenant's functions have used together, from a day to another one. */
	total(tenant: TenantName, from: Day, to: Day): Counts {
		const row = this.#statements.total.get(tenant, from, to) as Record<string, number | null>;
		return COUNTS.map((name) => row[name] ?? 0);
	}

	/** The same for each day on which there was anything. */
	totals(tenant: TenantName, from: Day, to: Day, most: number): DayUsage[] {
		return (this.#statements.totals.all(tenant, from, to, most) as Row[]).map((row) => ({
			...{ tenant, function: "", day: row.day as string, counts: countsOf(row) },
		}));
	}

	/** What a tenant's functions have used on a day, those whose names come after one. */
	ofDay(tenant: TenantName, day: Day, after: string, most: number): DayUsage[] {
		return (this.#statements.ofDay.all(tenant, day, after, most) as Row[]).map((row) => ({
			...{ tenant, function: row.function as string, day, counts: countsOf(row) },
		}));
	}

	/** The first tenant after a name of which anything is known. */
	nextTenant(after: TenantName): TenantName | null {
		return (this.#statements.nextTenant.get(after) as { tenant: TenantName | null }).tenant;
	}

	/** Notes that a tenant was told something of a budget. Returns whether that is new. */
	warn(tenant: TenantName, budget: string, period: string, state: string, time: string): boolean {
		return this.#statements.warn.run(tenant, budget, period, state, time).changes === 1;
	}

	warnings(tenant: TenantName, period: string): { budget: string; state: string; time: string }[] {
		return this.#statements.warnings.all(tenant, period as SQLInputValue) as never;
	}

	/** Writes a copy of one moment to a file that is not there yet. */
	async backup(path: string): Promise<void> {
		makeOwn(path);
		await backup(this.#database, path);
	}

	close(): void {
		this.#database.close();
	}
}
