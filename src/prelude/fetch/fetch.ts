import { encodeFetchHead } from "../../link/heads.ts";
import { type FetchHead, Kind, type ResponseHead, STREAM_WINDOW } from "../../link/messages.ts";
import { exactBytes } from "../encoding/bytes.ts";
import { onAbort } from "../events/abort.ts";
import { requireArguments } from "../interface.ts";
import { Operation, requireInvocation } from "../invocation.ts";
import { Body } from "./body.ts";
import { receiveStream, sendStream } from "./body-stream.ts";
import { headerList, headersFromList } from "./headers.ts";
import { Request, requestState } from "./request.ts";
import { createResponse, type Response } from "./response.ts";

/** https://fetch.spec.whatwg.org/#fetch-method: the edge does it, and its answer comes back as a later turn. */
export async function fetch(input: unknown, init?: unknown): Promise<Response> {
	requireArguments(arguments.length, 1, "fetch");
	const request = requestState(new Request(input, init));
	const signal = request.signal();
	signal.throwIfAborted();
	if (request.url.startsWith("data:")) {
		const { fetchDataUrl } = require("./data-url.ts") as typeof import("./data-url.ts");
		const response = fetchDataUrl(request.url);
		if (response === null) throw new TypeError("fetch failed: the data: URL is malformed");
		return response;
	}
	const invocation = requireInvocation("fetch()");
	const op = invocation.nextOperation();
	const source = request.body === null ? null : request.body.source;
	const whole = source !== null && source.length <= STREAM_WINDOW && !request.body?.unusable;
	const head: FetchHead = {
		method: request.method,
		url: request.url,
		headers: headerList(request.headers),
		redirect: request.redirect,
		body: request.body === null ? "none" : whole ? "whole" : "stream",
	};
	const operation = new Operation();
	const answered = Promise.withResolvers<void>();
	let text = "";
	let data: ArrayBuffer | undefined;
	// Not by the promise: what it is resolved with is asked for a `then`.
	operation.answer = (answerText, bytes) => {
		text = answerText;
		data = bytes;
		answered.resolve();
	};
	invocation.operations.set(op, operation);
	invocation.emit(Kind.fetch, op, encodeFetchHead(head), whole ? takeWhole(request.body as Body) : undefined);
	if (head.body === "stream") void sendStream(invocation, op, (request.body as Body).stream, operation);

	let finished = false;
	const cancel = (reason: unknown) => {
		if (finished) return;
		answered.reject(reason);
		operation.end?.(reason);
		operation.abort?.();
		if (!invocation.done) invocation.emit(Kind.cancel, op);
	};
	onAbort(signal, cancel);
	await answered.promise;
	const answer = JSON.parse(text) as ResponseHead | { error: string };
	if (isFailure(answer)) {
		finished = true;
		invocation.operations.delete(op);
		throw new TypeError(`fetch failed: ${answer.error}`);
	}
	let body: Body | null = null;
	if (answer.body === "whole") {
		finished = true;
		invocation.operations.delete(op);
		body = new Body(data === undefined ? new Uint8Array(0) : new Uint8Array(data), null);
	} else if (answer.body === "stream") {
		body = new Body(null, receiveStream(invocation, op, operation));
	}
	const headers = headersFromList(answer.headers, "immutable");
	return createResponse({
		type: answer.status === 0 ? "opaqueredirect" : "basic",
		status: answer.status,
		statusText: answer.statusText,
		headers,
		body,
		url: answer.url ?? request.url,
		redirected: answer.redirected ?? false,
		webSocket: null,
		contentType: () => headers.get("content-type"),
	});
}

function isFailure(answer: object): answer is { error: string } {
	return Object.hasOwn(answer, "error");
}

function takeWhole(body: Body): string | Uint8Array {
	const source = body.take();
	return source === null ? "" : typeof source === "string" ? source : exactBytes(source);
}
