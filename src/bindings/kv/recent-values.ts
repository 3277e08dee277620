import { LRUCache } from "lru-cache";
import type { Bytes, Milliseconds } from "../../units.ts";
import type { KvFound, KvNamespaceId } from "./calls.ts";

/** What there is under a key, with its value; `null` for nothing. */
export type Recent = { found: KvFound; value: Uint8Array } | null;

interface Kept {
	of: Recent;
	/** Whoever gives it to others, and is to forget it when it changes. */
	readonly lent: (() => void)[];
}

/** Who writes elsewhere, by the API or through another edge, is seen after so long. */
const FRESH_MS: Milliseconds = 1000;
const MOST_BYTES: Bytes = 32 * 2 ** 20;
const MOST_VALUE: Bytes = 64 * 1024;
/** What an entry takes beside its key and its value. */
const ENTRY_BYTES: Bytes = 300;
/** It is lent to so many, and for no less than that. */
const MOST_LENT = 32;
const LEAST_LENT_MS: Milliseconds = 50;

/** A read that is under way: what it finds is kept unless the key was written meanwhile. */
export interface Reading {
	readonly at: string;
}

/**
 * What was read lately, all namespaces together: whoever asks for it again within a second does not wait for the data
 * process. What is written through here is seen at once.
 */
export class RecentValues {
	readonly #values = new LRUCache<string, Kept>({
		maxSize: MOST_BYTES,
		ttl: FRESH_MS,
		dispose: ({ lent }, _at, reason) => {
			// What has become stale is given no more.
			if (reason !== "expire") for (const forget of lent) forget();
		},
	});
	readonly #readings = new Map<string, Reading>();

	/** `undefined` where it was not read lately. */
	get(of: KvNamespaceId, key: string): Recent | undefined {
		const recent = this.#values.get(placeOf(of, key))?.of;
		return recent?.found.expires != null && recent.found.expires * 1000 <= Date.now() ? undefined : recent;
	}

	/**
	 * Lends what there is under a key to someone who gives it to others until `forget` is called. Says for how long that
	 * may be; 0 for not at all.
	 */
	lend(of: KvNamespaceId, key: string, forget: () => void): Milliseconds {
		const at = placeOf(of, key);
		const kept = this.#values.peek(at);
		if (kept === undefined || kept.lent.length >= MOST_LENT) return 0;
		const expires = kept.of?.found.expires ?? null;
		const left = Math.floor(
			Math.min(this.#values.getRemainingTTL(at), expires === null ? FRESH_MS : expires * 1000 - Date.now()),
		);
		if (left < LEAST_LENT_MS) return 0;
		kept.lent.push(forget);
		return left;
	}

	begin(of: KvNamespaceId, key: string): Reading {
		const at = placeOf(of, key);
		let reading = this.#readings.get(at);
		if (reading === undefined) {
			reading = { at };
			this.#readings.set(at, reading);
		}
		return reading;
	}

	/** A read is over. `undefined` where it has come to nothing that could be kept. */
	end(reading: Reading, recent: Recent | undefined): void {
		const { at } = reading;
		if (this.#readings.get(at) !== reading) return;
		this.#readings.delete(at);
		const value = recent?.value;
		if (recent === undefined || (value?.byteLength ?? 0) > MOST_VALUE) return;
		// Of which the value may be a part.
		const kept = value?.buffer.byteLength ?? 0;
		this.#values.set(at, { of: recent, lent: [] }, { size: kept + 2 * at.length + ENTRY_BYTES });
	}

	/** Keys are about to be written, or just were: what was read before is not kept, and what is being read neither. */
	forget(of: KvNamespaceId, keys: readonly string[]): void {
		for (const key of keys) {
			const at = placeOf(of, key);
			this.#values.delete(at);
			this.#readings.delete(at);
		}
	}
}

function placeOf({ tenant, namespace }: KvNamespaceId, key: string): string {
	return `${tenant}/${namespace}/${key}`;
}
