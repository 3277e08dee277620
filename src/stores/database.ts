import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isDamaged } from "./sqlite.ts";

/** The file that it is in, in a data process's folder. */
export const DATABASE = "data.db";

/** What each version of the database adds to the one before; one that is there is never changed. */
const LASTING = [
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
	"ALTER TABLE queue_messages ADD COLUMN trace TEXT",
];

/** The same for what may be lost. */
const RELAXED = [
	`CREATE TABLE caches (id INTEGER PRIMARY KEY, account TEXT NOT NULL, function TEXT NOT NULL, name TEXT);
	CREATE INDEX caches_of ON caches (account, function, name);
	CREATE TABLE cache_entries (
		id INTEGER PRIMARY KEY, cache INTEGER NOT NULL, account TEXT NOT NULL, url TEXT NOT NULL, vary TEXT NOT NULL,
		head TEXT NOT NULL, size INTEGER NOT NULL, blob TEXT, expires INTEGER NOT NULL, used INTEGER NOT NULL,
		weight INTEGER NOT NULL, body BLOB);
	CREATE INDEX cache_entries_at ON cache_entries (cache, url);
	CREATE INDEX cache_entries_used ON cache_entries (account, used);
	CREATE INDEX cache_entries_expiring ON cache_entries (expires);
	CREATE TABLE cache_tags (
		cache INTEGER NOT NULL, tag TEXT NOT NULL, entry INTEGER NOT NULL, PRIMARY KEY (cache, tag, entry)) WITHOUT ROWID;
	CREATE INDEX cache_tags_of ON cache_tags (entry);
	CREATE TABLE cache_accounts (account TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
	CREATE INDEX cache_accounts_bytes ON cache_accounts (bytes);
	CREATE TABLE cache_total (bytes INTEGER NOT NULL);
	INSERT INTO cache_total VALUES (0);`,
	`CREATE TABLE analytics_datasets (
		id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, points INTEGER NOT NULL DEFAULT 0,
		bytes INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0, UNIQUE (tenant, name));
	CREATE TABLE analytics_points (
		id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, time INTEGER NOT NULL, point TEXT NOT NULL);
	CREATE INDEX analytics_points_at ON analytics_points (dataset, time, id);`,
	"ALTER TABLE cache_entries ADD COLUMN stale INTEGER",
];

/**
 * Opens the database of a data process; it is made where it is missing. Several processes may have it open for a while:
 * that of an edge that drains, and that of the next. Throws where it cannot be used.
 */
export function openDatabase(folder: string): DatabaseSync {
	// What is acknowledged is on the disk: https://www.sqlite.org/pragma.html#pragma_synchronous
	return open(folder, LASTING, "PRAGMA synchronous = FULL; PRAGMA cache_size = -65536");
}

/**
 * Opens one of which the latest changes may be lost with the machine, so that they wait for no disk: that is written
 * through once in 16 MB of them. One that is damaged is made anew; throws where it cannot be used.
 */
export function openRelaxed(folder: string): DatabaseSync {
	const pragmas = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16384";
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	try {
		return open(folder, RELAXED, pragmas);
	} catch (error) {
		if (!isDamaged(error)) throw error;
		for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder, DATABASE + suffix), { force: true });
		return open(folder, RELAXED, pragmas);
	}
}

function open(folder: string, migrations: readonly string[], pragmas: string): DatabaseSync {
	const database = new DatabaseSync(join(folder, DATABASE), { timeout: 5000 });
	// What a call may have to undo is kept in memory: there is no folder for temporary files.
	database.exec(`PRAGMA journal_mode = WAL; PRAGMA temp_store = MEMORY; ${pragmas}`);
	database.exec("BEGIN IMMEDIATE");
	const { user_version: version } = database.prepare("PRAGMA user_version").get() as { user_version: number };
	if (version > migrations.length)
		throw new Error(
			`data.db was written by a newer atoll (its version is ${version}, this one knows ${migrations.length})`,
		);
	for (const migration of migrations.slice(version)) database.exec(migration);
	database.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`);
	return database;
}
