import { LRUCache } from "lru-cache";
import type { VersionNumber } from "../../link/protocol.ts";
import type { Bytes } from "../../units.ts";

interface Entry {
	/** The response's head, as the prelude wrote it. */
	text: string;
	body: Uint8Array;
	size: Bytes;
}

/** What all functions of a sandbox may keep in their caches together, and one entry at most. */
const MAX_BYTES: Bytes = 64 * 1024 * 1024;
const MAX_ENTRY_BYTES: Bytes = 8 * 1024 * 1024;
const MAX_SECONDS = 365 * 24 * 3600;

/**
 * The functions' caches of one sandbox: responses by version, cache and URL. They last as long as the sandbox, and
 * there is room; where there is none, the version that has most gives up what it has not used for longest.
 */
export class CacheStore {
	readonly #versions = new Map<VersionNumber, LRUCache<string, Entry>>();
	#bytes: Bytes = 0;

	/**
	 * The caches of one version, as functions to lend to its isolates: they take and give primitives and bytes, and
	 * never throw.
	 */
	of(version: VersionNumber) {
		const keyOf = (name: unknown, key: unknown) => `${encodeURIComponent(String(name).toWellFormed())}\n${String(key)}`;
		const get = (name: unknown, key: unknown) => this.#versions.get(version)?.get(keyOf(name, key));
		return {
			cacheMatch: (name: unknown, key: unknown) => get(name, key)?.text ?? null,
			cacheBody: (name: unknown, key: unknown) => {
				const body = get(name, key)?.body ?? new Uint8Array(0);
				return body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength);
			},
			cachePut: (name: unknown, key: unknown, text: unknown, body: unknown, seconds: unknown) => {
				if (typeof text !== "string" || !(body instanceof Uint8Array)) return;
				const path = keyOf(name, key);
				// What is larger than an entry may be is not kept; nor is what it would have replaced.
				this.#versions.get(version)?.delete(path);
				const ttl = Math.min(Math.max(Number(seconds) || 0, 0), MAX_SECONDS) * 1000;
				const size = body.byteLength + 2 * (text.length + path.length) + 200;
				if (ttl === 0 || size > MAX_ENTRY_BYTES) return;
				this.#bytes += size;
				this.#entriesOf(version).set(path, { text, body, size }, { ttl });
				while (this.#bytes > MAX_BYTES) this.#largest().pop();
			},
			/** Without a key all that the cache holds goes. */
			cacheDelete: (name: unknown, key: unknown) => {
				const entries = this.#versions.get(version);
				if (key !== null) return entries?.delete(keyOf(name, key)) ?? false;
				const prefix = keyOf(name, "");
				for (const path of [...(entries?.keys() ?? [])]) if (path.startsWith(prefix)) entries?.delete(path);
				return true;
			},
		};
	}

	#entriesOf(version: VersionNumber): LRUCache<string, Entry> {
		let entries = this.#versions.get(version);
		if (entries === undefined) {
			entries = new LRUCache({
				maxSize: MAX_BYTES,
				sizeCalculation: ({ size }) => size,
				dispose: ({ size }) => {
					this.#bytes -= size;
				},
			});
			this.#versions.set(version, entries);
		}
		return entries;
	}

	#largest(): LRUCache<string, Entry> {
		const [first, ...rest] = this.#versions.values();
		return rest.reduce((most, one) => (one.calculatedSize > most.calculatedSize ? one : most), first);
	}

	/** A version is no longer deployed. */
	drop(version: VersionNumber): void {
		this.#versions.get(version)?.clear();
		this.#versions.delete(version);
	}
}
