import { decodeUtf8, encodeUtf8 } from "../encoding/bytes.ts";
import { pairIterator } from "../fetch/headers.ts";
import { asInterface, requireArguments, toUSVString } from "../interface.ts";

/** https://url.spec.whatwg.org/#concept-urlencoded-parser */
export function parseForm(input: string): [string, string][] {
	const pairs: [string, string][] = [];
	for (const part of input.split("&")) {
		if (part === "") continue;
		const equals = part.indexOf("=");
		if (equals < 0) pairs.push([decodePart(part), ""]);
		else pairs.push([decodePart(part.slice(0, equals)), decodePart(part.slice(equals + 1))]);
	}
	return pairs;
}

function decodePart(part: string): string {
	const text = part.includes("+") ? part.replaceAll("+", " ") : part;
	if (!text.includes("%")) return text;
	const bytes = encodeUtf8(text);
	const out = new Uint8Array(bytes.length);
	let length = 0;
	for (let i = 0; i < bytes.length; i++) {
		if (bytes[i] === 0x25 && i + 2 < bytes.length) {
			const high = hexValue(bytes[i + 1]);
			const low = hexValue(bytes[i + 2]);
			if (high >= 0 && low >= 0) {
				out[length++] = high * 16 + low;
				i += 2;
				continue;
			}
		}
		out[length++] = bytes[i];
	}
	return decodeUtf8(out.slice(0, length), true);
}

function hexValue(code: number): number {
	if (code >= 48 && code <= 57) return code - 48;
	const lower = code | 32;
	return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** https://url.spec.whatwg.org/#concept-urlencoded-serializer */
function serializeForm(pairs: readonly (readonly [string, string])[]): string {
	let out = "";
	for (const [name, value] of pairs) out += `${out === "" ? "" : "&"}${encodePart(name)}=${encodePart(value)}`;
	return out;
}

function encodePart(text: string): string {
	if (/^[A-Za-z0-9*\-._]*$/.test(text)) return text;
	let out = "";
	for (const byte of encodeUtf8(text)) {
		if (
			(byte >= 48 && byte <= 57) ||
			(byte >= 65 && byte <= 90) ||
			(byte >= 97 && byte <= 122) ||
			byte === 42 ||
			byte === 45 ||
			byte === 46 ||
			byte === 95
		) {
			out += String.fromCharCode(byte);
		} else if (byte === 32) out += "+";
		else out += `%${byte < 16 ? "0" : ""}${byte.toString(16).toUpperCase()}`;
	}
	return out;
}

let attach: (params: URLSearchParams, query: string, update: (query: string) => void) => void;
let refill: (params: URLSearchParams, query: string) => void;

/** https://url.spec.whatwg.org/#interface-urlsearchparams */
export class URLSearchParams {
	#pairs: [string, string][] = [];
	/** Writes the list back into the URL that owns it. */
	#update: ((query: string) => void) | null = null;

	constructor(init: unknown = "") {
		if ((typeof init === "object" && init !== null) || typeof init === "function") {
			const method = (init as Iterable<unknown>)[Symbol.iterator];
			if (method !== undefined && method !== null) {
				for (const pair of init as Iterable<Iterable<unknown>>) {
					if (
						(typeof pair !== "object" && typeof pair !== "function") ||
						pair === null ||
						typeof pair[Symbol.iterator] !== "function"
					) {
						throw new TypeError("URLSearchParams constructor: each parameter must be a pair of a name and a value");
					}
					const parts = [...pair];
					if (parts.length !== 2)
						throw new TypeError("URLSearchParams constructor: each parameter must be a pair of a name and a value");
					this.#pairs.push([toUSVString(parts[0]), toUSVString(parts[1])]);
				}
			} else {
				const record = new Map<string, string>();
				for (const key of Reflect.ownKeys(init)) {
					if (!Object.prototype.propertyIsEnumerable.call(init, key)) continue;
					if (typeof key === "symbol") throw new TypeError("URLSearchParams constructor: a symbol is not a name");
					record.set(toUSVString(key), toUSVString((init as Record<string, unknown>)[key]));
				}
				this.#pairs = [...record];
			}
			return;
		}
		const text = toUSVString(init);
		this.#pairs = parseForm(text.startsWith("?") ? text.slice(1) : text);
	}

	#changed(): void {
		this.#update?.(serializeForm(this.#pairs));
	}

	get size(): number {
		return this.#pairs.length;
	}
	append(name: unknown, value: unknown): void {
		requireArguments(arguments.length, 2, "URLSearchParams.append");
		this.#pairs.push([toUSVString(name), toUSVString(value)]);
		this.#changed();
	}
	delete(name: unknown, value?: unknown): void {
		requireArguments(arguments.length, 1, "URLSearchParams.delete");
		const key = toUSVString(name);
		const only = value === undefined ? null : toUSVString(value);
		this.#pairs = this.#pairs.filter((pair) => pair[0] !== key || (only !== null && pair[1] !== only));
		this.#changed();
	}
	get(name: unknown): string | null {
		requireArguments(arguments.length, 1, "URLSearchParams.get");
		const key = toUSVString(name);
		return this.#pairs.find((pair) => pair[0] === key)?.[1] ?? null;
	}
	getAll(name: unknown): string[] {
		requireArguments(arguments.length, 1, "URLSearchParams.getAll");
		const key = toUSVString(name);
		return this.#pairs.filter((pair) => pair[0] === key).map((pair) => pair[1]);
	}
	has(name: unknown, value?: unknown): boolean {
		requireArguments(arguments.length, 1, "URLSearchParams.has");
		const key = toUSVString(name);
		const only = value === undefined ? null : toUSVString(value);
		return this.#pairs.some((pair) => pair[0] === key && (only === null || pair[1] === only));
	}
	set(name: unknown, value: unknown): void {
		requireArguments(arguments.length, 2, "URLSearchParams.set");
		const key = toUSVString(name);
		const text = toUSVString(value);
		const index = this.#pairs.findIndex((pair) => pair[0] === key);
		if (index < 0) this.#pairs.push([key, text]);
		else {
			this.#pairs[index][1] = text;
			this.#pairs = this.#pairs.filter((pair, at) => at <= index || pair[0] !== key);
		}
		this.#changed();
	}
	sort(): void {
		this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
		this.#changed();
	}
	forEach(callback: unknown, thisArg?: unknown): void {
		requireArguments(arguments.length, 1, "URLSearchParams.forEach");
		if (typeof callback !== "function") throw new TypeError("URLSearchParams.forEach: the callback is not a function");
		for (let i = 0; i < this.#pairs.length; i++) callback.call(thisArg, this.#pairs[i][1], this.#pairs[i][0], this);
	}
	keys(): IterableIterator<string> {
		return pairIterator(
			() => this.#pairs,
			"URLSearchParams",
			(pair) => pair[0],
		);
	}
	values(): IterableIterator<string> {
		return pairIterator(
			() => this.#pairs,
			"URLSearchParams",
			(pair) => pair[1],
		);
	}
	entries(): IterableIterator<[string, string]> {
		return pairIterator(
			() => this.#pairs,
			"URLSearchParams",
			(pair): [string, string] => [pair[0], pair[1]],
		);
	}
	toString(): string {
		return serializeForm(this.#pairs);
	}
	declare [Symbol.iterator]: () => IterableIterator<[string, string]>;

	static {
		attach = (params, query, update) => {
			params.#pairs = parseForm(query);
			params.#update = update;
		};
		refill = (params, query) => {
			params.#pairs = parseForm(query);
		};
	}
	/** @internal */
	static is(value: unknown): value is URLSearchParams {
		return typeof value === "object" && value !== null && #pairs in value;
	}
}
asInterface(URLSearchParams, "URLSearchParams", { constructor: 0, delete: 1, has: 1, forEach: 1 });
Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
	value: URLSearchParams.prototype.entries,
	writable: true,
	configurable: true,
});
const isURLSearchParams = URLSearchParams.is;
Reflect.deleteProperty(URLSearchParams, "is");

export { attach as attachToUrl, isURLSearchParams, refill as refillFromUrl };
