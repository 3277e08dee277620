import { exactBytes } from "../../prelude/encoding/bytes.ts";
import { Body } from "../../prelude/fetch/body.ts";
import { type HeadersOwner, headerList, headersOf, headerValue } from "../../prelude/fetch/headers.ts";
import { Request, requestState } from "../../prelude/fetch/request.ts";
import { createResponse, type Response, responseState } from "../../prelude/fetch/response.ts";
import { host } from "../../prelude/host.ts";
import { asInterface, requireArguments, toDictionary } from "../../prelude/interface.ts";
import { quote, quoteList } from "../../prelude/json.ts";

const SECRET = Symbol("construct");

interface Stored {
	url: string;
	requestHeaders: string[];
	status: number;
	statusText: string;
	headers: string[];
}

/** As JSON, which asks no object how it wants to be written. */
function encode({ url, requestHeaders, status, statusText, headers }: Stored): string {
	const request = `"url":${quote(url)},"requestHeaders":${quoteList(requestHeaders)}`;
	return `{${request},"status":${status},"statusText":${quote(statusText)},"headers":${quoteList(headers)}}`;
}

/** A request as a key: its URL without the fragment. */
function keyOf(request: Request): string {
	return request.url.replace(/#.*$/s, "");
}

function varies(stored: Stored, request: Request): boolean {
	const vary = headerValue(stored, "vary");
	if (vary === null) return false;
	const before = headersOf({ headers: stored.requestHeaders }, "none");
	return vary.split(",").some((name) => before.get(name.trim()) !== request.headers.get(name.trim()));
}

function toRequest(value: unknown): Request {
	return value instanceof Request ? value : new Request(value);
}

/**
 * https://w3c.github.io/ServiceWorker/#cache-interface, as edge platforms have it: `match`, `put` and `delete`, kept
 * by the sandbox for all isolates of the function there, as long as there is room.
 */
export class Cache {
	readonly #name: string;

	constructor(secret?: unknown, name?: string) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#name = name as string;
	}

	async match(request: unknown, options?: unknown): Promise<Response | undefined> {
		requireArguments(arguments.length, 1, "Cache.match");
		const { ignoreMethod, ignoreVary } = toDictionary(options, "Cache.match");
		const wanted = toRequest(request);
		if (wanted.method !== "GET" && !ignoreMethod) return undefined;
		const key = keyOf(wanted);
		const text = host.cacheMatch(this.#name, key);
		if (text === null) return undefined;
		const stored = JSON.parse(text) as Stored;
		if (!ignoreVary && varies(stored, wanted)) return undefined;
		return createResponse({
			status: stored.status,
			statusText: stored.statusText,
			headers: stored.headers,
			body: new Body(new Uint8Array(host.cacheBody(this.#name, key)), null),
			origin: { type: "default", url: stored.url, redirected: false, guard: "immutable", webSocket: null },
		});
	}

	/** https://w3c.github.io/ServiceWorker/#cache-put */
	async put(request: unknown, response: unknown): Promise<undefined> {
		requireArguments(arguments.length, 2, "Cache.put");
		const key = toRequest(request);
		if (!/^https?:/.test(key.url) || key.method !== "GET")
			throw new TypeError("Cache.put: the request must be a GET of an http or https URL");
		const state = responseState(response);
		if (state === null) throw new TypeError("Cache.put: the second argument is not a Response");
		const { status, statusText, body } = state;
		if (status === 206) throw new TypeError("Cache.put: a partial response (206) cannot be kept");
		const vary = headerValue(state, "vary");
		if (vary?.split(",").some((name) => name.trim() === "*"))
			throw new TypeError("Cache.put: a response that varies by everything cannot be kept");
		if (body?.unusable) throw new TypeError("Cache.put: the response's body has already been read");
		const bytes = body === null ? new Uint8Array(0) : await body.bytes();
		const seconds = freshness(state);
		if (seconds === 0) return undefined;
		const url = requestState(key).url;
		const requestHeaders = headerList(requestState(key));
		const stored = encode({ url, requestHeaders, status, statusText, headers: headerList(state) });
		host.cachePut(this.#name, keyOf(key), stored, exactBytes(bytes), seconds);
		return undefined;
	}

	async delete(request: unknown, options?: unknown): Promise<boolean> {
		requireArguments(arguments.length, 1, "Cache.delete");
		const { ignoreMethod } = toDictionary(options, "Cache.delete");
		const key = toRequest(request);
		if (key.method !== "GET" && !ignoreMethod) return false;
		return host.cacheDelete(this.#name, keyOf(key));
	}
}
asInterface(Cache, "Cache", { constructor: 0, match: 1, delete: 1 });

/** For how many seconds a response may be kept, by its Cache-Control; for ever where it does not say. */
function freshness(response: HeadersOwner): number {
	if (headerValue(response, "set-cookie") !== null) return 0;
	const control = headerValue(response, "cache-control")?.toLowerCase() ?? "";
	if (/\b(?:no-store|no-cache|private)\b/.test(control)) return 0;
	const age = /\bs-maxage=(\d+)/.exec(control) ?? /\bmax-age=(\d+)/.exec(control);
	return age === null ? Number.MAX_SAFE_INTEGER : Number(age[1]);
}

/** https://w3c.github.io/ServiceWorker/#cachestorage-interface, with the `default` cache of edge platforms. */
export class CacheStorage {
	readonly #opened = new Set<string>();

	constructor(secret?: unknown) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
	}
	get default(): Cache {
		return standard;
	}
	async open(name: unknown): Promise<Cache> {
		requireArguments(arguments.length, 1, "CacheStorage.open");
		this.#opened.add(`${name as string}`);
		return new Cache(SECRET, `${name as string}`);
	}
	async has(name: unknown): Promise<boolean> {
		requireArguments(arguments.length, 1, "CacheStorage.has");
		return this.#opened.has(`${name as string}`);
	}
	async delete(name: unknown): Promise<boolean> {
		requireArguments(arguments.length, 1, "CacheStorage.delete");
		host.cacheDelete(`${name as string}`, null);
		return this.#opened.delete(`${name as string}`);
	}
	async keys(): Promise<string[]> {
		return [...this.#opened];
	}
	async match(request: unknown, options?: unknown): Promise<Response | undefined> {
		requireArguments(arguments.length, 1, "CacheStorage.match");
		for (const name of this.#opened) {
			const found = await new Cache(SECRET, name).match(request, options);
			if (found !== undefined) return found;
		}
		return undefined;
	}
}
asInterface(CacheStorage, "CacheStorage", { constructor: 0, match: 1 });
const standard = new Cache(SECRET, "");
export const caches = new CacheStorage(SECRET);
