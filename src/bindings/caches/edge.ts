import { z } from "zod";
import type { StoredData } from "../../stores/data-process.ts";
import type { Bytes } from "../../units.ts";
import type { Answer, Caller, Content, EdgeBinding, OpenBinding, Prepared } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import { type CacheAsked, decodeCacheAsked } from "./schema.ts";
import { cacheOf, isRefusal, TenantCache } from "./tenant-cache.ts";

const MOST_NAME = 1024;

/** The global `caches`: https://developers.cloudflare.com/workers/runtime-apis/cache/ */
class CachesBinding implements EdgeBinding {
	readonly settings = z.undefined();
	readonly #data: StoredData;
	readonly #mostBytes: Bytes;

	constructor({ data, cachedBytes }: EdgeServices) {
		this.#data = data;
		this.#mostBytes = cachedBytes;
	}

	open(_: unknown, caller: Caller): OpenBinding {
		return {
			prepare: (argument): Prepared | string | null => {
				const asked = decodeCacheAsked(argument);
				if (asked === null) return null;
				const name = asked.op === "names" ? "" : asked.cache;
				if ((name ?? "").length > MOST_NAME) return `a cache's name has up to ${MOST_NAME} letters`;
				const cache = new TenantCache(this.#data, cacheOf(caller.function, name), this.#mostBytes);
				return {
					target: `cache ${asked.op}`,
					operation: asked.op,
					perform: (content, signal) => perform(cache, asked, content, signal),
				};
			},
		};
	}
}

async function perform(cache: TenantCache, asked: CacheAsked, content: Content, signal: AbortSignal): Promise<Answer> {
	switch (asked.op) {
		case "match": {
			const found = await cache.match(asked, signal).catch((error) => ifRefused(error, null));
			if (found === null) return { text: "", content: null };
			return { text: JSON.stringify(found.head), content: found.content };
		}
		case "put":
			await cache.put(asked, content, signal).catch((error) => ifRefused(error, undefined));
			return { text: "", content: null };
		case "delete":
			return { text: (await cache.delete(asked.url)) ? "1" : "0", content: null };
		case "drop":
			return { text: (await cache.purge({ all: true })) > 0 ? "1" : "0", content: null };
		case "names":
			return { text: JSON.stringify(await cache.names()), content: null };
	}
}

/** A cache that cannot be asked is one that has nothing, and keeps nothing. */
function ifRefused<T>(error: unknown, value: T): T {
	if (isRefusal(error)) return value;
	throw error;
}

export const create = (services: EdgeServices): EdgeBinding => new CachesBinding(services);
