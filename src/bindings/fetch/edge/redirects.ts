import { headerIn } from "../../../link/header-list.ts";
import type { Content } from "../../binding.ts";
import type { FetchedResponse } from "../../functions.ts";
import type { FetchHead } from "../schema.ts";

/** A request as whoever performs it takes it. */
interface Subrequest extends FetchHead {
	content: Content;
	signal: AbortSignal;
}

/** One request of a fetch, between redirects. */
export type Hop = Pick<Subrequest, "url" | "method" | "headers" | "content" | "signal">;

const MAX_REDIRECTS = 20;
const REDIRECT = new Set([301, 302, 303, 307, 308]);

/** Follows redirects as fetch does (https://fetch.spec.whatwg.org/#http-redirect-fetch), seen from a server. */
export async function followRedirects(
	request: Subrequest,
	send: (hop: Hop) => Promise<FetchedResponse>,
): Promise<FetchedResponse & { url: string; redirected: boolean }> {
	let { url, method, headers, content } = request;
	for (let hops = 0; ; hops++) {
		const response = await send({ url, method, headers, content, signal: request.signal });
		const { status } = response.head;
		const location = headerIn(response.head.headers, "location") ?? null;
		if (!REDIRECT.has(status) || location === null || request.redirect === "manual")
			return { ...response, url, redirected: hops > 0 };
		if (response.body instanceof ReadableStream) await response.body.cancel();
		if (request.redirect === "error") throw new Error("the server redirects, and the request's redirect mode is error");
		if (hops === MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects`);
		const next = URL.parse(location, url);
		if (next === null) throw new Error("the server redirects to a malformed URL");
		if (
			(status === 303 && method !== "GET" && method !== "HEAD") ||
			((status === 301 || status === 302) && method === "POST")
		) {
			method = "GET";
			content = null;
			headers = without(headers, (name) => name.startsWith("content-"));
		} else if (content !== null && !(content instanceof Uint8Array)) {
			throw new Error("the server redirects, and the request's body is a stream that cannot be sent again");
		}
		if (next.origin !== new URL(url).origin) headers = without(headers, (name) => SECRET.has(name));
		url = next.href;
	}
}

/** What must not follow a redirect to another origin. */
const SECRET = new Set(["authorization", "cookie", "proxy-authorization", "host"]);

/** The headers without those whose name, in lower case, is to be dropped. */
export function without(headers: string[], drop: (name: string) => boolean): string[] {
	const kept: string[] = [];
	for (let i = 0; i < headers.length; i += 2) if (!drop(headers[i])) kept.push(headers[i], headers[i + 1]);
	return kept;
}
