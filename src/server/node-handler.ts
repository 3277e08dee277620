import type { IncomingMessage, ServerResponse } from "node:http";
import { FunctionError } from "../errors.ts";
import type { Guard } from "../observe/guard.ts";
import { type Exchange, KEPT_BODY, type ResponseSink } from "./exchange.ts";
import { type NodeExchange, readRequest } from "./node-request.ts";
import { NodeSink } from "./node-sink.ts";
import { nextRequestId } from "./request-id.ts";

/** Takes a request that has come in, answers into the sink, and calls `abort`'s target when the client has gone. */
export type Dispatch = (
	requestId: string,
	request: Exchange | FunctionError,
	sink: ResponseSink,
	accept: string,
) => { abort(): void } | null;

/** Makes a listener for `node:http` out of a dispatcher. `maxBody` tells how large a hostname's request bodies may be. */
export function nodeHandler(dispatch: Dispatch, guard: Guard, maxBody: (hostname: string) => number) {
	return (req: IncomingMessage, res: ServerResponse, expectsContinue = false): void => {
		const sink = new NodeSink(req, res);
		handle(dispatch, guard, req, sink, (exchange, start) => {
			const { method, contentLength } = exchange;
			const hasBody = contentLength === null ? req.headers["transfer-encoding"] !== undefined : contentLength > 0;
			if (!hasBody || method === "GET" || method === "HEAD") {
				if (hasBody) req.resume();
				start();
				return;
			}
			const most = maxBody(exchange.hostname);
			if (contentLength !== null && contentLength > most) throw new FunctionError("body_too_large");
			if (expectsContinue) res.writeContinue();
			if (contentLength === null || contentLength > KEPT_BODY) {
				exchange.body = bounded(req, most);
				start();
				return;
			}
			// A small body is taken in first: a slow client then holds a socket, and nothing else.
			const parts: Buffer[] = [];
			req.on("data", (part: Buffer) => parts.push(part));
			req.on("end", () =>
				guard.run(sink, () => {
					exchange.body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
					start();
				}),
			);
		});
	};
}

/** Reads a request's head and hands it to `prepare`, which dispatches it with `start`; what either refuses becomes the answer. */
export function handle(
	dispatch: Dispatch,
	guard: Guard,
	req: IncomingMessage,
	sink: NodeSink,
	prepare: (exchange: NodeExchange, start: () => void) => void,
): void {
	const requestId = nextRequestId();
	try {
		const exchange = readRequest(req);
		prepare(exchange, () => {
			const running = dispatch(requestId, exchange, sink, exchange.accept);
			if (running !== null) sink.onGone = () => running.abort();
		});
	} catch (error) {
		if (error instanceof FunctionError && error.code === "bad_request") sink.endConnection();
		if (error instanceof FunctionError)
			guard.run(sink, () => dispatch(requestId, error, sink, String(req.headers.accept ?? "")));
		else guard.fault(sink, error);
	}
}

async function* bounded(req: IncomingMessage, most: number): AsyncGenerator<Uint8Array> {
	let bytes = 0;
	// The connection is kept where the function leaves the body unread: its response is still to be sent.
	for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		if (bytes > most) throw new FunctionError("body_too_large");
		yield chunk;
	}
}
