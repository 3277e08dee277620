import { type BindingNumber, FETCH } from "../../link/calls.ts";
import { Call, isWhole } from "../../prelude/call.ts";
import { streamedHeaders } from "../../prelude/fetch/body-length.ts";
import { headerList } from "../../prelude/fetch/headers.ts";
import { Request, requestState, signalOf } from "../../prelude/fetch/request.ts";
import { createResponse, type Response, type ResponseOrigin } from "../../prelude/fetch/response.ts";
import { requireArguments } from "../../prelude/interface.ts";
import { encodeFetchHead, type FetchedHead } from "./schema.ts";

/** https://fetch.spec.whatwg.org/#fetch-method: the edge does it. */
export async function fetch(input: unknown, init?: unknown): Promise<Response> {
	requireArguments(arguments.length, 1, "fetch");
	return fetchBy(FETCH, new Request(input, init));
}

/** Sends a request by a binding that takes them as `fetch` does, `within` what else it is told. */
export async function fetchBy(
	binding: BindingNumber,
	asked: Request,
	within: (request: string) => string = (request) => request,
): Promise<Response> {
	const request = requestState(asked);
	const signal = signalOf(request);
	signal.throwIfAborted();
	if (request.url.startsWith("data:")) {
		const { fetchDataUrl } =
			require("../../prelude/fetch/data-url.ts") as typeof import("../../prelude/fetch/data-url.ts");
		const response = fetchDataUrl(request.url);
		if (response === null) throw new TypeError("fetch failed: the data: URL is malformed");
		return response;
	}
	const { method, url, body } = request;
	const { redirect } = request.options;
	const list = headerList(request);
	const headers = body !== null && !isWhole(body) ? streamedHeaders(list, body, false) : list;
	const argument = within(encodeFetchHead({ method, redirect, url, headers }));
	const call = new Call(binding, { what: "fetch()", argument, body, signal });
	await call.answered;
	if (call.failure !== null) throw new TypeError(`fetch failed: ${call.failure}`);
	const answer = JSON.parse(call.text) as FetchedHead;
	const { status, statusText, url: from, redirected } = answer;
	const type = status === 0 ? "opaqueredirect" : "basic";
	const origin: ResponseOrigin = { type, url: from, redirected, guard: "immutable", webSocket: null };
	return createResponse({ status, statusText, headers: answer.headers, body: call.body, origin });
}
