import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { FunctionError } from "../errors.ts";
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

/** Makes a listener for upgrades of `node:http` out of a dispatcher: what asks for a WebSocket and is one of HTTP's GETs. */
export function upgradeHandler(
	dispatch: Dispatch,
	makeSink: (req: IncomingMessage, socket: Duplex, head: Buffer) => NodeSink,
) {
	return (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
		socket.on("error", () => socket.destroy());
		const sink = makeSink(req, socket, head);
		handle(dispatch, req, sink, (exchange, start) => {
			if (!isWebSocketUpgrade(req))
				throw new FunctionError("bad_request", "The only protocol to upgrade to is websocket.");
			exchange.headers.push("upgrade", "websocket");
			start();
		});
	};
}

/** https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1 */
export function isWebSocketUpgrade({ method, headers }: IncomingMessage): boolean {
	return (
		method === "GET" &&
		headers.upgrade?.toLowerCase() === "websocket" &&
		/^[\w+/]{22}==$/.test(headers["sec-websocket-key"] ?? "") &&
		headers["sec-websocket-version"] === "13"
	);
}

/** Makes a listener for `node:http` out of a dispatcher. `maxBody` tells how large a hostname's request bodies may be. */
export function nodeHandler(dispatch: Dispatch, maxBody: (hostname: string) => number) {
	return (req: IncomingMessage, res: ServerResponse, expectsContinue = false): void => {
		handle(dispatch, req, new NodeSink(req, res), (exchange, start) => {
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
			req.on("end", () => {
				exchange.body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
				start();
			});
		});
	};
}

/** Reads a request's head and hands it to `prepare`, which dispatches it with `start`; what either refuses becomes the answer. */
function handle(
	dispatch: Dispatch,
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
		if (!(error instanceof FunctionError)) throw error;
		dispatch(requestId, error, sink, String(req.headers.accept ?? ""));
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
