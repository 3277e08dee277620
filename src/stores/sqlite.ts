import type { DatabaseSync } from "node:sqlite";

/** Changes a database, whole or not at all: where `work` throws, nothing has changed. */
export function transact<T>(database: DatabaseSync, work: () => T): T {
	database.exec("BEGIN IMMEDIATE");
	try {
		const done = work();
		database.exec("COMMIT");
		return done;
	} catch (error) {
		// Where the disk is full SQLite has done it already.
		if (database.isTransaction) database.exec("ROLLBACK");
		throw error;
	}
}

/** https://www.sqlite.org/rescode.html; what an error says beyond that is in its upper bits. */
const [SQLITE_BUSY, SQLITE_CORRUPT, SQLITE_NOTADB] = [5, 11, 26];
const codeOf = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) & 0xff;

/** Whether an error says that another process has the database. */
export const isBusy = (error: unknown): boolean => codeOf(error) === SQLITE_BUSY;

/** Whether it says that what is there is no database, or not the one that was written. */
export const isDamaged = (error: unknown): boolean => [SQLITE_CORRUPT, SQLITE_NOTADB].includes(codeOf(error));
