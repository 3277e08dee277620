import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { Blobs } from "../../stores/blobs.ts";
import type { Quota } from "../../stores/quota.ts";
import type { DataFiles, DataStore, Done } from "../../stores/store.ts";
import type { Bytes } from "../../units.ts";
import type { KvFound, KvList, KvNamespaceId, KvPut } from "./calls.ts";

/** A value that is larger lies in a file of its own. */
const MOST_IN_ROW: Bytes = 256 * 1024;
/** What an entry takes beside its key, its value and its metadata. */
const ENTRY_BYTES: Bytes = 100;
/** So many entries that have expired are removed with each change. */
const SWEPT = 20;
/** Nothing that a key may begin with is larger. */
const LAST = "\u{10ffff}";

interface Row {
	id: number;
	key: string;
	expires: number | null;
	metadata: string | null;
	size: Bytes;
	blob: string | null;
	value: Uint8Array | null;
}

/** Keys and values of tenants' namespaces. A namespace is there as soon as something is put into it. */
export class KvStore implements DataStore {
	readonly #blobs: Blobs;
	readonly #quota: Quota;
	readonly #statements;

	constructor({ database, blobs, quota }: DataFiles) {
		this.#blobs = blobs;
		this.#quota = quota;
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		const at = "namespace = (SELECT id FROM kv_namespaces WHERE tenant = ? AND name = ?)";
		this.#statements = {
			get: prepare(`SELECT * FROM kv_entries WHERE ${at} AND key = ?`),
			list: prepare(
				`SELECT key, expires, metadata FROM kv_entries WHERE ${at} AND key > ? AND key >= ? AND key < ?
				ORDER BY key LIMIT ?`,
			),
			namespace: prepare("INSERT INTO kv_namespaces (tenant, name) VALUES (?, ?) ON CONFLICT DO NOTHING"),
			dropNamespace: prepare("DELETE FROM kv_namespaces WHERE tenant = ? AND name = ?"),
			put: prepare(
				`INSERT INTO kv_entries (namespace, key, expires, metadata, size, blob, value)
				VALUES ((SELECT id FROM kv_namespaces WHERE tenant = ? AND name = ?), ?, ?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET expires = excluded.expires, metadata = excluded.metadata, size = excluded.size,
				blob = excluded.blob, value = excluded.value`,
			),
			remove: prepare("DELETE FROM kv_entries WHERE id = ?"),
			some: prepare(`SELECT * FROM kv_entries WHERE ${at} LIMIT 1000`),
			expired: prepare(
				`SELECT kv_entries.*, tenant FROM kv_entries JOIN kv_namespaces ON kv_namespaces.id = namespace
				WHERE expires <= ? LIMIT ${SWEPT}`,
			),
			blobs: prepare("SELECT blob FROM kv_entries WHERE blob IS NOT NULL"),
		};
	}

	readonly reads = {
		/** The values of keys, those that fit a row one behind the other. */
		get: ({ tenant, namespace, keys }: KvNamespaceId & { keys: string[] }): Done => {
			const values: Uint8Array[] = [];
			const said = keys.map((key): KvFound | null => {
				const row = this.#row(this.#statements.get, tenant, namespace, key);
				if (row === null || isPast(row.expires)) return null;
				const { size, metadata, expires, blob, value } = row;
				if (value !== null) values.push(value);
				return { size, metadata, expires, blob: blob === null ? null : this.#blobs.read(tenant, blob, size) };
			});
			return { said, bytes: Buffer.concat(values) };
		},
		list: ({ tenant, namespace, prefix, after, limit }: KvList): Done => {
			const { list } = this.#statements;
			const found = list.all(tenant, namespace, after, prefix, `${prefix}${LAST}`, limit + 1);
			const rows = found.slice(0, limit) as unknown as Pick<Row, "key" | "expires" | "metadata">[];
			// Those that have expired are left out here, and not looked past: there may be a million of them.
			const keys = rows.filter(({ expires }) => !isPast(expires));
			return { said: { keys, last: found.length > limit ? rows[limit - 1].key : null } };
		},
	};

	readonly writes = {
		put: (put: KvPut, bytes: Buffer): Done => {
			const { tenant, namespace, key, metadata, expires, blob: given, mostBytes } = put;
			const { namespace: make, get, put: write } = this.#statements;
			const size = given === null ? bytes.length : this.#blobs.sizeOf(tenant, given);
			const before = this.#row(get, tenant, namespace, key);
			const delta = weight({ key, metadata, size }) - (before === null ? 0 : weight(before));
			this.#quota.use(tenant, delta, mostBytes);
			let blob = given;
			if (blob === null && size > MOST_IN_ROW) blob = this.#blobs.append(tenant, "", bytes, size);
			if (blob !== null) this.#blobs.keep(tenant, blob);
			if (before?.blob) this.#blobs.leave(before.blob);
			make.run(tenant, namespace);
			write.run(tenant, namespace, key, expires, metadata, size, blob, blob === null ? bytes : null);
			this.#sweep();
			return {};
		},
		delete: ({ tenant, namespace, keys }: KvNamespaceId & { keys: string[] }): Done => {
			for (const key of keys) {
				const row = this.#row(this.#statements.get, tenant, namespace, key);
				if (row !== null) this.#remove(tenant, row);
			}
			return {};
		},
		/** Removes a namespace's entries, so many at a time, and then itself; says whether it is gone. */
		drop: ({ tenant, namespace }: KvNamespaceId): Done => {
			const rows = this.#statements.some.all(tenant, namespace) as unknown as Row[];
			for (const row of rows) this.#remove(tenant, row);
			if (rows.length === 0) this.#statements.dropNamespace.run(tenant, namespace);
			return { said: rows.length === 0 };
		},
	};

	*blobs(): Iterable<string> {
		for (const { blob } of this.#statements.blobs.iterate() as Iterable<{ blob: string }>) yield blob;
	}

	#row(statement: StatementSync, ...values: SQLInputValue[]): Row | null {
		return (statement.get(...values) as Row | undefined) ?? null;
	}

	#remove(tenant: string, row: Row): void {
		this.#statements.remove.run(row.id);
		if (row.blob !== null) this.#blobs.leave(row.blob);
		this.#quota.use(tenant, -weight(row));
	}

	#sweep(): void {
		const rows = this.#statements.expired.all(now()) as unknown as (Row & { tenant: string })[];
		for (const row of rows) this.#remove(row.tenant, row);
	}
}

function weight({ key, metadata, size }: Pick<Row, "key" | "metadata" | "size">): Bytes {
	return Buffer.byteLength(key) + Buffer.byteLength(metadata ?? "") + size + ENTRY_BYTES;
}

function now(): number {
	return Math.floor(Date.now() / 1000);
}

function isPast(expires: number | null): boolean {
	return expires !== null && expires <= now();
}
