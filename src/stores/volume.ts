import type { DatabaseSync } from "node:sqlite";
import type { Blobs } from "./blobs.ts";

/** A database and its blobs, of which several changes become one. */
export class Volume {
	readonly database: DatabaseSync;
	readonly blobs: Blobs;

	/** Whether changes are on the disk once they are made; else they are by and by. */
	readonly #lasting: boolean;
	#synced: boolean;
	/** The disk has failed to take what was to be on it, so that changes before may not be there either. */
	#isSuspect = false;

	constructor(database: DatabaseSync, blobs: Blobs, { lasting }: { lasting: boolean }) {
		this.database = database;
		this.blobs = blobs;
		this.#lasting = lasting;
		this.#synced = lasting;
	}

	/**
	 * Makes changes, all of them or none: where `work` throws, nothing has changed. Those that need not be `isSynced` are
	 * on the disk with the next that need to be. After a disk that failed none is made until all before is on it.
	 */
	transaction<T>(work: () => T, isSynced: boolean): T {
		try {
			if (this.#isSuspect) this.#recover();
			this.#sync(isSynced && this.#lasting);
			this.database.exec("BEGIN IMMEDIATE");
			const done = work();
			this.blobs.sync();
			this.database.exec("COMMIT");
			this.blobs.settle(true);
			return done;
		} catch (error) {
			if (isOfDisk(error)) this.#isSuspect = true;
			if (this.database.isTransaction) this.database.exec("ROLLBACK");
			this.blobs.settle(false);
			throw error;
		}
	}

	/**
	 * Linux takes what it could not write for written, and says so once. The log is still read whole from memory: from there
	 * all of it goes to the database, and the next changes begin a new one.
	 */
	#recover(): void {
		const { busy } = this.database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
		if (busy !== 0) throw new Error("the database's log is in use, and cannot be written through");
		this.#isSuspect = false;
	}

	#sync(synced: boolean): void {
		if (synced === this.#synced) return;
		this.database.exec(`PRAGMA synchronous = ${synced ? "FULL" : "NORMAL"}`);
		this.#synced = synced;
	}

	/** The same within a transaction, for a part of it: `isDone` says whether what it gave is to count. */
	part<T>(work: () => T, isDone: (given: T) => boolean): T {
		this.database.exec("SAVEPOINT part");
		const mark = this.blobs.mark();
		const given = work();
		if (!isDone(given)) {
			this.database.exec("ROLLBACK TO part");
			this.blobs.undo(mark);
		}
		this.database.exec("RELEASE part");
		return given;
	}
}

/** SQLITE_IOERR, with what was not done in its upper bits: https://www.sqlite.org/rescode.html#ioerr */
function isOfDisk(error: unknown): boolean {
	return (((error as { errcode?: number }).errcode ?? 0) & 0xff) === 10;
}
