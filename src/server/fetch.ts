import { stripHopByHop } from "../bindings/fetch/edge/hop-by-hop.ts";
import { type FetchedResponse, newChain } from "../bindings/functions.ts";
import type { Client } from "../link/messages.ts";
import type { FunctionId } from "../names.ts";
import { parseHost } from "../router/hostname.ts";
import type { Exchange } from "./exchange.ts";

/** Whom a request is for where its hostname does not say it, and whom it comes from. */
export interface Ends {
	function: FunctionId | null;
	client: Client | null;
}

/**
 * A standard Request as the runtime takes it. Its URL names the function, unless one is named beside it; a Host header
 * wins, as it would on the wire. Throws TypeError where its body was read already.
 */
export function fromRequest(request: Request, ends: Ends): { exchange: Exchange; accept: string } {
	if (request.bodyUsed) throw new TypeError("the request's body was read before");
	const url = new URL(request.url);
	url.hash = "";
	const headers: string[] = [];
	let host: string | null = null;
	for (const [name, value] of request.headers) {
		headers.push(name, value);
		if (name === "host") host = value;
	}
	if (host === null) headers.unshift("host", url.host);
	const parsed = (host === null ? null : parseHost(host)) ?? parseHost(url.host);
	const exchange: Exchange = {
		method: request.method,
		url: url.href,
		hostname: parsed?.hostname ?? url.hostname,
		to: ends.function,
		asked: null,
		headers: stripHopByHop(headers),
		body: request.body as AsyncIterable<Uint8Array> | null,
		client: ends.client,
		chain: newChain(),
	};
	return { exchange, accept: request.headers.get("accept") ?? "" };
}

/** The response as a standard Response. */
export function toResponse({ head, body }: FetchedResponse): Response {
	const headers = new Headers();
	for (let i = 0; i < head.headers.length; i += 2) headers.append(head.headers[i], head.headers[i + 1]);
	return new Response(body as ReadableStream | Uint8Array<ArrayBuffer> | null, {
		status: head.status,
		statusText: head.statusText,
		headers,
	});
}
