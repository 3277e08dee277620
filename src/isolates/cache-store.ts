import { LRUCache } from "lru-cache";
import type { Bytes, VersionNumber } from "./protocol.ts";

interface Entry {
	/** The response's head, as the prelude wrote it. */
	text: string;
	body: Uint8Array;
}

/** What all functions of a sandbox may keep in their caches together, and one of them at most. */
const MAX_BYTES: Bytes = 64 * 1024 * 1024;
const MAX_ENTRY_BYTES: Bytes = 8 * 1024 * 1024;

/** The functions' caches of one sandbox: responses by version, cache and URL. They last as long as the sandbox, and there is room. */
export class CacheStore {
	readonly #entries = new LRUCache<string, Entry>({
		maxSize: MAX_BYTES,
		maxEntrySize: MAX_ENTRY_BYTES,
		sizeCalculation: ({ text, body }, key) => body.byteLength + 2 * (text.length + key.length) + 200,
	});

	/** The caches of one version, as functions to lend to its isolates: they take and give primitives and bytes, and never throw. */
	of(version: VersionNumber) {
		const keyOf = (name: unknown, key: unknown) =>
			`${version}\n${encodeURIComponent(String(name).toWellFormed())}\n${String(key)}`;
		return {
			cacheMatch: (name: unknown, key: unknown) => this.#entries.get(keyOf(name, key))?.text ?? null,
			cacheBody: (name: unknown, key: unknown) => {
				const body = this.#entries.get(keyOf(name, key))?.body ?? new Uint8Array(0);
				return body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength);
			},
			cachePut: (name: unknown, key: unknown, text: unknown, body: unknown, seconds: unknown) => {
				if (typeof text !== "string" || !(body instanceof Uint8Array)) return;
				// What is larger than an entry may be is not kept; nor is what it would have replaced.
				this.#entries.delete(keyOf(name, key));
				const ttl = Math.min(Math.max(Number(seconds) || 0, 0), MAX_SECONDS) * 1000;
				if (ttl > 0) this.#entries.set(keyOf(name, key), { text, body }, { ttl });
			},
			/** Without a key all that the cache holds goes. */
			cacheDelete: (name: unknown, key: unknown) => {
				if (key !== null) return this.#entries.delete(keyOf(name, key));
				const prefix = keyOf(name, "");
				for (const entry of [...this.#entries.keys()]) if (entry.startsWith(prefix)) this.#entries.delete(entry);
				return true;
			},
		};
	}
}

const MAX_SECONDS = 365 * 24 * 3600;
