import type { IncomingMessage, ServerResponse } from "node:http";
import { FunctionError } from "../errors.ts";
import type { Account } from "../limits/account.ts";
import type { Guard } from "../observe/guard.ts";
import type { Hostname } from "../router/hostname.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { type Exchange, KEPT_BODY, type ResponseSink } from "./exchange.ts";
import { IncomingBody } from "./incoming-body.ts";
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

/** What a listener for `node:http` asks its runtime. */
export interface Bounds {
	/** How large a hostname's request bodies may be. */
	maxBody(hostname: Hostname): Bytes;
	/** What holds those that are still coming in. */
	account(hostname: Hostname): Account;
	/** How long a client may take nothing of a response. */
	stalledMs(): Milliseconds;
}

/** A small body comes in few parts; many are put together, since each has a weight of its own. */
const MOST_PARTS = 32;

/** Makes a listener for `node:http` out of a dispatcher. */
export function nodeHandler(dispatch: Dispatch, guard: Guard, bounds: Bounds) {
	return (req: IncomingMessage, res: ServerResponse, expectsContinue = false): void => {
		const sink = new NodeSink(req, res, bounds.stalledMs());
		handle(dispatch, guard, req, sink, (exchange, start) => {
			const { method, contentLength } = exchange;
			const hasBody = contentLength === null ? req.headers["transfer-encoding"] !== undefined : contentLength > 0;
			if (!hasBody || method === "GET" || method === "HEAD") {
				if (hasBody) req.resume();
				start();
				return;
			}
			const most = bounds.maxBody(exchange.hostname);
			if (contentLength !== null && contentLength > most) throw new FunctionError("body_too_large");
			if (expectsContinue) res.writeContinue();
			if (contentLength === null || contentLength > KEPT_BODY) {
				exchange.body = new IncomingBody(req, most);
				start();
				return;
			}
			// A small body is taken in first: a slow client then holds a socket, and nothing else.
			const parts: Buffer[] = [];
			let account: Account | null = null;
			req.on("data", (part: Buffer) => {
				parts.push(part);
				if (part.length === contentLength) return;
				account ??= holding(req, bounds.account(exchange.hostname));
				account.hold(part.length);
				if (parts.length === MOST_PARTS) parts.splice(0, MOST_PARTS, Buffer.concat(parts));
			});
			req.on("end", () =>
				guard.run(sink, () => {
					account?.close();
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

/** An account for what has come of a request's body, as long as the rest is waited for. */
function holding(req: IncomingMessage, account: Account): Account {
	const held = account.for({ giveUp: () => req.socket.destroy() });
	req.on("close", () => held.close());
	return held;
}
