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
	`CREATE TABLE buckets (
		id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, objects INTEGER NOT NULL, bytes INTEGER NOT NULL,
		UNIQUE (tenant, name));
	CREATE TABLE objects (
		id INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL, size INTEGER NOT NULL,
		etag TEXT NOT NULL, uploaded INTEGER NOT NULL, checksums TEXT NOT NULL, storage_class TEXT NOT NULL,
		http TEXT NOT NULL, custom TEXT NOT NULL, body INTEGER, value BLOB, UNIQUE (bucket, key));
	CREATE TABLE object_bodies (
		id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL UNIQUE, bucket TEXT NOT NULL, key TEXT NOT NULL,
		begun INTEGER NOT NULL, state TEXT NOT NULL, metadata TEXT NOT NULL);
	CREATE INDEX object_bodies_open ON object_bodies (begun) WHERE state = 'open';
	CREATE INDEX object_bodies_removed ON object_bodies (tenant) WHERE state = 'removed';
	CREATE INDEX object_bodies_of ON object_bodies (tenant, bucket) WHERE state = 'open';
	CREATE TABLE object_parts (
		id INTEGER PRIMARY KEY, body INTEGER NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL,
		blob TEXT, value BLOB, UNIQUE (body, number));
	CREATE TABLE bucket_rules (
		id TEXT PRIMARY KEY, tenant TEXT NOT NULL, bucket TEXT NOT NULL, queue TEXT NOT NULL, rule TEXT NOT NULL,
		created INTEGER NOT NULL) WITHOUT ROWID;
	CREATE INDEX bucket_rules_of ON bucket_rules (tenant, bucket);
	ALTER TABLE queue_messages ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;`,
];

/**
 * Opens the database of a data process; it is made where it is missing. Several processes may have it open for a while:
 * that of an edge that drains, and that of the next. Throws where it cannot be used.
 */
export function openDatabase(folder: string): DatabaseSync {
	const database = new DatabaseSync(join(folder, DATABASE), { timeout: 5000 });
	// What is acknowledged is on the disk: https://www.sqlite.org/pragma.html#pragma_synchronous
	database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536");
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
