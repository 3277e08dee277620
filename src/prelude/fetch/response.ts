import { asInterface, requireArguments, toDictionary } from "../interface.ts";
import type { ReadableStream } from "../streams/streams.ts";
import { parseUrl } from "../url/url.ts";
import { type Body, type BodyOwner, extractBody, mixinBody } from "./body.ts";
import { Headers, headerList, headersFromList } from "./headers.ts";

/** What a Response is: https://fetch.spec.whatwg.org/#concept-response */
export interface ResponseState extends BodyOwner {
	type: "default" | "basic" | "error" | "opaqueredirect";
	status: number;
	statusText: string;
	headers: Headers;
	body: Body | null;
	url: string;
	redirected: boolean;
	/** The socket that a response with status 101 hands over to the client. */
	webSocket: unknown;
}

/** https://fetch.spec.whatwg.org/#null-body-status */
export function isNullBodyStatus(status: number): boolean {
	return status === 101 || status === 103 || status === 204 || status === 205 || status === 304;
}

// A reason phrase may hold a tab but no other control character.
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

let stateOf: (response: unknown) => ResponseState;
let create: (state: ResponseState) => Response;
let isResponse: (value: unknown) => value is Response;

/** https://fetch.spec.whatwg.org/#response-class */
export class Response {
	#state: ResponseState;

	constructor(body?: unknown, init?: unknown) {
		if (body === INTERNAL) {
			this.#state = init as ResponseState;
			return;
		}
		const extracted = body === undefined || body === null ? null : extractBody(body);
		this.#state = initialize(extracted, init, "Response constructor");
	}

	static error(): Response {
		return create({
			...initialize(null, undefined, "Response.error"),
			type: "error",
			status: 0,
			headers: headersFromList([], "immutable"),
		});
	}

	static redirect(url: unknown, status: unknown = 302): Response {
		requireArguments(arguments.length, 1, "Response.redirect");
		const { href } = parseUrl(url, "Response.redirect");
		const code = toStatusNumber(status);
		if (![301, 302, 303, 307, 308].includes(code))
			throw new RangeError(`Response.redirect: ${code} is not a redirect status`);
		return create({
			...initialize(null, undefined, "Response.redirect"),
			status: code,
			headers: headersFromList(["location", href], "immutable"),
		});
	}

	static json(data: unknown, init?: unknown): Response {
		requireArguments(arguments.length, 1, "Response.json");
		const text = JSON.stringify(data);
		if (text === undefined) throw new TypeError("Response.json: the data cannot be made into JSON");
		return create(initialize({ body: extractBody(text).body, type: "application/json" }, init, "Response.json"));
	}

	get type(): string {
		return this.#state.type;
	}
	/** Without its fragment: https://fetch.spec.whatwg.org/#dom-response-url */
	get url(): string {
		const { url } = this.#state;
		const hash = url.indexOf("#");
		return hash < 0 ? url : url.slice(0, hash);
	}
	get redirected(): boolean {
		return this.#state.redirected;
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
		return this.#state.headers;
	}
	/** https://developers.cloudflare.com/workers/runtime-apis/websockets/ */
	get webSocket(): unknown {
		return this.#state.webSocket;
	}
	declare readonly body: ReadableStream | null;
	declare readonly bodyUsed: boolean;

	clone(): Response {
		const state = this.#state;
		if (state.body?.unusable) throw new TypeError("Response.clone: the body has already been read");
		const headers = headersFromList(headerList(state.headers).slice(), "none");
		return create({
			...state,
			headers,
			body: state.body === null ? null : state.body.clone(),
			contentType: () => headers.get("content-type"),
		});
	}

	static {
		stateOf = (response) => (response as Response).#state;
		create = (state) => new Response(INTERNAL, state);
		isResponse = (value): value is Response => typeof value === "object" && value !== null && #state in value;
	}
}
const INTERNAL = Symbol("internal");
mixinBody(Response.prototype, stateOf);
asInterface(Response, "Response", { constructor: 0, "static json": 1 });

function toStatusNumber(value: unknown): number {
	return (Math.trunc(Number(value)) || 0) & 0xffff;
}

/** https://fetch.spec.whatwg.org/#initialize-a-response */
function initialize(
	extracted: { body: Body; type: string | null } | null,
	init: unknown,
	where: string,
): ResponseState {
	const dictionary = toDictionary(init, where);
	const status = dictionary.status === undefined ? 200 : toStatusNumber(dictionary.status);
	const webSocket = dictionary.webSocket ?? null;
	// A function may switch protocols, unlike a page, but to nothing else than a WebSocket.
	if ((status < 200 || status > 599) && !(status === 101 && webSocket !== null))
		throw new RangeError(`${where}: the status ${status} is not between 200 and 599`);
	const statusText = dictionary.statusText === undefined ? "" : `${dictionary.statusText as string}`;
	if (!REASON.test(statusText))
		throw new TypeError(`${where}: the statusText holds characters that a reason phrase may not`);
	const headers = new Headers(dictionary.headers ?? undefined);
	if (extracted !== null) {
		if (isNullBodyStatus(status)) throw new TypeError(`${where}: a response with status ${status} cannot have a body`);
		if (extracted.type !== null && !headers.has("content-type")) headers.append("content-type", extracted.type);
	}
	return {
		type: "default",
		status,
		statusText,
		headers,
		body: extracted?.body ?? null,
		url: "",
		redirected: false,
		webSocket,
		contentType: () => headers.get("content-type"),
	};
}

export { create as createResponse, isResponse, stateOf as responseState };
