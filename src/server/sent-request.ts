import { newChain } from "../bindings/functions.ts";
import { Invocation } from "../invocation/invocation.ts";
import type { Outcome } from "../observe/record.ts";
import type { Bytes } from "../units.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { type Exchange, KEPT_BODY } from "./exchange.ts";
import { FetchSink } from "./fetch-sink.ts";
import { inPieces } from "./node-handler.ts";
import { nextRequestId } from "./request-id.ts";

/** What came of a request that nobody waits for. */
export interface Sent {
	outcome: Outcome;
	/** 0 where it was not answered. */
	status: number;
	/** The beginning of the response's body. */
	body: Uint8Array;
}

/** A request that comes from no client. */
type Request = Pick<Exchange, "method" | "url" | "hostname" | "to" | "headers"> & { body: Uint8Array };

/**
 * Sends a function a request, and waits until all that it has started by it is done. Of its response's body so much is
 * kept; the rest is read, and dropped.
 */
export async function sendRequest(dispatcher: Dispatcher, request: Request, most: Bytes): Promise<Sent> {
	const sink = new FetchSink({ method: request.method, reader: "function" });
	const settled = Promise.withResolvers<void>();
	sink.onSettled = settled.resolve;
	const body = request.body.byteLength > KEPT_BODY ? inPieces(request.body) : request.body;
	const exchange: Exchange = { ...request, asked: null, body, client: null, chain: newChain() };
	const running = dispatcher.dispatch(nextRequestId(), exchange, sink, "", "dispatch");
	const sent: Sent = { outcome: "ok", status: 0, body: new Uint8Array() };
	try {
		const { head, body: answer } = await sink.response;
		sent.status = head.status;
		// What reached no function tells why, and is the server's own word.
		if (running === null) sent.outcome = refusalIn(head.headers);
		sent.body = await beginning(answer, most);
	} catch {
		sent.outcome = "internal_error"; // It broke off, of which the record tells more.
	}
	if (!(running instanceof Invocation)) return sent;
	await settled.promise;
	return { ...sent, outcome: running.recording.record.outcome };
}

function refusalIn(headers: readonly string[]): Outcome {
	return headers[headers.indexOf("x-atoll-error") + 1] as Outcome;
}

async function beginning(content: Uint8Array | AsyncIterable<Uint8Array> | null, most: Bytes): Promise<Uint8Array> {
	if (content instanceof Uint8Array) return content.subarray(0, most);
	const parts: Uint8Array[] = [];
	let bytes = 0;
	for await (const part of content ?? []) {
		if (bytes < most) parts.push(part.subarray(0, most - bytes));
		bytes += part.byteLength;
	}
	return Buffer.concat(parts);
}
