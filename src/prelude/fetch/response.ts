import { asInterface, requireArguments, toDictionary } from "../interface.ts";
import type { ReadableStream } from "../streams/streams.ts";
import { parseUrl } from "../url/url.ts";
import { type Body, type BodyOwner, extractBody, mixinBody } from "./body.ts";
import { type Guard, Headers, headerList, headersOf, headerValue } from "./headers.ts";

/**
 * What a Response is: https://fetch.spec.whatwg.org/#concept-response. As few properties as can be: in an isolate that
 * has had few requests each one that is defined costs as much as a call.
 */
export interface ResponseState extends BodyOwner {
	status: number;
	statusText: string;
	body: Body | null;
	origin: ResponseOrigin;
}

/** Where a response comes from. Most share one. */
export interface ResponseOrigin {
	type: "default" | "basic" | "error" | "opaqueredirect";
	url: string;
	redirected: boolean;
	/** Whether the function may change the headers. */
	guard: Guard;
	/** The socket that a response with status 101 hands over to the client. */
	webSocket: unknown;
	/** What the function has given as `cf`, if anything. */
	cf?: object;
}

/** That of responses which a function makes itself. */
const MADE: ResponseOrigin = { type: "default", url: "", redirected: false, guard: "none", webSocket: null };

/** https://fetch.spec.whatwg.org/#null-body-status */
export function isNullBodyStatus(status: number): boolean {
	return status === 101 || status === 103 || status === 204 || status === 205 || status === 304;
}

// A reason phrase may hold a tab but no other control character.
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

let stateOf: (response: unknown) => ResponseState;
/** The state of what is a Response; `null` for anything else. */
let responseState: (value: unknown) => ResponseState | null;
let create: (state: ResponseState) => Response;

/** https://fetch.spec.whatwg.org/#response-class */
export class Response {
	#state: ResponseState;

	constructor(body?: unknown, init?: unknown) {
		if (body === INTERNAL) {
			this.#state = init as ResponseState;
			return;
		}
		const extracted = body === undefined || body === null ? null : extractBody(body);
		// Another response, as most of those are that are given here, is not asked by its getters for what few have.
		const from = typeof init === "object" && init !== null && #state in init ? init.#state.origin : null;
		this.#state = initialize(extracted, init, "Response constructor", from);
	}

	static error(): Response {
		const origin: ResponseOrigin = { ...MADE, type: "error", guard: "immutable" };
		return create({ status: 0, statusText: "", headers: [], body: null, origin });
	}

	static redirect(url: unknown, status: unknown = 302): Response {
		requireArguments(arguments.length, 1, "Response.redirect");
		const { href } = parseUrl(url, "Unable to parse URL");
		const code = toStatusNumber(status);
		if (![301, 302, 303, 307, 308].includes(code))
			throw new RangeError(`Response.redirect: ${code} is not a redirect status`);
		const origin: ResponseOrigin = { ...MADE, guard: "immutable" };
		return create({ status: code, statusText: "", headers: ["location", href], body: null, origin });
	}

	static json(data: unknown, init?: unknown): Response {
		requireArguments(arguments.length, 1, "Response.json");
		const text = JSON.stringify(data);
		if (text === undefined) throw new TypeError("Response.json: the data cannot be made into JSON");
		return create(initialize({ body: extractBody(text).body, type: "application/json" }, init, "Response.json"));
	}

	get type(): string {
		return this.#state.origin.type;
	}
	/** Without its fragment: https://fetch.spec.whatwg.org/#dom-response-url */
	get url(): string {
		const { url } = this.#state.origin;
		const hash = url.indexOf("#");
		return hash < 0 ? url : url.slice(0, hash);
	}
	get redirected(): boolean {
		return this.#state.origin.redirected;
	}
	get status(): number {
		return this.#state.status;
	}
	get ok(): boolean {
		return this.#state.status >= 200 && this.#state.status <= 299;
	}
	get statusText(): string {
		return this.#state.statusText;
	}
	get headers(): Headers {
		return headersOf(this.#state, this.#state.origin.guard);
	}
	/** https://developers.cloudflare.com/workers/runtime-apis/websockets/ */
	get webSocket(): unknown {
		return this.#state.origin.webSocket;
	}
	/** What its maker has given to go with it. */
	get cf(): object | undefined {
		return this.#state.origin.cf;
	}
	declare readonly body: ReadableStream | null;
	declare readonly bodyUsed: boolean;

	clone(): Response {
		const state = this.#state;
		if (state.body?.unusable) throw new TypeError("Response.clone: the body has already been read");
		return create({
			status: state.status,
			statusText: state.statusText,
			headers: headerList(state).slice(),
			body: state.body === null ? null : state.body.clone(),
			origin: { ...state.origin, guard: "none" },
		});
	}

	static {
		stateOf = (response) => (response as Response).#state;
		create = (state) => new Response(INTERNAL, state);
		responseState = (value) => (typeof value === "object" && value !== null && #state in value ? value.#state : null);
	}
}
const INTERNAL = Symbol("internal");
mixinBody(Response.prototype, stateOf);
asInterface(Response, "Response", { constructor: 0, "static json": 1 });

function toStatusNumber(value: unknown): number {
	return (Math.trunc(Number(value)) || 0) & 0xffff;
}

/** A body, and the Content-Type that goes with it. */
interface Extracted {
	body: Body;
	type: string | null;
}

/** https://fetch.spec.whatwg.org/#initialize-a-response */
function initialize(
	extracted: Extracted | null,
	init: unknown,
	where: string,
	from: ResponseOrigin | null = null,
): ResponseState {
	if (init === undefined && extracted !== null) return plain(extracted);
	const dictionary = toDictionary(init, where);
	const status = dictionary.status === undefined ? 200 : toStatusNumber(dictionary.status);
	const { webSocket: given = null, cf = null } = from ?? dictionary;
	const webSocket = typeof given === "object" ? given : null;
	const { encodeBody } = dictionary;
	// A function may switch protocols, unlike a page, but to nothing else than a WebSocket.
	if ((status < 200 || status > 599) && !(status === 101 && webSocket !== null))
		throw new RangeError(`${where}: the status ${status} is not between 200 and 599`);
	const statusText = dictionary.statusText === undefined ? "" : `${dictionary.statusText as string}`;
	if (statusText !== "" && !REASON.test(statusText))
		throw new TypeError(`${where}: the statusText holds characters that a reason phrase may not`);
	const { headers } = dictionary;
	const state: ResponseState = {
		status,
		statusText,
		headers: headers === undefined || headers === null ? [] : new Headers(headers),
		body: extracted === null ? null : extracted.body,
		origin:
			webSocket === null && cf === null && encodeBody === undefined
				? MADE
				: originOf({ webSocket, cf, encodeBody }, where),
	};
	if (webSocket !== null && status !== 101)
		throw new RangeError(`${where}: a response with a webSocket must have the status 101`);
	if (extracted === null) return state;
	if (isNullBodyStatus(status)) {
		// Workers let one that is empty pass, which frameworks give with every status.
		if (extracted.body.source?.length === 0) return { ...state, body: null };
		if (webSocket !== null) throw new RangeError(`${where}: a response with a webSocket cannot have a body`);
		throw new TypeError("Response with null body status (101, 204, 205, or 304) cannot have a body.");
	}
	if (extracted.type !== null && headerValue(state, "content-type") === null)
		headerList(state).push("content-type", extracted.type);
	return state;
}

/** That of a response of which more was said than the standard knows of. */
function originOf({ webSocket, cf, encodeBody }: Record<string, unknown>, where: string): ResponseOrigin {
	// A body leaves as it is, which is what "manual" asks for.
	if (encodeBody !== undefined && encodeBody !== "automatic" && encodeBody !== "manual")
		throw new TypeError(`${where}: encodeBody is neither "automatic" nor "manual"`);
	if (cf !== null && typeof cf !== "object") throw new TypeError(`${where}: cf is not an object`);
	return cf === null ? { ...MADE, webSocket } : { ...MADE, webSocket, cf };
}

/** One with a body, of which nothing else was said. */
export function plain({ body, type }: Extracted): ResponseState {
	return { status: 200, statusText: "", headers: type === null ? [] : ["content-type", type], body, origin: MADE };
}

export { create as createResponse, responseState };
