import type { Client } from "../../link/messages.ts";
import { AbortSignal, createSignal, followSignals } from "../events/abort.ts";
import { asInterface, requireArguments, toDictionary } from "../interface.ts";
import { type ReadableStream, TransformStream } from "../streams/streams.ts";
import { parseUrl, URL } from "../url/url.ts";
import { Body, type BodyOwner, extractBody, mixinBody } from "./body.ts";
import { Headers, headerList, headersFromList } from "./headers.ts";

export type RedirectMode = "follow" | "error" | "manual";

/** What a Request is: https://fetch.spec.whatwg.org/#concept-request, as far as a server sees it. */
export interface RequestState extends BodyOwner {
	method: string;
	url: string;
	headers: Headers;
	body: Body | null;
	redirect: RedirectMode;
	/** Makes or gives the signal; lazily, since most functions never look at it. */
	signal: () => AbortSignal;
	cache: string;
	credentials: string;
	integrity: string;
	keepalive: boolean;
	mode: string;
	referrer: string;
	referrerPolicy: string;
	duplex: "half";
	client: Client | null;
}

const NORMALIZED = /^(?:delete|get|head|options|post|put)$/i;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const ENUMS: Record<string, string[]> = {
	redirect: ["follow", "error", "manual"],
	cache: ["default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"],
	credentials: ["omit", "same-origin", "include"],
	mode: ["navigate", "same-origin", "no-cors", "cors"],
	priority: ["high", "low", "auto"],
	referrerPolicy: [
		"",
		"no-referrer",
		"no-referrer-when-downgrade",
		"same-origin",
		"origin",
		"strict-origin",
		"origin-when-cross-origin",
		"strict-origin-when-cross-origin",
		"unsafe-url",
	],
};

function toMethod(value: unknown): string {
	const method = `${value as string}`;
	if (!TOKEN.test(method))
		throw new TypeError(`Request constructor: ${JSON.stringify(method.slice(0, 50))} is not a valid method`);
	if (/^(?:connect|trace|track)$/i.test(method))
		throw new TypeError(`Request constructor: the method ${method} is forbidden`);
	return NORMALIZED.test(method) ? method.toUpperCase() : method;
}

function toEnum(dictionary: Record<string, unknown>, key: string, fallback: string): string {
	const value = dictionary[key];
	if (value === undefined) return fallback;
	const text = `${value as string}`;
	if (!ENUMS[key].includes(text))
		throw new TypeError(`Request constructor: ${JSON.stringify(text.slice(0, 50))} is not a valid value of ${key}`);
	return text;
}

let stateOf: (request: unknown) => RequestState;
let create: (state: RequestState) => Request;
let isRequest: (value: unknown) => value is Request;

/** https://fetch.spec.whatwg.org/#request-class */
export class Request {
	#state: RequestState;

	constructor(input: unknown, init?: unknown) {
		requireArguments(arguments.length, 1, "Request constructor");
		if (input === INTERNAL) {
			this.#state = init as RequestState;
			return;
		}
		const dictionary = toDictionary(init, "Request constructor");
		const from = isRequest(input) ? input.#state : null;
		let url: string;
		if (from === null) {
			const parsed = input instanceof URL ? input : parseUrl(input, "Request constructor");
			if (parsed.username !== "" || parsed.password !== "")
				throw new TypeError("Request constructor: the URL includes credentials");
			url = parsed.href;
		} else url = from.url;
		if (dictionary.window !== undefined && dictionary.window !== null)
			throw new TypeError("Request constructor: window must be null");
		const mode = toEnum(dictionary, "mode", from?.mode ?? "cors");
		if (mode === "navigate" && dictionary.mode !== undefined)
			throw new TypeError("Request constructor: mode must not be navigate");
		const cache = toEnum(dictionary, "cache", from?.cache ?? "default");
		if (cache === "only-if-cached" && mode !== "same-origin")
			throw new TypeError("Request constructor: cache only-if-cached needs mode same-origin");
		const method = dictionary.method === undefined ? (from?.method ?? "GET") : toMethod(dictionary.method);
		const headers =
			dictionary.headers === undefined
				? headersFromList(from === null ? [] : headerList(from.headers).slice(), "none")
				: new Headers(dictionary.headers);
		const given =
			dictionary.signal === undefined
				? from === null
					? null
					: from.signal()
				: (dictionary.signal as AbortSignal | null);
		if (given !== null && !(given instanceof AbortSignal))
			throw new TypeError("Request constructor: signal is not an AbortSignal");
		const hasBody = dictionary.body !== undefined && dictionary.body !== null;
		if (
			(hasBody || (from !== null && from.body !== null && dictionary.body === undefined)) &&
			(method === "GET" || method === "HEAD")
		) {
			throw new TypeError("Request constructor: a request with method GET or HEAD cannot have a body");
		}
		let body: Body | null = null;
		if (hasBody) {
			const extracted = extractBody(dictionary.body);
			if (extracted.body.source === null && dictionary.duplex === undefined && isStreamInit(dictionary.body)) {
				throw new TypeError('Request constructor: a body that is a stream needs the option duplex: "half"');
			}
			body = extracted.body;
			if (extracted.type !== null && !headers.has("content-type")) headers.append("content-type", extracted.type);
		} else if (from !== null && from.body !== null && dictionary.body === undefined) {
			if (from.body.unusable)
				throw new TypeError("Request constructor: the given request's body has already been read");
			body = handOver(from.body);
		}
		toEnum(dictionary, "priority", "auto"); // Which changes nothing here.
		if (dictionary.duplex !== undefined && dictionary.duplex !== "half")
			throw new TypeError("Request constructor: duplex must be half");
		let signal: AbortSignal | null = null;
		this.#state = {
			method,
			url,
			headers,
			body,
			redirect: toEnum(dictionary, "redirect", from?.redirect ?? "follow") as RedirectMode,
			signal: () => {
				if (signal === null) {
					signal = createSignal();
					if (given !== null) followSignals(signal, [given]);
				}
				return signal;
			},
			cache,
			mode,
			credentials: toEnum(dictionary, "credentials", from?.credentials ?? "same-origin"),
			integrity: dictionary.integrity === undefined ? (from?.integrity ?? "") : `${dictionary.integrity as string}`,
			keepalive: dictionary.keepalive === undefined ? (from?.keepalive ?? false) : Boolean(dictionary.keepalive),
			referrer: toReferrer(dictionary.referrer, from),
			referrerPolicy: toEnum(dictionary, "referrerPolicy", from?.referrerPolicy ?? ""),
			duplex: "half",
			client: from?.client ?? null,
			contentType: () => headers.get("content-type"),
		};
		if (given !== null) this.#state.signal();
	}

	get method(): string {
		return this.#state.method;
	}
	get url(): string {
		return this.#state.url;
	}
	get headers(): Headers {
		return this.#state.headers;
	}
	get destination(): string {
		if (this.#state === undefined) throw new TypeError("Illegal invocation");
		return "";
	}
	get referrer(): string {
		return this.#state.referrer;
	}
	get referrerPolicy(): string {
		return this.#state.referrerPolicy;
	}
	get mode(): string {
		return this.#state.mode;
	}
	get credentials(): string {
		return this.#state.credentials;
	}
	get cache(): string {
		return this.#state.cache;
	}
	get redirect(): RedirectMode {
		return this.#state.redirect;
	}
	get integrity(): string {
		return this.#state.integrity;
	}
	get keepalive(): boolean {
		return this.#state.keepalive;
	}
	get isReloadNavigation(): boolean {
		return false;
	}
	get isHistoryNavigation(): boolean {
		return false;
	}
	get signal(): AbortSignal {
		return this.#state.signal();
	}
	get duplex(): string {
		return this.#state.duplex;
	}
	/** Who is at the other end of the connection; `null` for a request that the function made itself. */
	get client(): Client | null {
		return this.#state.client;
	}
	declare readonly body: ReadableStream | null;
	declare readonly bodyUsed: boolean;

	clone(): Request {
		const state = this.#state;
		if (state.body?.unusable) throw new TypeError("Request.clone: the body has already been read");
		const headers = headersFromList(headerList(state.headers).slice(), "none");
		let signal: AbortSignal | null = null;
		return create({
			...state,
			headers,
			body: state.body === null ? null : state.body.clone(),
			signal: () => {
				if (signal === null) {
					signal = createSignal();
					followSignals(signal, [state.signal()]);
				}
				return signal;
			},
			contentType: () => headers.get("content-type"),
		});
	}

	static {
		stateOf = (request) => (request as Request).#state;
		create = (state) => new Request(INTERNAL, state);
		isRequest = (value): value is Request => typeof value === "object" && value !== null && #state in value;
	}
}
const INTERNAL = Symbol("internal");
mixinBody(Request.prototype, stateOf);
asInterface(Request, "Request", { constructor: 1 });

function isStreamInit(init: unknown): boolean {
	return typeof init === "object" && init !== null && ("getReader" in init || Symbol.asyncIterator in init);
}

function toReferrer(value: unknown, from: RequestState | null): string {
	if (value === undefined) return from?.referrer ?? "about:client";
	const text = `${value as string}`;
	if (text === "") return "";
	return text === "about:client" ? text : parseUrl(text, "Request constructor: referrer").href;
}

/** Moves a body into a new Request; the old one counts as read from then on. */
function handOver(body: Body): Body {
	const source = body.take();
	if (source !== null) return new Body(source, null);
	return new Body(null, body.stream.pipeThrough(new TransformStream()));
}

export { create as createRequest, stateOf as requestState };
