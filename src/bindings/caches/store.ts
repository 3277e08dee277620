import type { StatementSync } from "node:sqlite";
import { joinedIn } from "../../link/header-list.ts";
import type { Blobs } from "../../stores/blobs.ts";
import { partOfBlob } from "../../stores/read-source.ts";
import { type DataFiles, type DataStore, type Done, Refused } from "../../stores/store.ts";
import type { Bytes, Milliseconds } from "../../units.ts";
import type { CacheBody, CacheId, CacheMatch, CacheMatched, CachePurge, CachePut, CachePutResult } from "./calls.ts";

/** So much all accounts have together. */
const MOST_IN_ALL: Bytes = 2 * 2 ** 30;
/** What an entry takes beside its texts and its body. */
const ENTRY_BYTES: Bytes = 300;
/** So many responses are kept at one URL that differ in what they vary by. */
const MOST_VARIANTS = 20;
/** So many entries that have expired are removed with each change. */
const SWEPT = 20;
/** So many are removed at a time, and so much of what lies in rows: others wait for it, in other processes, too. */
const MOST_REMOVED = 200;
const MOST_REMOVED_BYTES: Bytes = 4 * 2 ** 20;
const MOST_NAMES = 1000;
/** When an entry was last asked for is kept no more exactly than this, and of so many that were since the last change. */
const USED_MS: Milliseconds = 60_000;
const MOST_USED = 10_000;
/** Who is told that a response is stale has so long to make it anew, before another one is told. */
const REVALIDATING_MS: Milliseconds = 30_000;
const MOST_REVALIDATING = 10_000;

interface Row {
	id: number;
	account: string;
	vary: string;
	head: string;
	size: Bytes;
	blob: string | null;
	/** `null` for what was kept before any was used that is stale. */
	stale: Milliseconds | null;
	expires: Milliseconds;
	used: Milliseconds;
	weight: Bytes;
}
const COLUMNS = "id, account, vary, head, size, blob, stale, expires, used, weight";

/**
 * Responses that functions keep for a while. What has not been asked for longest makes room: of an account that has as
 * much as it may, and of whichever has most where all have.
 */
export class CachesStore implements DataStore {
	readonly #blobs: Blobs;
	readonly #used = new Map<number, Milliseconds>();
	/** Entries of which somebody was told that they are stale, and when; the first of them first. */
	readonly #revalidating = new Map<number, Milliseconds>();
	readonly #statements;

	constructor({ database, blobs }: Pick<DataFiles, "database" | "blobs">) {
		this.#blobs = blobs;
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		this.#statements = {
			cache: prepare("SELECT id FROM caches WHERE account = ? AND function = ? AND name IS ?"),
			make: prepare("INSERT INTO caches (account, function, name) VALUES (?, ?, ?)"),
			names: prepare(
				`SELECT name FROM caches WHERE account = ? AND function = ? AND name IS NOT NULL
				AND EXISTS (SELECT 1 FROM cache_entries WHERE cache = caches.id) ORDER BY id LIMIT ${MOST_NAMES}`,
			),
			at: prepare(`SELECT ${COLUMNS} FROM cache_entries WHERE cache = ? AND url = ? ORDER BY id DESC`),
			entry: prepare(`SELECT ${COLUMNS} FROM cache_entries WHERE id = ? AND account = ?`),
			body: prepare("SELECT body FROM cache_entries WHERE id = ?"),
			put: prepare(
				`INSERT INTO cache_entries (cache, account, url, vary, head, size, blob, stale, expires, used, weight, body)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			),
			remove: prepare("DELETE FROM cache_entries WHERE id = ?"),
			use: prepare("UPDATE cache_entries SET used = ? WHERE id = ?"),
			any: prepare(`SELECT ${COLUMNS} FROM cache_entries WHERE cache = ? LIMIT 1`),
			expired: prepare(`SELECT ${COLUMNS} FROM cache_entries WHERE expires <= ? ORDER BY expires LIMIT ${SWEPT}`),
			oldest: prepare(`SELECT ${COLUMNS} FROM cache_entries WHERE account = ? ORDER BY used LIMIT 1`),
			blobs: prepare("SELECT blob FROM cache_entries WHERE blob IS NOT NULL"),
			tag: prepare("INSERT INTO cache_tags (cache, tag, entry) VALUES (?, ?, ?)"),
			untag: prepare("DELETE FROM cache_tags WHERE entry = ?"),
			tagged: prepare(
				`SELECT ${COLUMNS} FROM cache_entries WHERE id =
				(SELECT entry FROM cache_tags WHERE cache = ? AND tag = ? LIMIT 1)`,
			),
			bytes: prepare("SELECT bytes FROM cache_accounts WHERE account = ?"),
			total: prepare("SELECT bytes FROM cache_total"),
			largest: prepare("SELECT account FROM cache_accounts ORDER BY bytes DESC LIMIT 1"),
			count: prepare(
				`INSERT INTO cache_accounts (account, bytes) VALUES (?, ?)
				ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes`,
			),
			countAll: prepare("UPDATE cache_total SET bytes = bytes + ?"),
			forget: prepare("DELETE FROM cache_accounts WHERE account = ? AND bytes <= 0"),
		};
	}

	readonly reads = {
		/** What answers a request, and its body where that is small. */
		match: ({ url, headers, now, ...id }: CacheMatch): Done => {
			const row = this.#at(id, url).find(({ vary, expires }) => expires > now && isFor(vary, headers));
			if (row === undefined) return { said: null };
			if (now - row.used > USED_MS && this.#used.size < MOST_USED) this.#used.set(row.id, now);
			const along = row.blob === null;
			const state = row.stale === null || row.stale > now ? "fresh" : this.#stateOfStale(row.id, now);
			const said: CacheMatched = { entry: row.id, state, head: row.head, size: row.size, along };
			return along ? { said, bytes: this.#bodyOf(row) } : { said };
		},
		/** By what a part of a body is read that lies in a file. */
		body: ({ account, entry, start, size }: CacheBody): Done => {
			const row = this.#statements.entry.get(entry, account) as Row | undefined;
			if (row === undefined || row.blob === null) throw new Refused("404 it is kept no longer");
			// Another process may have removed it, or the machine have gone down before it was written.
			if (!this.#blobs.has(row.blob, row.size)) throw new Refused("404 it is kept no longer");
			return { said: this.#blobs.read(account, partOfBlob(row.blob, start, start + size)) };
		},
		names: ({ account, function: of }: CacheId): Done => ({
			said: (this.#statements.names.all(account, of) as { name: string }[]).map(({ name }) => name),
		}),
	};

	readonly writes = {
		put: (put: CachePut, bytes: Buffer): Done => {
			const { account, url, vary, head, tags, stale, expires, blob, mostBytes } = put;
			const size = blob === null ? bytes.length : this.#blobs.sizeOf(account, blob);
			const weight = weigh(put, size);
			this.#settle();
			const before = this.#at(put, url);
			const replaced = before.filter((row, i) => row.vary === vary || i >= MOST_VARIANTS - 1);
			for (const row of replaced) this.#remove(row);
			const result = this.#makeRoom(account, weight, mostBytes);
			if (result !== "kept") return { said: result };
			if (blob !== null) this.#blobs.keep(account, blob);
			const cache = this.#cache(put);
			const row = [cache, account, url, vary, head, size, blob, stale, expires, Date.now(), weight] as const;
			const { lastInsertRowid } = this.#statements.put.run(...row, blob === null ? bytes : null);
			for (const tag of tags) this.#statements.tag.run(cache, tag, lastInsertRowid);
			this.#count(account, weight);
			return { said: result };
		},
		/** Removes what is at a URL, whatever it varies by; says whether there was anything that could have been used. */
		delete: ({ url, now, ...id }: CacheId & { url: string; now: Milliseconds }): Done => {
			const rows = this.#at(id, url);
			for (const row of rows) this.#remove(row);
			return { said: rows.some(({ expires }) => expires > now) };
		},
		/** Removes some of what is named; says how many, which are none once all of it is gone. */
		purge: ({ urls, tags, all, ...id }: CachePurge): Done => {
			const cache = this.#find(id);
			if (cache === null) return { said: 0 };
			const { at, tagged, any } = this.#statements;
			const named: { found: StatementSync; by: string[] }[] = all
				? [{ found: any, by: [] }]
				: [...urls.map((url) => ({ found: at, by: [url] })), ...tags.map((tag) => ({ found: tagged, by: [tag] }))];
			// What has nothing left is not asked for again: others wait for this.
			const next = () => {
				for (; named.length > 0; named.shift()) {
					const [{ found, by }] = named;
					const row = found.get(cache, ...by) as Row | undefined;
					if (row !== undefined) return row;
				}
				return undefined;
			};
			return { said: this.#removeSome(next, Number.POSITIVE_INFINITY).count };
		},
	};

	*blobs(): Iterable<string> {
		for (const { blob } of this.#statements.blobs.iterate() as Iterable<{ blob: string }>) yield blob;
	}

	#find({ account, function: of, name }: CacheId): number | null {
		return (this.#statements.cache.get(account, of, name) as { id: number } | undefined)?.id ?? null;
	}

	#cache(id: CacheId): number {
		const found = this.#find(id);
		if (found !== null) return found;
		return Number(this.#statements.make.run(id.account, id.function, id.name).lastInsertRowid);
	}

	#stateOfStale(entry: number, now: Milliseconds): CacheMatched["state"] {
		const told = this.#revalidating.get(entry);
		if (told !== undefined && Math.abs(now - told) < REVALIDATING_MS) return "updating";
		this.#revalidating.delete(entry);
		const [first] = this.#revalidating.keys();
		if (this.#revalidating.size === MOST_REVALIDATING) this.#revalidating.delete(first);
		this.#revalidating.set(entry, now);
		return "stale";
	}

	/** What is kept at a URL, the latest first. */
	#at(id: CacheId, url: string): Row[] {
		const cache = this.#find(id);
		return cache === null ? [] : (this.#statements.at.all(cache, url) as unknown as Row[]);
	}

	#bodyOf({ id }: Row): Uint8Array {
		return (this.#statements.body.get(id) as { body: Uint8Array }).body;
	}

	/** Writes down what has been used since the last change, and removes some of what has expired. */
	#settle(): void {
		for (const [id, at] of this.#used) this.#statements.use.run(at, id);
		this.#used.clear();
		for (const row of this.#statements.expired.all(Date.now()) as unknown as Row[]) this.#remove(row);
	}

	#makeRoom(account: string, weight: Bytes, mostBytes: Bytes): CachePutResult {
		if (weight > Math.min(mostBytes, MOST_IN_ALL)) return "refused";
		const own = this.#bytesOf(account) + weight - mostBytes;
		if (own > 0 && !this.#evict(account, own)) return "again";
		const { bytes } = this.#statements.total.get() as { bytes: Bytes };
		const over = bytes + weight - MOST_IN_ALL;
		if (over <= 0) return "kept";
		const { account: largest } = this.#statements.largest.get() as { account: string };
		return this.#evict(largest, over) ? "kept" : "again";
	}

	/** Removes what an account has not used for longest. Says whether that was enough, or more has to go. */
	#evict(account: string, enough: Bytes): boolean {
		const next = () => this.#statements.oldest.get(account) as Row | undefined;
		return this.#removeSome(next, enough).weight >= enough;
	}

	/** Removes one entry after the other, until it is enough, or as much as others should wait for. */
	#removeSome(next: () => Row | undefined, enough: Bytes): { count: number; weight: Bytes } {
		const removed = { count: 0, weight: 0 };
		let written = 0;
		while (removed.weight < enough && removed.count < MOST_REMOVED && written < MOST_REMOVED_BYTES) {
			const row = next();
			if (row === undefined) break;
			this.#remove(row);
			removed.count++;
			removed.weight += row.weight;
			written += row.blob === null ? row.size : 0;
		}
		return removed;
	}

	#remove(row: Row): void {
		if (this.#statements.remove.run(row.id).changes === 0) return;
		this.#statements.untag.run(row.id);
		this.#revalidating.delete(row.id);
		if (row.blob !== null) this.#blobs.leave(row.blob);
		this.#count(row.account, -row.weight);
	}

	#bytesOf(account: string): Bytes {
		return (this.#statements.bytes.get(account) as { bytes: Bytes } | undefined)?.bytes ?? 0;
	}

	#count(account: string, delta: Bytes): void {
		this.#statements.count.run(account, delta);
		this.#statements.countAll.run(delta);
		if (delta < 0) this.#statements.forget.run(account);
	}
}

function weigh({ url, vary, head, tags }: CachePut, size: Bytes): Bytes {
	const tagged = tags.reduce((sum, { length }) => sum + 2 * length + 50, 0);
	return size + 2 * (url.length + vary.length + head.length) + tagged + ENTRY_BYTES;
}

/** Whether a response is one for a request with these headers: RFC 9111, section 4.1. */
function isFor(vary: string, headers: string[] | null): boolean {
	if (vary === "" || headers === null) return true;
	return (JSON.parse(vary) as [string, string | null][]).every(
		([name, value]) => (joinedIn(headers, name) ?? null) === value,
	);
}
