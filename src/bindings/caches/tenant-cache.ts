import { isNotModified, rangeOf } from "../../http/conditional.ts";
import { headerIn } from "../../link/header-list.ts";
import { DEFAULT_TENANT, type FunctionId, keyOf } from "../../names.ts";
import { begun } from "../../stores/content.ts";
import { refusalIn, type StoredData } from "../../stores/data-process.ts";
import type { Bytes, Milliseconds } from "../../units.ts";
import type { Content } from "../binding.ts";
import type { CacheBody, CacheId, CacheMatch, CacheMatched, CachePurge, CachePut, CachePutResult } from "./calls.ts";
import { type Exchanged, kept } from "./freshness.ts";
import type { CacheFound } from "./schema.ts";

/** The largest body that is kept. */
const MOST_BODY: Bytes = 128 * 2 ** 20;
/** So often room is made for a response, which takes several calls where it is larger than what has to go. */
const MOST_ROUNDS = 250;

/** What an entry is known by, beside its body. */
interface Head extends CacheFound {
	born: Milliseconds;
}

/** https://developers.cloudflare.com/cache/concepts/cache-responses/ */
const STATUS = { fresh: "HIT", stale: "STALE", updating: "UPDATING" };

export interface CacheRequest {
	url: string;
	/** Name, value, name, value, … */
	headers: string[];
	/** Whether it is no matter what the response varies by. */
	ignoreVary: boolean;
}

/** A response that is to be kept. */
export interface CacheResponse extends Exchanged {
	url: string;
	statusText: string;
}

/**
 * A cache by its name; `null` is the function's default one, which is its own. One that has a name is its tenant's; but
 * each function of `default` counts for itself, and so do its caches.
 */
export function cacheOf(one: FunctionId, name: string | null): CacheId {
	const account = one.tenant === DEFAULT_TENANT ? keyOf(one) : one.tenant;
	return { account, function: name === null ? one.name : "", name };
}

/** A cache of responses, as the edge and the API use it. What is kept may be gone at any time. */
export class TenantCache {
	readonly #data: StoredData;
	readonly #of: CacheId;
	readonly #mostBytes: Bytes;

	/** `mostBytes`: how much may be kept for the account. */
	constructor(data: StoredData, of: CacheId, mostBytes: Bytes) {
		this.#data = data;
		this.#of = of;
		this.#mostBytes = mostBytes;
	}

	async #ask(operation: string, said: object = {}, bytes?: Uint8Array, signal?: AbortSignal) {
		const call = { store: "caches", operation, said: { ...this.#of, ...said } };
		return this.#data.ask(this.#of.account, bytes === undefined ? call : { ...call, bytes }, signal);
	}

	/**
	 * What answers a request, if it is fresh or may be used while it is made anew: all of it, a part where the request
	 * asks for one, or 304 where it says that it has it already.
	 */
	async match(
		{ url, headers, ignoreVary }: CacheRequest,
		signal: AbortSignal,
	): Promise<{ head: CacheFound; content: Content } | null> {
		const now = Date.now();
		const asked: Omit<CacheMatch, keyof CacheId> = { url, headers: ignoreVary ? null : headers, now };
		const { said, bytes } = await this.#ask("match", asked, undefined, signal);
		if (said === null) return null;
		const found = said as CacheMatched;
		const { born, ...head } = JSON.parse(found.head) as Head;
		head.headers.push("age", String(Math.floor((now - born) / 1000)), "cf-cache-status", STATUS[found.state]);
		const validators = { etag: headerIn(head.headers, "etag"), lastModified: headerIn(head.headers, "last-modified") };
		const answer = (status: number, more: string[], content: Content) => ({
			head: { ...head, status, statusText: "", headers: [...without(head.headers, NOT_OF_ALL), ...more] },
			content,
		});
		if (isNotModified(headers, validators)) return answer(304, [], null);
		const { size } = found;
		const range = head.status === 200 ? rangeOf(headers, size, validators) : null;
		if (range === "unsatisfiable") return answer(416, ["content-range", `bytes */${size}`], null);
		const { first, last } = range ?? { first: 0, last: size - 1 };
		const content = found.along ? part(bytes, first, last) : await this.#body(found, first, last);
		if (range === null) return { head, content };
		const more = ["content-range", `bytes ${first}-${last}/${size}`, "content-length", String(last - first + 1)];
		return answer(206, more, content);
	}

	async #body({ entry }: CacheMatched, first: Bytes, last: Bytes): Promise<Content> {
		const { account } = this.#of;
		const said: CacheBody = { account, entry, start: first, size: last - first + 1 };
		const { said: reading } = await this.#ask("body", said);
		return this.#data.read(account, reading as string, said.size, "relaxedBlobs");
	}

	/** Keeps a response, if it is one that is kept and there is room; what was there before goes in any case. */
	async put({ url, statusText, ...response }: CacheResponse, content: Content, signal: AbortSignal): Promise<void> {
		const entry = kept(response, Date.now());
		if (entry === null) return;
		const { born, stale, expires, tags, vary, headers } = entry;
		const head: Head = { status: response.status, statusText, headers, url, born };
		const put: Omit<CachePut, keyof CacheId | "blob"> = {
			...{ url, tags, stale, expires, mostBytes: this.#mostBytes },
			vary: vary.length === 0 ? "" : JSON.stringify(vary),
			head: JSON.stringify(head),
		};
		const body = await begun(content ?? new Uint8Array(0), Number.POSITIVE_INFINITY);
		if (body instanceof Uint8Array) {
			await this.#put({ ...put, blob: null }, body, signal);
			return;
		}
		const { account } = this.#of;
		const most = Math.min(MOST_BODY, this.#mostBytes);
		const blob = await this.#data.receive(account, body, { most, mostBytes: most }, "relaxedBlobs");
		let isKept = false;
		try {
			isKept = await this.#put({ ...put, blob });
		} finally {
			if (!isKept) this.#data.discard(account, blob, "relaxedBlobs");
		}
	}

	/** Whether it is kept. */
	async #put(said: object, bytes?: Uint8Array, signal?: AbortSignal): Promise<boolean> {
		for (let round = 0; round < MOST_ROUNDS; round++) {
			const result = (await this.#ask("put", said, bytes, signal)).said as CachePutResult;
			if (result !== "again") return result === "kept";
		}
		return false;
	}

	/** Removes what is kept at a URL. Says whether there was anything. */
	async delete(url: string): Promise<boolean> {
		return (await this.#ask("delete", { url, now: Date.now() })).said as boolean;
	}

	/** Removes what is kept at some URLs, what has one of some tags, or all. Says how many responses those were. */
	async purge({ urls = [], tags = [], all = false }: Partial<Omit<CachePurge, keyof CacheId>>): Promise<number> {
		const named = { urls: urls.map(withoutFragment), tags: tags.map((tag) => tag.trim().toLowerCase()), all };
		let removed = 0;
		for (;;) {
			const count = (await this.#ask("purge", named)).said as number;
			if (count === 0) return removed;
			removed += count;
		}
	}

	/** The names of those that hold anything, among which this one is, or would be. */
	async names(): Promise<string[]> {
		return (await this.#ask("names")).said as string[];
	}
}

/** Whether an error says that a cache cannot be asked, or does not take something: it is as good as empty then. */
export function isRefusal(error: unknown): boolean {
	return refusalIn(error as Error) !== null;
}

function part(bytes: Uint8Array, first: Bytes, last: Bytes): Content {
	return last < first ? null : bytes.subarray(first, last + 1);
}

/** What is not said of a response without its body, or with a part of it. */
const NOT_OF_ALL = ["content-length", "transfer-encoding"];

function without(headers: readonly string[], names: readonly string[]): string[] {
	return headers.filter((_, i) => !names.includes(headers[i - (i % 2)]));
}

function withoutFragment(url: string): string {
	return URL.parse(url)?.href.replace(/#.*$/s, "") ?? url;
}
