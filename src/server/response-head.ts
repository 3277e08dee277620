import { isHopByHop } from "../bindings/fetch/edge/hop-by-hop.ts";
import type { ResponseHead } from "../link/messages.ts";
import type { Bytes } from "../units.ts";

// https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 and https://www.rfc-editor.org/rfc/rfc9110#section-5.5
const NAME = /^[\w!#$%&'*+\-.^`|~]+$/;
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const LENGTH = /^\d{1,15}$/;

/** https://fetch.spec.whatwg.org/#null-body-status, of those that are no informational ones */
const BODILESS = new Set([204, 205, 304]);

/** The request that a response answers. */
interface Answered {
	method: string;
	requestId: string;
}

/**
 * The head of a function's response as whoever asked for it may get it, made of checked parts alone: names in lower
 * case, nothing that concerns one connection, how long the body is only where that is the function's to say, and the
 * platform's own headers only from the platform. Throws an Error that says what is wrong with one that cannot be
 * sent. An answer with a WebSocket has the status
 * 101.
 */
export function sendableHead(given: ResponseHead, { method, requestId }: Answered): ResponseHead {
	const { status, statusText, body, socket } = given;
	const upgrade = status === 101 && Number.isInteger(socket);
	const sendable = Number.isInteger(status) && status >= 200 && status <= 599;
	if (!sendable && !upgrade) throw new Error(`status ${status} cannot be sent`);
	if (typeof statusText !== "string" || NO_VALUE.test(statusText)) throw new Error("the status text cannot be sent");
	if (body !== "none" && (BODILESS.has(status) || (body !== "whole" && body !== "stream")))
		throw new Error(`a response with status ${status} has no such body`);
	if (!Array.isArray(given.headers) || given.headers.length % 2 !== 0) throw new Error("the headers are no list");
	const headers = ["x-atoll-request-id", requestId];
	let length: string | null = null;
	for (let i = 0; i < given.headers.length; i += 2) {
		const name = nameOf(given.headers[i]);
		const value: unknown = given.headers[i + 1];
		if (typeof value !== "string" || NO_VALUE.test(value)) throw new Error(`the header ${name} cannot be sent`);
		if (name === "content-length") length = length === null || length === value ? value : "several";
		else if (!isHopByHop(name) && !name.startsWith("x-atoll-")) headers.push(name, value);
	}
	// A body that is whole is counted. Who asks by HEAD, or has the body already, may hear how long one would be.
	const says = body === "stream" || (body === "none" && (method === "HEAD" || status === 304));
	if (says && length !== null && LENGTH.test(length)) headers.push("content-length", length);
	return { status, statusText, headers, body, socket };
}

function nameOf(name: unknown): string {
	if (typeof name !== "string" || !NAME.test(name)) throw new Error("a header's name is none");
	return name.toLowerCase();
}

/** How long a body is by the head of its response; `null` where that does not say. */
export function contentLength({ headers }: ResponseHead): Bytes | null {
	for (let i = 0; i < headers.length; i += 2) if (headers[i] === "content-length") return Number(headers[i + 1]);
	return null;
}
