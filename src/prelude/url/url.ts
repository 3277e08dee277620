import { host } from "../host.ts";
import { asInterface, requireArguments, toUSVString } from "../interface.ts";
import { attachToUrl, refillFromUrl, URLSearchParams } from "./url-search-params.ts";

/** The order in which the sandbox's parser gives a URL's parts, one a line: no part can hold a line break. */
const PART = {
	href: 0,
	origin: 1,
	protocol: 2,
	username: 3,
	password: 4,
	host: 5,
	hostname: 6,
	port: 7,
	pathname: 8,
	search: 9,
	hash: 10,
};

/**
 * https://url.spec.whatwg.org/#url-class. The sandbox's own parser (Node's, which is Ada) does the work: the tables for
 * international names alone would double the base snapshot.
 */
export class URL {
	#parts: string[];
	#searchParams: URLSearchParams | null = null;

	constructor(url: unknown, base?: unknown) {
		requireArguments(arguments.length, 1, "URL constructor");
		const input = toUSVString(url);
		const parsed = host.parseUrl(input, base === undefined ? undefined : toUSVString(base));
		if (parsed === null) {
			const error = new TypeError("Invalid URL") as TypeError & { code?: string; input?: string };
			error.code = "ERR_INVALID_URL";
			error.input = input;
			throw error;
		}
		this.#parts = parsed.split("\n");
	}

	static canParse(url: unknown, base?: unknown): boolean {
		requireArguments(arguments.length, 1, "URL.canParse");
		return host.parseUrl(toUSVString(url), base === undefined ? undefined : toUSVString(base)) !== null;
	}
	static parse(url: unknown, base?: unknown): URL | null {
		requireArguments(arguments.length, 1, "URL.parse");
		try {
			return new URL(url, base);
		} catch (error) {
			if ((error as { code?: string }).code === "ERR_INVALID_URL") return null;
			throw error;
		}
	}

	#set(property: string, value: unknown): void {
		this.#parts = host.setUrl(this.#parts[PART.href], property, toUSVString(value)).split("\n");
		if (this.#searchParams !== null && (property === "search" || property === "href")) {
			refillFromUrl(this.#searchParams, this.#parts[PART.search].slice(1));
		}
	}

	get href(): string {
		return this.#parts[PART.href];
	}
	set href(value: unknown) {
		const text = toUSVString(value);
		const parsed = host.parseUrl(text, undefined);
		if (parsed === null) throw new TypeError("Invalid URL");
		this.#parts = parsed.split("\n");
		if (this.#searchParams !== null) refillFromUrl(this.#searchParams, this.#parts[PART.search].slice(1));
	}
	get origin(): string {
		return this.#parts[PART.origin];
	}
	get protocol(): string {
		return this.#parts[PART.protocol];
	}
	set protocol(value: unknown) {
		this.#set("protocol", value);
	}
	get username(): string {
		return this.#parts[PART.username];
	}
	set username(value: unknown) {
		this.#set("username", value);
	}
	get password(): string {
		return this.#parts[PART.password];
	}
	set password(value: unknown) {
		this.#set("password", value);
	}
	get host(): string {
		return this.#parts[PART.host];
	}
	set host(value: unknown) {
		this.#set("host", value);
	}
	get hostname(): string {
		return this.#parts[PART.hostname];
	}
	set hostname(value: unknown) {
		this.#set("hostname", value);
	}
	get port(): string {
		return this.#parts[PART.port];
	}
	set port(value: unknown) {
		this.#set("port", value);
	}
	get pathname(): string {
		return this.#parts[PART.pathname];
	}
	set pathname(value: unknown) {
		this.#set("pathname", value);
	}
	get search(): string {
		return this.#parts[PART.search];
	}
	set search(value: unknown) {
		this.#set("search", value);
	}
	get searchParams(): URLSearchParams {
		if (this.#searchParams === null) {
			this.#searchParams = new URLSearchParams();
			attachToUrl(this.#searchParams, this.#parts[PART.search].slice(1), (query) => {
				this.#parts = host.setUrl(this.#parts[PART.href], "search", query).split("\n");
			});
		}
		return this.#searchParams;
	}
	get hash(): string {
		return this.#parts[PART.hash];
	}
	set hash(value: unknown) {
		this.#set("hash", value);
	}
	toJSON(): string {
		return this.href;
	}
	toString(): string {
		return this.href;
	}
}
asInterface(URL, "URL", { constructor: 1, "static canParse": 1, "static parse": 1 });

/** A URL as fetch, Request and Response.redirect take it; throws TypeError where it does not parse. */
export function parseUrl(input: unknown, what: string): URL {
	try {
		return new URL(input);
	} catch (cause) {
		throw new TypeError(`${what}: ${`${input as string}`.slice(0, 200)}`, { cause });
	}
}
