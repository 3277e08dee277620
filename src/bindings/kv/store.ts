import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { Blobs } from "../../stores/blobs.ts";
import { newTold, type Outbox, saidOf } from "../../stores/outbox.ts";
import type { Quota } from "../../stores/quota.ts";
import { wholeBlob } from "../../stores/read-source.ts";
import { type DataFiles, type DataStore, type Done, Refused } from "../../stores/store.ts";
import type { Bytes } from "../../units.ts";
import type { KvDelete, KvFound, KvList, KvNamespaceId, KvPut, KvValue } from "./calls.ts";

/** What an entry takes beside its key, its value and its metadata. */
const ENTRY_BYTES: Bytes = 100;
/** So many entries that have expired are removed with each change. */
const SWEPT = 20;
/** So much of the values of a call comes along with what is told of them. */
const MOST_ALONG: Bytes = 256 * 1024;
/** So much of what lies in rows is removed at a time. */
const MOST_REMOVED: Bytes = 4 * 2 ** 20;

interface Row {
	id: number;
	key: string;
	expires: number | null;
	metadata: string | null;
	size: Bytes;
	blob: string | null;
}
const HEAD = "id, key, expires, metadata, size, blob";

/** Keys and values of tenants' namespaces. A namespace is there as soon as something is put into it. */
export class KvStore implements DataStore {
	readonly #blobs: Blobs;
	readonly #quota: Quota;
	readonly #outbox: Outbox;
	readonly #statements;

	constructor({ database, blobs, quota, outbox }: DataFiles) {
		this.#blobs = blobs;
		this.#outbox = outbox;
		this.#quota = quota;
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		const at = "namespace = (SELECT id FROM kv_namespaces WHERE tenant = ? AND name = ?)";
		this.#statements = {
			head: prepare(`SELECT ${HEAD} FROM kv_entries WHERE ${at} AND key = ?`),
			value: prepare("SELECT value FROM kv_entries WHERE id = ?"),
			listFrom: prepare(`SELECT key, expires, metadata FROM kv_entries WHERE ${at} AND key >= ? ORDER BY key LIMIT ?`),
			listAfter: prepare(`SELECT key, expires, metadata FROM kv_entries WHERE ${at} AND key > ? ORDER BY key LIMIT ?`),
			namespace: prepare("INSERT INTO kv_namespaces (tenant, name) VALUES (?, ?) ON CONFLICT DO NOTHING"),
			dropNamespace: prepare("DELETE FROM kv_namespaces WHERE tenant = ? AND name = ?"),
			put: prepare(
				`INSERT INTO kv_entries (namespace, key, expires, metadata, size, blob, value)
				VALUES ((SELECT id FROM kv_namespaces WHERE tenant = ? AND name = ?), ?, ?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET expires = excluded.expires, metadata = excluded.metadata, size = excluded.size,
				blob = excluded.blob, value = excluded.value`,
			),
			remove: prepare("DELETE FROM kv_entries WHERE id = ?"),
			some: prepare(`SELECT ${HEAD} FROM kv_entries WHERE ${at} LIMIT 1000`),
			expired: prepare(
				`SELECT kv_entries.id, key, expires, metadata, size, blob, tenant FROM kv_entries
				JOIN kv_namespaces ON kv_namespaces.id = namespace WHERE expires <= ? LIMIT ${SWEPT}`,
			),
			expiredOf: prepare(
				`SELECT kv_entries.id, key, expires, metadata, size, blob FROM kv_entries
				JOIN kv_namespaces ON kv_namespaces.id = namespace WHERE tenant = ? AND expires <= ? LIMIT 1000`,
			),
			blobs: prepare("SELECT blob FROM kv_entries WHERE blob IS NOT NULL"),
		};
	}

	readonly reads = {
		/** What there is under keys, and as many of the values as come along, one behind the other. */
		get: ({ tenant, namespace, keys }: KvNamespaceId & { keys: string[] }): Done => {
			const values: Uint8Array[] = [];
			let bytes = 0;
			const said = keys.map((key): KvFound | null => {
				const row = this.#row(this.#statements.head, tenant, namespace, key);
				if (row === null || isPast(row.expires)) return null;
				const { id, size, metadata, expires, blob } = row;
				const along = blob === null && bytes + size <= MOST_ALONG;
				if (along) {
					bytes += size;
					values.push(this.#valueOf(id));
				}
				return { size, metadata, expires, along };
			});
			return { said, bytes: Buffer.concat(values) };
		},
		/** A value by itself, or what it is read by where it lies in a file. */
		value: ({ tenant, namespace, key, size }: KvValue): Done => {
			const row = this.#row(this.#statements.head, tenant, namespace, key);
			if (row === null || row.size !== size) throw new Refused("409 the value has changed while it was read");
			if (row.blob !== null) return { said: this.#blobs.read(tenant, wholeBlob(row.blob, size)) };
			return { said: null, bytes: this.#valueOf(row.id) };
		},
		list: ({ tenant, namespace, prefix, after, limit }: KvList): Done => {
			const { listFrom, listAfter } = this.#statements;
			// A key to go on behind begins with the prefix itself.
			const list = after === "" ? listFrom : listAfter;
			const found = list.all(tenant, namespace, after === "" ? prefix : after, limit + 1) as unknown as Row[];
			const within = found.filter(({ key }) => key.startsWith(prefix));
			const rows = within.slice(0, limit);
			// Those that have expired are left out here, and not looked past: there may be a million of them.
			const keys = rows.filter(({ expires }) => !isPast(expires));
			return { said: { keys, last: within.length > limit ? rows[limit - 1].key : null } };
		},
	};

	readonly writes = {
		put: (put: KvPut, bytes: Buffer): Done => {
			const { tenant, namespace, key, metadata, expires, blob, mostBytes, rules } = put;
			const { namespace: make, head, put: write } = this.#statements;
			const size = blob === null ? bytes.length : this.#blobs.sizeOf(tenant, blob);
			const before = this.#row(head, tenant, namespace, key);
			const delta = weight({ key, metadata, size }) - (before === null ? 0 : weight(before));
			this.#sweep();
			this.#admit(tenant, delta, mostBytes);
			if (blob !== null) this.#blobs.keep(tenant, blob);
			if (before?.blob) this.#blobs.leave(before.blob);
			make.run(tenant, namespace);
			write.run(tenant, namespace, key, expires, metadata, size, blob, blob === null ? bytes : null);
			const told = newTold();
			const change = { tenant, action: "PutKey", key, time: Date.now(), about: { namespace, key, size } } as const;
			this.#outbox.tell(change, rules, put, told);
			return saidOf(told);
		},
		delete: (asked: KvDelete): Done => {
			const { tenant, namespace, keys, rules } = asked;
			const told = newTold();
			for (const key of keys) {
				const row = this.#row(this.#statements.head, tenant, namespace, key);
				if (row === null) continue;
				this.#remove(tenant, row);
				const change = { tenant, action: "DeleteKey", key, time: Date.now(), about: { namespace, key } } as const;
				this.#outbox.tell(change, rules, asked, told);
			}
			return saidOf(told);
		},
		/** Removes a namespace's entries, so many at a time, and then itself; says whether it is gone. */
		drop: ({ tenant, namespace }: KvNamespaceId): Done => {
			const rows = this.#statements.some.all(tenant, namespace) as unknown as Row[];
			this.#removeSome(tenant, rows);
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

	/** Removes the first of some entries, until that is as much as others should wait for. */
	#removeSome(tenant: string, rows: Row[]): void {
		let bytes = 0;
		for (const row of rows) {
			if (bytes > MOST_REMOVED) return;
			bytes += row.blob === null ? row.size : 0;
			this.#remove(tenant, row);
		}
	}

	/** Counts what a tenant stores more; what of it has expired makes room. Throws Refused where that does not do. */
	#admit(tenant: string, delta: Bytes, most: Bytes): void {
		try {
			this.#quota.use(tenant, delta, most);
		} catch (error) {
			const rows = this.#statements.expiredOf.all(tenant, now()) as unknown as Row[];
			if (!(error instanceof Refused) || rows.length === 0) throw error;
			this.#removeSome(tenant, rows);
			this.#quota.use(tenant, delta, most);
		}
	}

	#valueOf(id: number): Uint8Array {
		return (this.#statements.value.get(id) as { value: Uint8Array }).value;
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
