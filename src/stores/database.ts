import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The file that it is in, in a data process's folder. */
export const DATABASE = "data.db";

/** What each version of the database adds to the one before; one that is there is never changed. */
const MIGRATIONS = [
	`CREATE TABLE tenants (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
	CREATE TABLE kv_namespaces (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (tenant, name));
	CREATE TABLE kv_entries (
		id INTEGER PRIMARY KEY, namespace INTEGER NOT NULL, key TEXT NOT NULL, expires INTEGER, metadata TEXT,
		size INTEGER NOT NULL, blob TEXT, value BLOB, UNIQUE (namespace, key));
	CREATE INDEX kv_expiring ON kv_entries (expires) WHERE expires IS NOT NULL;`,
	`CREATE TABLE queues (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (tenant, name));
	CREATE TABLE queue_messages (
		id INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL, due INTEGER NOT NULL, sent INTEGER NOT NULL,
		attempts INTEGER NOT NULL, lease TEXT, type TEXT NOT NULL, body BLOB NOT NULL);
	CREATE INDEX queue_messages_due ON queue_messages (queue, due);
	CREATE INDEX queue_messages_leased ON queue_messages (lease) WHERE lease IS NOT NULL;
	CREATE TABLE cron_runs (
		tenant TEXT NOT NULL, function TEXT NOT NULL, cron TEXT NOT NULL, time INTEGER NOT NULL, claimant TEXT NOT NULL,
		PRIMARY KEY (tenant, function, cron)) WITHOUT ROWID;`,
	`CREATE TABLE invocations (
		id TEXT PRIMARY KEY, tenant TEXT NOT NULL, function TEXT NOT NULL, message INTEGER, created INTEGER NOT NULL,
		settings TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, ended INTEGER, status INTEGER NOT NULL,
		error TEXT, result BLOB, size INTEGER NOT NULL, expires INTEGER NOT NULL);
	CREATE INDEX invocations_waiting ON invocations (message) WHERE message IS NOT NULL;
	CREATE INDEX invocations_ended ON invocations (tenant, ended) WHERE ended IS NOT NULL;
	CREATE INDEX invocations_latest ON invocations (tenant, function, created);
	CREATE INDEX invocations_expiring ON invocations (expires);
	CREATE TABLE taken_events (
		tenant TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, invocation TEXT NOT NULL, expires INTEGER NOT NULL,
		PRIMARY KEY (tenant, scope, key)) WITHOUT ROWID;
	CREATE INDEX taken_events_expiring ON taken_events (expires);`,
];

/**
 * Opens the database of a data process; it is made where it is missing. Several processes may have it open for a while:
 * that of an edge that drains, and that of the next. Throws where it cannot be used.
 */
export function openDatabase(folder: string): DatabaseSync {
	const database = new DatabaseSync(join(folder, DATABASE), { timeout: 5000 });
	// What is acknowledged is on the disk: https://www.sqlite.org/pragma.html#pragma_synchronous
	database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536");
	// A data process sees no folder for temporary files: what a savepoint keeps of a large batch would be an I/O error.
	database.exec("PRAGMA temp_store = MEMORY");
	database.exec("BEGIN IMMEDIATE");
	const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
	if (version > MIGRATIONS.length)
		throw new Error(
			`data.db was written by a newer atoll (its version is ${version}, this one knows ${MIGRATIONS.length})`,
		);
	for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
	database.exec(`PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`);
	return database;
}
