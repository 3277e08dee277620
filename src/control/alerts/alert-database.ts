import { existsSync, renameSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { transact } from "../../stores/sqlite.ts";
import { makeOwn } from "../store/database-file.ts";
import type { Alert } from "./alert.ts";

/** What there is in the file, by the table that it is in: each row is a value in JSON under a key. */
const TABLES = ["alerts", "groups", "deliveries"] as const;
type Table = (typeof TABLES)[number];

/** One row's change; `null` removes it. */
export interface Write {
	table: Table;
	key: string;
	value: unknown;
}

/**
 * What alerts there are, what receivers were told of them, and what they are to be told, so that none of it is lost or
 * told anew with the process. Written where something changes, each time in one transaction; the kernel has what was
 * written, and so a process that is killed loses nothing. What it says can be found out again, so that a file that
 * cannot be used is set aside.
 */
export class AlertDatabase {
	readonly #database: DatabaseSync;
	readonly #put;
	readonly #remove;

	private constructor(database: DatabaseSync) {
		this.#database = database;
		database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
		for (const table of TABLES)
			database.exec(`CREATE TABLE IF NOT EXISTS ${table} (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`);
		const prepared = (sql: (table: Table) => string) =>
			Object.fromEntries(TABLES.map((table) => [table, database.prepare(sql(table))]));
		this.#put = prepared((table) => `INSERT OR REPLACE INTO ${table} (key, value) VALUES (?, ?)`);
		this.#remove = prepared((table) => `DELETE FROM ${table} WHERE key = ?`);
	}

	/** Opens a file, or makes one. `onDamaged` hears of one that was set aside. */
	static open(path: string, onDamaged: (why: string) => void): AlertDatabase {
		try {
			return AlertDatabase.#open(path);
		} catch (error) {
			onDamaged((error as Error).message);
			for (const end of ["", "-wal", "-shm"]) rmSync(`${path}.damaged${end}`, { force: true });
			for (const end of ["", "-wal", "-shm"])
				if (existsSync(path + end)) renameSync(path + end, `${path}.damaged${end}`);
			return AlertDatabase.#open(path);
		}
	}

	static #open(path: string): AlertDatabase {
		makeOwn(path);
		const database = new DatabaseSync(path, { timeout: 1000 });
		try {
			return new AlertDatabase(database);
		} catch (error) {
			database.close();
			throw error;
		}
	}

	/** All rows of a table, by their keys. */
	read<T = Alert>(table: Table): Map<string, T> {
		const rows = this.#database.prepare(`SELECT key, value FROM ${table}`).all();
		return new Map(rows.map(({ key, value }) => [key as string, JSON.parse(value as string) as T]));
	}

	/** All of it, or nothing. */
	write(writes: readonly Write[]): void {
		if (writes.length === 0) return;
		// Of what has changed several times the last counts.
		const last = new Map(writes.map((one) => [`${one.table} ${one.key}`, one]));
		transact(this.#database, () => {
			for (const { table, key, value } of last.values()) {
				if (value === null) this.#remove[table].run(key);
				else this.#put[table].run(key, JSON.stringify(value));
			}
		});
	}

	close(): void {
		this.#database.close();
	}
}
