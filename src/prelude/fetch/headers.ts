import { decodeList } from "../../link/request-head.ts";
import { asInterface, requireArguments } from "../interface.ts";

// https://fetch.spec.whatwg.org/#headers-class

export type Guard = "none" | "immutable";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LOWER_TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a header's value may hold any of these but NUL, LF and CR.
const BAD_VALUE = /[\x00\n\r\u0100-\uffff]/;
const NOT_LATIN1 = /[\u0100-\uffff]/;
const EDGES = /^[\t\n\r ]+|[\t\n\r ]+$/g;

function toName(name: unknown, where: string): string {
	const text = `${name as string}`;
	if (LOWER_TOKEN.test(text)) return text;
	if (!TOKEN.test(text))
		throw new TypeError(`${where}: ${JSON.stringify(text.slice(0, 100))} is not a valid header name`);
	return text.toLowerCase();
}

function toValue(value: unknown, where: string): string {
	const text = `${value as string}`;
	const trimmed = text.charCodeAt(0) > SPACE && text.charCodeAt(text.length - 1) > SPACE;
	const normalized = trimmed ? text : text.replace(EDGES, "");
	if (!BAD_VALUE.test(normalized)) return normalized;
	const what = NOT_LATIN1.test(normalized) ? "a character above U+00FF" : "NUL, CR or LF";
	throw new TypeError(`${where}: a header's value holds ${what}`);
}

/** What is trimmed is no more than this. */
const SPACE = 0x20;

/** The values of a name, which is in small letters, as one; `null` where there is none. */
function valueIn(list: string[], name: string): string | null {
	let found: string | null = null;
	for (let i = 0; i < list.length; i += 2) {
		if (list[i] === name) found = found === null ? list[i + 1] : `${found}, ${list[i + 1]}`;
	}
	return found;
}

let createFrom: (list: string[], guard: Guard) => Headers;
let listOf: (headers: Headers) => string[];

export class Headers {
	/** Name, value, name, value, …; names in lower case, in the order of arrival. */
	#list: string[] = [];
	#guard: Guard = "none";
	#sorted: [string, string][] | null = null;

	constructor(init?: unknown) {
		if (init === undefined) return;
		if (init === null || (typeof init !== "object" && typeof init !== "function")) {
			throw new TypeError("Headers constructor: init is not an object");
		}
		if (#list in init && (init as Headers)[Symbol.iterator] === ITERATOR) {
			this.#list = init.#list.slice();
			return;
		}
		this.#fill(init as Record<string, unknown>);
	}

	#fill(init: Record<string, unknown>): void {
		const method = (init as unknown as Iterable<unknown>)[Symbol.iterator];
		if (method !== undefined && method !== null) {
			for (const pair of init as unknown as Iterable<unknown>) {
				if (pair === null || (typeof pair !== "object" && typeof pair !== "function")) {
					throw new TypeError("Headers constructor: each header must be a pair of a name and a value");
				}
				const parts = [...(pair as Iterable<unknown>)];
				if (parts.length !== 2)
					throw new TypeError("Headers constructor: each header must be a pair of a name and a value");
				this.#add(parts[0], parts[1]);
			}
			return;
		}
		for (const key of Reflect.ownKeys(init)) {
			if (!Object.prototype.propertyIsEnumerable.call(init, key)) continue;
			if (typeof key === "symbol") throw new TypeError("Headers constructor: a symbol is not a header name");
			this.#add(key, init[key]);
		}
	}

	#add(name: unknown, value: unknown): void {
		const key = toName(name, "Headers constructor");
		this.#list.push(key, toValue(value, "Headers constructor"));
	}

	#write(): void {
		if (this.#guard === "immutable") throw new TypeError("Can't modify immutable headers.");
		this.#sorted = null;
	}

	append(name: unknown, value: unknown): void {
		requireArguments(arguments.length, 2, "Headers.append");
		const key = toName(name, "Headers.append");
		const text = toValue(value, "Headers.append");
		this.#write();
		this.#list.push(key, text);
	}

	delete(name: unknown): void {
		requireArguments(arguments.length, 1, "Headers.delete");
		const key = toName(name, "Headers.delete");
		this.#write();
		this.#remove(key, 0);
	}

	#remove(key: string, from: number): void {
		const list = this.#list;
		let kept = from;
		for (let i = from; i < list.length; i += 2) {
			if (list[i] === key) continue;
			list[kept] = list[i];
			list[kept + 1] = list[i + 1];
			kept += 2;
		}
		list.length = kept;
	}

	get(name: unknown): string | null {
		requireArguments(arguments.length, 1, "Headers.get");
		return valueIn(this.#list, toName(name, "Headers.get"));
	}

	getSetCookie(): string[] {
		const cookies: string[] = [];
		for (let i = 0; i < this.#list.length; i += 2) {
			if (this.#list[i] === "set-cookie") cookies.push(this.#list[i + 1]);
		}
		return cookies;
	}

	/** https://developers.cloudflare.com/workers/runtime-apis/headers/: `getSetCookie` from before there was that. */
	getAll(name: unknown): string[] {
		requireArguments(arguments.length, 1, "Headers.getAll");
		if (toName(name, "Headers.getAll") !== "set-cookie")
			throw new TypeError('getAll() can only be used with the header name "Set-Cookie".');
		return this.getSetCookie();
	}

	has(name: unknown): boolean {
		requireArguments(arguments.length, 1, "Headers.has");
		const key = toName(name, "Headers.has");
		for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === key) return true;
		return false;
	}

	set(name: unknown, value: unknown): void {
		requireArguments(arguments.length, 2, "Headers.set");
		const key = toName(name, "Headers.set");
		const text = toValue(value, "Headers.set");
		this.#write();
		const list = this.#list;
		for (let i = 0; i < list.length; i += 2) {
			if (list[i] !== key) continue;
			list[i + 1] = text;
			this.#remove(key, i + 2);
			return;
		}
		list.push(key, text);
	}

	/** https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine */
	#entries(): [string, string][] {
		if (this.#sorted !== null) return this.#sorted;
		const list = this.#list;
		const combined = new Map<string, string>();
		const cookies: [string, string][] = [];
		for (let i = 0; i < list.length; i += 2) {
			const name = list[i];
			if (name === "set-cookie") cookies.push([name, list[i + 1]]);
			else {
				const before = combined.get(name);
				combined.set(name, before === undefined ? list[i + 1] : `${before}, ${list[i + 1]}`);
			}
		}
		const entries = [...combined, ...cookies];
		entries.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
		this.#sorted = entries;
		return entries;
	}

	forEach(callback: unknown, thisArg?: unknown): void {
		requireArguments(arguments.length, 1, "Headers.forEach");
		if (typeof callback !== "function") throw new TypeError("Headers.forEach: the callback is not a function");
		for (let i = 0; i < this.#entries().length; i++) {
			const [name, value] = this.#entries()[i];
			callback.call(thisArg, value, name, this);
		}
	}

	keys(): IterableIterator<string> {
		return pairIterator(
			() => this.#entries(),
			"Headers",
			(entry) => entry[0],
		);
	}

	values(): IterableIterator<string> {
		return pairIterator(
			() => this.#entries(),
			"Headers",
			(entry) => entry[1],
		);
	}

	entries(): IterableIterator<[string, string]> {
		return pairIterator(
			() => this.#entries(),
			"Headers",
			(entry) => [entry[0], entry[1]],
		);
	}

	declare [Symbol.iterator]: () => IterableIterator<[string, string]>;

	static {
		createFrom = (list, guard) => {
			const headers = new Headers();
			headers.#list = list;
			headers.#guard = guard;
			return headers;
		};
		listOf = (headers) => headers.#list;
	}
}
const ITERATOR = Headers.prototype.entries;
asInterface(Headers, "Headers", { constructor: 0, forEach: 1 });
Object.defineProperty(Headers.prototype, Symbol.iterator, { value: ITERATOR, writable: true, configurable: true });

/**
 * What has headers: as a list, name, value, name, value, …, until a function touches them as an object, which most
 * never do. Those of a request that has come in are text until then, as `decodeList` takes it.
 */
export interface HeadersOwner {
	headers: Headers | string[] | string;
}

/** The headers as an object, made at first touch. */
export function headersOf(owner: HeadersOwner, guard: Guard): Headers {
	const { headers } = owner;
	const list = typeof headers === "string" ? decodeList(headers) : headers;
	if (!Array.isArray(list)) return list;
	const made = createFrom(list, guard);
	owner.headers = made;
	return made;
}

/** The headers as a list, which is theirs. */
export function headerList(owner: HeadersOwner): string[] {
	const { headers } = owner;
	if (Array.isArray(headers)) return headers;
	if (typeof headers === "object") return listOf(headers);
	const list = decodeList(headers);
	owner.headers = list;
	return list;
}

/** The value of a header, whose name is in small letters, or `null`. */
export function headerValue(owner: HeadersOwner, name: string): string | null {
	return valueIn(headerList(owner), name);
}

const prototypes = new Map<string, object>();
const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

/**
 * Web IDL's iterator over pairs, which sees changes made while it runs:
 * https://webidl.spec.whatwg.org/#js-default-iterator-object
 */
export function pairIterator<E, T>(
	entries: () => readonly E[],
	name: string,
	pick: (entry: E) => T,
): IterableIterator<T> {
	let prototype = prototypes.get(name);
	if (prototype === undefined) {
		// A literal's method has the name and the attributes that Web IDL gives it.
		prototype = {
			__proto__: IteratorPrototype,
			next(this: object): IteratorResult<unknown> {
				const step = steps.get(this);
				if (step === undefined) throw new TypeError(`next() called on something that is not a ${name} iterator`);
				return step();
			},
		} as object;
		Object.defineProperty(prototype, Symbol.toStringTag, { value: `${name} Iterator`, configurable: true });
		prototypes.set(name, prototype);
	}
	let index = 0;
	const iterator = Object.create(prototype) as IterableIterator<T>;
	steps.set(iterator, () => {
		const all = entries();
		if (index >= all.length) return { value: undefined, done: true };
		return { value: pick(all[index++]), done: false };
	});
	return iterator;
}
const steps = new WeakMap<object, () => IteratorResult<unknown>>();
