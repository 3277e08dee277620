import { CACHES } from "../../link/calls.ts";
import { Call } from "../../prelude/call.ts";
import type { Body } from "../../prelude/fetch/body.ts";
import { headerList, headerValue } from "../../prelude/fetch/headers.ts";
import { Request, requestState } from "../../prelude/fetch/request.ts";
import { createResponse, type Response, type ResponseOrigin, responseState } from "../../prelude/fetch/response.ts";
import { asInterface, requireArguments, toDictionary, toUSVString } from "../../prelude/interface.ts";
import { type CacheAsked, type CacheFound, encodeCacheAsked } from "./schema.ts";

const SECRET = Symbol("construct");

/** A request as a key: its URL without the fragment. */
function keyOf(request: Request): string {
	const { url } = requestState(request);
	const hash = url.indexOf("#");
	return hash < 0 ? url : url.slice(0, hash);
}

function toRequest(value: unknown): Request {
	return value instanceof Request ? value : new Request(value);
}

async function ask(what: string, asked: CacheAsked, body: Body | null = null): Promise<Call> {
	const call = new Call(CACHES, { what, argument: encodeCacheAsked(asked), body, signal: null });
	await call.answered;
	if (call.failure !== null) throw new Error(`${what} failed: ${call.failure}`);
	return call;
}

/** https://w3c.github.io/ServiceWorker/#cache-interface, as edge platforms have it: `match`, `put` and `delete`. */
export class Cache {
	readonly #name: string | null;

	constructor(secret?: unknown, name?: string | null) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#name = name as string | null;
	}

	async match(request: unknown, options?: unknown): Promise<Response | undefined> {
		requireArguments(arguments.length, 1, "Cache.match");
		const { ignoreMethod, ignoreVary } = toDictionary(options, "Cache.match");
		const wanted = toRequest(request);
		if (wanted.method !== "GET" && !ignoreMethod) return undefined;
		const { text, body } = await ask("Cache.match()", {
			op: "match",
			cache: this.#name,
			ignoreVary: !!ignoreVary,
			url: keyOf(wanted),
			headers: headerList(requestState(wanted)),
		});
		if (text === "") return undefined;
		const { status, statusText, headers, url } = JSON.parse(text) as CacheFound;
		const origin: ResponseOrigin = { type: "default", url, redirected: false, guard: "immutable", webSocket: null };
		return createResponse({ status, statusText, headers, body, origin });
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
		const vary = namesIn(headerValue(state, "vary"));
		if (vary.includes("*")) throw new TypeError("Cache.put: a response that varies by everything cannot be kept");
		if (body?.unusable) throw new TypeError("Cache.put: the response's body has already been read");
		await ask(
			"Cache.put()",
			{
				op: "put",
				cache: this.#name,
				url: keyOf(key),
				requestHeaders: only(headerList(requestState(key)), vary),
				status,
				statusText,
				headers: headerList(state),
			},
			body,
		);
		return undefined;
	}

	async delete(request: unknown, options?: unknown): Promise<boolean> {
		requireArguments(arguments.length, 1, "Cache.delete");
		const { ignoreMethod } = toDictionary(options, "Cache.delete");
		const key = toRequest(request);
		if (key.method !== "GET" && !ignoreMethod) return false;
		const { text } = await ask("Cache.delete()", { op: "delete", cache: this.#name, url: keyOf(key) });
		return text === "1";
	}
}
asInterface(Cache, "Cache", { constructor: 0, match: 1, delete: 1 });

function namesIn(list: string | null): string[] {
	const names: string[] = [];
	if (list === null) return names;
	const parts = list.split(",");
	for (let i = 0; i < parts.length; i++) names.push(parts[i].trim().toLowerCase());
	return names;
}

/** Those headers of a request that say whether a response is kept, and for whom. */
function only(headers: string[], names: string[]): string[] {
	const some: string[] = [];
	for (let i = 0; i < headers.length; i += 2)
		if (headers[i] === "authorization" || names.includes(headers[i])) some.push(headers[i], headers[i + 1]);
	return some;
}

/** https://w3c.github.io/ServiceWorker/#cachestorage-interface, with the `default` cache of edge platforms. */
export class CacheStorage {
	/** Names of caches that were opened here, and may hold nothing yet. */
	readonly #opened = new Set<string>();

	constructor(secret?: unknown) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
	}
	get default(): Cache {
		return standard;
	}
	async open(name: unknown): Promise<Cache> {
		requireArguments(arguments.length, 1, "CacheStorage.open");
		const text = toUSVString(name);
		this.#opened.add(text);
		return new Cache(SECRET, text);
	}
	async has(name: unknown): Promise<boolean> {
		requireArguments(arguments.length, 1, "CacheStorage.has");
		const text = toUSVString(name);
		return this.#opened.has(text) || (await this.keys()).includes(text);
	}
	async delete(name: unknown): Promise<boolean> {
		requireArguments(arguments.length, 1, "CacheStorage.delete");
		const cache = toUSVString(name);
		const wasOpened = this.#opened.delete(cache);
		const { text } = await ask("CacheStorage.delete()", { op: "drop", cache });
		return wasOpened || text === "1";
	}
	async keys(): Promise<string[]> {
		const { text } = await ask("CacheStorage.keys()", { op: "names" });
		const names = JSON.parse(text) as string[];
		this.#opened.forEach((name) => {
			if (!names.includes(name)) names.push(name);
		});
		return names;
	}
	async match(request: unknown, options?: unknown): Promise<Response | undefined> {
		requireArguments(arguments.length, 1, "CacheStorage.match");
		const names = await this.keys();
		for (let i = 0; i < names.length; i++) {
			const found = await new Cache(SECRET, names[i]).match(request, options);
			if (found !== undefined) return found;
		}
		return undefined;
	}
}
asInterface(CacheStorage, "CacheStorage", { constructor: 0, match: 1 });
const standard = new Cache(SECRET, null);
export const caches = new CacheStorage(SECRET);
