import { backup, DatabaseSync, type StatementSync } from "node:sqlite";
import { UsageError } from "../../errors.ts";
import { isBusy, isDamaged, transact } from "../../stores/sqlite.ts";
import { makeOwn, migrate } from "./database-file.ts";
import type { Documents, Kind } from "./documents.ts";
import { MIGRATIONS } from "./migrations.ts";
import {
	type AuditEntry,
	type Change,
	type Changed,
	Conflict,
	type Deed,
	type Entry,
	type Range,
	type Sequence,
	type Store,
} from "./store.ts";

/** So many commits later nobody is told any more what was removed: who has not followed for so long reads all anew. */
const REMEMBERED: Sequence = 10_000;

const LIST = "SELECT * FROM documents WHERE kind = ? AND BOUND AND key < ? AND value IS NOT NULL ORDER BY key LIMIT ?";
const KEYS = LIST.replace("*", "key");

interface DocumentRow {
	kind: Kind;
	key: string;
	revision: Sequence;
	value: string | null;
}

/**
 * A store in one SQLite file, for one process at a time. Commits are written through to the disk before they are
 * acknowledged: WAL, `synchronous=FULL` (https://www.sqlite.org/pragma.html#pragma_synchronous).
 */
export class SqliteStore implements Store {
	readonly #database: DatabaseSync;
	readonly #statements;
	readonly #listeners = new Set<(sequence: Sequence) => void>();
	#sequence: Sequence;

	private constructor(database: DatabaseSync) {
		this.#database = database;
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		this.#statements = {
			get: prepare("SELECT * FROM documents WHERE kind = ? AND key = ? AND value IS NOT NULL"),
			revision: prepare("SELECT revision, value FROM documents WHERE kind = ? AND key = ?"),
			// One bound below and one above: of two of a kind, the wrong one may be what SQLite searches by.
			listFrom: prepare(LIST.replace("BOUND", "key >= ?")),
			listAfter: prepare(LIST.replace("BOUND", "key > ?")),
			keysFrom: prepare(KEYS.replace("BOUND", "key >= ?")),
			keysAfter: prepare(KEYS.replace("BOUND", "key > ?")),
			put: prepare(
				"INSERT INTO documents (kind, key, revision, value) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision, value = excluded.value",
			),
			commit: prepare("INSERT INTO commits (sequence, time, actor, action, target) VALUES (?, ?, ?, ?, ?)"),
			changes: prepare("SELECT * FROM documents WHERE revision > ? ORDER BY revision, kind, key"),
			audit: prepare("SELECT * FROM commits ORDER BY sequence DESC LIMIT ?"),
			horizon: prepare("SELECT removed_before FROM horizon"),
			forget: prepare("DELETE FROM documents WHERE revision < ? AND value IS NULL"),
			moveHorizon: prepare("UPDATE horizon SET removed_before = ?"),
		};
		const last = database.prepare("SELECT max(sequence) AS last FROM commits").get() as { last: Sequence | null };
		this.#sequence = last.last ?? 0;
	}

	/** Opens a database, which is made where it is missing. Throws UsageError for one that cannot be used. */
	static open(path: string): SqliteStore {
		let database: DatabaseSync | null = null;
		try {
			makeOwn(path);
			database = new DatabaseSync(path, { timeout: 1000 });
			// One process at a time: another one is told that it is locked, and the lock ends with its holder.
			database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
			migrate(database, path, MIGRATIONS);
			return new SqliteStore(database);
		} catch (error) {
			database?.close();
			throw unusable(path, error as Error);
		}
	}

	get sequence(): Sequence {
		return this.#sequence;
	}

	get<K extends Kind>(kind: K, key: string): Promise<Entry<K> | null> {
		const row = this.#statements.get.get(kind, key) as DocumentRow | undefined;
		return Promise.resolve(row === undefined ? null : toEntry<K>(row));
	}

	list<K extends Kind>(kind: K, { prefix = "", after = "", limit = -1 }: Range = {}): Promise<Entry<K>[]> {
		const { listFrom, listAfter } = this.#statements;
		const end = endOf(prefix);
		const rows = after < prefix ? listFrom.all(kind, prefix, end, limit) : listAfter.all(kind, after, end, limit);
		return Promise.resolve(rows.map((row) => toEntry<K>(row as unknown as DocumentRow)));
	}

	keys(kind: Kind, { prefix = "", after = "", limit = -1 }: Range = {}): Promise<string[]> {
		const { keysFrom, keysAfter } = this.#statements;
		const end = endOf(prefix);
		const rows = after < prefix ? keysFrom.all(kind, prefix, end, limit) : keysAfter.all(kind, after, end, limit);
		return Promise.resolve(rows.map(({ key }) => key as string));
	}

	commit({ actor, action, target }: Deed, changes: readonly Change[]): Promise<Sequence> {
		const sequence = this.#sequence + 1;
		const { revision, put, commit } = this.#statements;
		try {
			transact(this.#database, () => {
				for (const { kind, key, value, expected } of changes) {
					const row = revision.get(kind, key) as Pick<DocumentRow, "revision" | "value"> | undefined;
					const actual = row === undefined || row.value === null ? 0 : row.revision;
					if (actual !== expected) throw new Conflict(`${kind} ${key} has the revision ${actual}, not ${expected}`);
					put.run(kind, key, sequence, value === null ? null : JSON.stringify(value));
				}
				commit.run(sequence, new Date().toISOString(), actor, action, target);
				if (sequence % REMEMBERED === 0) this.#forget(sequence - REMEMBERED);
			});
		} catch (error) {
			return Promise.reject(error as Error);
		}
		this.#sequence = sequence;
		for (const listener of this.#listeners) listener(sequence);
		return Promise.resolve(sequence);
	}

	#forget(before: Sequence): void {
		this.#statements.forget.run(before);
		this.#statements.moveHorizon.run(before);
	}

	changes(since: Sequence): Promise<Changed[] | null> {
		const { removed_before: horizon } = this.#statements.horizon.get() as { removed_before: Sequence };
		// One that was restored from a backup has not come so far yet.
		if (since < horizon || since > this.#sequence) return Promise.resolve(null);
		const rows = this.#statements.changes.all(since) as unknown as DocumentRow[];
		return Promise.resolve(rows.map(({ kind, key, value }) => ({ kind, key, value: parse(value) })));
	}

	onCommit(listener: (sequence: Sequence) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	audit(limit: number): Promise<AuditEntry[]> {
		return Promise.resolve(this.#statements.audit.all(limit) as unknown as AuditEntry[]);
	}

	async backup(path: string): Promise<void> {
		makeOwn(path);
		await backup(this.#database, path);
	}

	close(): Promise<void> {
		this.#database.close();
		return Promise.resolve();
	}
}

/** Nothing that a key may begin with is larger than this. */
function endOf(prefix: string): string {
	return `${prefix}\u{10ffff}`;
}

function toEntry<K extends Kind>({ key, revision, value }: DocumentRow): Entry<K> {
	return { key, revision, value: parse(value) as Documents[K] };
}

function parse(value: string | null): Documents[Kind] | null {
	return value === null ? null : (JSON.parse(value) as Documents[Kind]);
}

/** What an operator can do about a database that does not open. */
function unusable(path: string, error: Error): Error {
	if (error instanceof UsageError) return error;
	const why = isBusy(error)
		? "another atoll is at work on this data folder"
		: isDamaged(error)
			? "it is damaged; restore a backup with `atoll restore`"
			: error.message;
	return new UsageError(`the database ${path} cannot be used: ${why}`, "data_unusable");
}
