import type { Entry, Store } from "./store.ts";

/** So many are read at a time, of functions and of what belongs to them. */
export const PAGE = 100;

/** Documents of a kind that belong to functions, read in the order of their keys: one list for all, in pages. */
export class ByFunction<K extends "version" | "release"> {
	readonly #store: Store;
	readonly #kind: K;
	#page: Entry<K>[] = [];
	#at = 0;
	#last: string;

	/** Reads none that come before `from`. */
	constructor(store: Store, kind: K, from: string) {
		this.#store = store;
		this.#kind = kind;
		this.#last = from;
	}

	/** Those of a function, by what their keys begin with; functions have to be asked for in the order of that. */
	async of(prefix: string): Promise<Entry<K>[]> {
		const found: Entry<K>[] = [];
		for (let next = await this.#next(); next !== undefined; next = await this.#next()) {
			const isOwn = next.key.startsWith(prefix);
			if (!isOwn && next.key > prefix) break;
			if (isOwn) found.push(next);
			this.#at++;
		}
		return found;
	}

	async #next(): Promise<Entry<K> | undefined> {
		if (this.#at === this.#page.length) {
			this.#page = await this.#store.list(this.#kind, { after: this.#last, limit: PAGE });
			this.#at = 0;
			this.#last = this.#page.at(-1)?.key ?? this.#last;
		}
		return this.#page[this.#at];
	}
}
