import type { Client, RequestHead } from "../../link/messages.ts";
import { decodeClient, type ReceivedHead } from "../../link/request-head.ts";
import { AbortSignal, createSignal, followSignals } from "../events/abort.ts";
import { asInterface, requireArguments, toDictionary } from "../interface.ts";
import { structuredClone } from "../messaging/structured-clone.ts";
import { type ReadableStream, TransformStream } from "../streams/streams.ts";
import { parseUrl, URL } from "../url/url.ts";
import { Body, type BodyOwner, extractBody, mixinBody } from "./body.ts";
import { copyStreamLength } from "./body-length.ts";
import { type Guard, Headers, headerList, headersOf, headerValue } from "./headers.ts";

export type RedirectMode = "follow" | "error" | "manual";

/**
 * What a Request is: https://fetch.spec.whatwg.org/#concept-request, as far as a server sees it. As few properties as
 * can be: in an isolate that has had few requests each one that is defined costs as much as a call.
 */
export interface RequestState extends BodyOwner {
	method: string;
	url: string;
	body: Body | null;
	/** Gives the signal when it is first asked for one, since most functions never look at it. */
	signal: AbortSignal | SignalSource;
	options: RequestOptions;
	/** As text until it is asked for. */
	client: Client | string | null;
	/** What the function has given as `cf`, or has asked a request that has come in for; absent before. */
	cf?: object;
}

/** What makes a request's signal. */
export interface SignalSource {
	makeSignal(): AbortSignal;
}

/** What decides how a request is sent, and may be done with. Those that come in share one. */
interface RequestOptions {
	/** Whether it has come in, or was made of one that has. */
	received: boolean;
	/** Whether the function may change the headers. */
	guard: Guard;
	redirect: RedirectMode;
	cache: string;
	credentials: string;
	integrity: string;
	keepalive: boolean;
	mode: string;
	referrer: string;
	referrerPolicy: string;
}

const RECEIVED: RequestOptions = {
	received: true,
	guard: "immutable",
	redirect: "manual",
	cache: "default",
	credentials: "same-origin",
	integrity: "",
	keepalive: false,
	mode: "cors",
	referrer: "about:client",
	referrerPolicy: "",
};

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
		if (input === INTERNAL) {
			this.#state = init as RequestState;
			return;
		}
		requireArguments(arguments.length, 1, "Request constructor");
		const dictionary = toDictionary(init, "Request constructor");
		const from = isRequest(input) ? input.#state : null;
		let url: string;
		if (from === null) {
			const parsed = input instanceof URL ? input : parseUrl(input, "Invalid URL");
			if (parsed.username !== "" || parsed.password !== "")
				throw new TypeError("Request constructor: the URL includes credentials");
			url = parsed.href;
		} else url = from.url;
		if (dictionary.window !== undefined && dictionary.window !== null)
			throw new TypeError("Request constructor: window must be null");
		const before = from === null ? null : from.options;
		const mode = toEnum(dictionary, "mode", before?.mode ?? "cors");
		if (mode === "navigate" && dictionary.mode !== undefined)
			throw new TypeError("Request constructor: mode must not be navigate");
		const cache = toEnum(dictionary, "cache", before?.cache ?? "default");
		if (cache === "only-if-cached" && mode !== "same-origin")
			throw new TypeError("Request constructor: cache only-if-cached needs mode same-origin");
		const method = dictionary.method === undefined ? (from?.method ?? "GET") : toMethod(dictionary.method);
		const headers =
			dictionary.headers !== undefined
				? new Headers(dictionary.headers)
				: from === null
					? []
					: headerList(from).slice();
		const given =
			dictionary.signal === undefined
				? from === null
					? null
					: signalOf(from)
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
			body = extracted.body;
			const owner = { headers };
			if (extracted.type !== null && headerValue(owner, "content-type") === null)
				headerList(owner).push("content-type", extracted.type);
		} else if (from !== null && from.body !== null && dictionary.body === undefined) {
			if (from.body.unusable)
				throw new TypeError("Request constructor: the given request's body has already been read");
			body = handOver(from.body);
		}
		toEnum(dictionary, "priority", "auto"); // Which changes nothing here.
		if (dictionary.duplex !== undefined && dictionary.duplex !== "half")
			throw new TypeError("Request constructor: duplex must be half");
		const { integrity, keepalive } = dictionary;
		this.#state = {
			method,
			url,
			headers,
			body,
			signal: given === null ? UNABORTED : follow(given),
			options: {
				received: before?.received ?? false,
				guard: "none",
				redirect: toEnum(dictionary, "redirect", before?.redirect ?? "follow") as RedirectMode,
				cache,
				mode,
				credentials: toEnum(dictionary, "credentials", before?.credentials ?? "same-origin"),
				integrity: integrity === undefined ? (before?.integrity ?? "") : `${integrity as string}`,
				keepalive: keepalive === undefined ? (before?.keepalive ?? false) : Boolean(keepalive),
				referrer: toReferrer(dictionary.referrer, before),
				referrerPolicy: toEnum(dictionary, "referrerPolicy", before?.referrerPolicy ?? ""),
			},
			client: from === null ? null : clientOf(from),
		};
		const { cf } = dictionary;
		if (cf !== undefined && cf !== null) {
			if (typeof cf !== "object") throw new TypeError("Request constructor: cf is not an object");
			this.#state.cf = structuredClone(cf) as object;
		} else if (from !== null) copyCf(from, this.#state);
	}

	get method(): string {
		return this.#state.method;
	}
	get url(): string {
		return this.#state.url;
	}
	get headers(): Headers {
		return headersOf(this.#state, this.#state.options.guard);
	}
	get destination(): string {
		if (this.#state === undefined) throw new TypeError("Illegal invocation");
		return "";
	}
	get referrer(): string {
		return this.#state.options.referrer;
	}
	get referrerPolicy(): string {
		return this.#state.options.referrerPolicy;
	}
	get mode(): string {
		return this.#state.options.mode;
	}
	get credentials(): string {
		return this.#state.options.credentials;
	}
	get cache(): string {
		return this.#state.options.cache;
	}
	get redirect(): RedirectMode {
		return this.#state.options.redirect;
	}
	get integrity(): string {
		return this.#state.options.integrity;
	}
	get keepalive(): boolean {
		return this.#state.options.keepalive;
	}
	get isReloadNavigation(): boolean {
		return false;
	}
	get isHistoryNavigation(): boolean {
		return false;
	}
	get signal(): AbortSignal {
		return signalOf(this.#state);
	}
	get duplex(): string {
		if (this.#state === undefined) throw new TypeError("Illegal invocation");
		return "half";
	}
	/** Who is at the other end of the connection; `null` for a request that the function made itself. */
	get client(): Client | null {
		return clientOf(this.#state);
	}
	/** https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties */
	get cf(): object | undefined {
		const state = this.#state;
		if (state.cf === undefined && state.options.received) state.cf = connectionOf(clientOf(state));
		return state.cf;
	}
	declare readonly body: ReadableStream | null;
	declare readonly bodyUsed: boolean;

	clone(): Request {
		const state = this.#state;
		if (state.body?.unusable) throw new TypeError("Request.clone: the body has already been read");
		const copy: RequestState = {
			method: state.method,
			url: state.url,
			headers: headerList(state).slice(),
			body: state.body === null ? null : state.body.clone(),
			signal: { makeSignal: () => follow(signalOf(state)) },
			options: { ...state.options, guard: "none" },
			client: clientOf(state),
		};
		copyCf(state, copy);
		return create(copy);
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

/** The signal of a request, made at first touch. */
export function signalOf(state: RequestState): AbortSignal {
	if (!(state.signal instanceof AbortSignal)) state.signal = state.signal.makeSignal();
	return state.signal;
}

/** Who is at the other end of the connection. */
function clientOf(state: RequestState): Client | null {
	if (typeof state.client === "string") state.client = decodeClient(state.client);
	return state.client;
}

/** What the edge knows of a connection, by the names that Workers have for it; nothing of what it does not know. */
function connectionOf(client: Client | null): object {
	if (client === null) return {};
	const { protocol: httpProtocol, tls: tlsVersion } = client;
	return tlsVersion === null ? { httpProtocol } : { httpProtocol, tlsVersion };
}

function copyCf(from: RequestState, to: RequestState): void {
	if (from.cf !== undefined) to.cf = structuredClone(from.cf) as object;
}

/** A signal of its own, which another one aborts. */
function follow(signal: AbortSignal): AbortSignal {
	const own = createSignal();
	followSignals(own, [signal]);
	return own;
}

const UNABORTED: SignalSource = { makeSignal: createSignal };

/** The request that has come in. */
export function receivedRequest(head: ReceivedHead | RequestHead, body: Body | null, signal: SignalSource): Request {
	const { method, url, headers, client } = head;
	return create({ method, url, headers, body, signal, options: RECEIVED, client });
}

function toReferrer(value: unknown, before: RequestOptions | null): string {
	if (value === undefined) return before?.referrer ?? "about:client";
	const text = `${value as string}`;
	if (text === "") return "";
	return text === "about:client" ? text : parseUrl(text, "Invalid referrer URL").href;
}

/** Moves a body into a new Request; the old one counts as read from then on. */
function handOver(body: Body): Body {
	const source = body.take();
	if (source !== null) return new Body(source, null);
	const stream = body.stream.pipeThrough(new TransformStream());
	copyStreamLength(body.stream, stream);
	return new Body(null, stream);
}

export { stateOf as requestState };
