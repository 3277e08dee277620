/** What `node:http` says of names and values of headers, and how it keeps those that are going to be sent. */
import { METHODS as methods, STATUS_CODES as statusCodes } from "unenv/node/internal/http/constants";
import { withCode } from "./node-errors.ts";

export const METHODS: string[] = [...(methods as string[]).filter((method) => method !== "PRI"), "QUERY"].sort();
export const STATUS_CODES: Record<number, string> = statusCodes;

export const maxHeaderSize = 16384;

export type HeaderValue = string | number | readonly string[];
export type HeadersGiven = Record<string, HeaderValue | undefined> | readonly HeaderValue[] | Headers;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

export function validateHeaderName(name: unknown, label = "Header name"): void {
	if (typeof name !== "string" || !TOKEN.test(name))
		throw withCode(new TypeError(`${label} must be a valid HTTP token ["${name}"]`), "ERR_INVALID_HTTP_TOKEN");
}

export function validateHeaderValue(name: string, value: unknown): void {
	if (value === undefined)
		throw withCode(new TypeError(`Invalid value "${value}" for header "${name}"`), "ERR_HTTP_INVALID_HEADER_VALUE");
	for (const one of [value].flat())
		if (NOT_IN_VALUE.test(String(one)))
			throw withCode(new TypeError(`Invalid character in header content ["${name}"]`), "ERR_INVALID_CHAR");
}

/** Name and value, name and value, of headers in any of the forms that Node takes. */
export function pairsOf(headers: HeadersGiven | undefined): [string, HeaderValue][] {
	if (headers === undefined) return [];
	if (headers instanceof Headers) return [...headers];
	if (!Array.isArray(headers))
		return Object.entries(headers as Record<string, HeaderValue>).filter(([, value]) => value !== undefined);
	if (headers.every(Array.isArray)) return headers as [string, HeaderValue][];
	const flat = headers as HeaderValue[];
	return Array.from({ length: flat.length / 2 }, (_, i) => [String(flat[2 * i]), flat[2 * i + 1]]);
}

/** Headers to be sent, by names of which case means nothing but is kept. */
export class OutgoingHeaders {
	readonly #fields = new Map<string, [name: string, value: HeaderValue]>();

	set(name: string, value: HeaderValue): void {
		validateHeaderName(name);
		validateHeaderValue(name, value);
		this.#fields.set(name.toLowerCase(), [name, value]);
	}
	append(name: string, value: HeaderValue): void {
		const before = this.get(name);
		this.set(name, before === undefined ? value : ([before, value].flat().map(String) as string[]));
	}
	get(name: string): HeaderValue | undefined {
		return this.#fields.get(String(name).toLowerCase())?.[1];
	}
	delete(name: string): void {
		this.#fields.delete(String(name).toLowerCase());
	}
	get names(): string[] {
		return [...this.#fields.keys()];
	}
	get rawNames(): string[] {
		return [...this.#fields.values()].map(([name]) => name);
	}
	toObject(): Record<string, HeaderValue> {
		const object = Object.create(null) as Record<string, HeaderValue>;
		for (const [key, [, value]] of this.#fields) object[key] = value;
		return object;
	}
	/** As the Web has them; those of one connection are its own. */
	toHeaders(): Headers {
		const headers = new Headers();
		for (const [key, [name, value]] of this.#fields)
			if (!OF_A_CONNECTION.has(key)) for (const one of [value].flat()) headers.append(name, String(one));
		return headers;
	}
}

const OF_A_CONNECTION = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);
