import type { IncomingMessage, ServerResponse } from "node:http";
import { without } from "../bindings/fetch/edge/redirects.ts";
import { FunctionError } from "../errors.ts";
import type { Account } from "../limits/account.ts";
import type { Guard } from "../observe/guard.ts";
import type { Bytes } from "../units.ts";
import { guarded } from "./connection.ts";
import { consumedBody, isConsumed } from "./consumed-body.ts";
import type { Delivery } from "./delivery.ts";
import { type Exchange, KEPT_BODY, type ResponseSink } from "./exchange.ts";
import { IncomingBody } from "./incoming-body.ts";
import { enter, type Mount } from "./mount.ts";
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
	/** Whether there is a function for a request. */
	serves(exchange: Exchange): boolean;
	/** How large a request's body may be. */
	maxBody(exchange: Exchange): Bytes;
	/** What holds it while it is still coming in. */
	account(exchange: Exchange): Account;
	/** What clients take of responses. */
	delivery: Delivery;
}

/** What listeners for `node:http` are made of. */
export interface ListenerSettings {
	dispatch: Dispatch;
	guard: Guard;
	bounds: Bounds;
	mount: Mount;
}

/** Goes on with what follows in a framework's chain of handlers. */
export type Next = () => void;

/** A small body comes in few parts; many are put together, since each has a weight of its own. */
const MOST_PARTS = 32;

/**
 * Makes a listener for `node:http`, which is a handler for Express as well: what it is not for goes on to `next`, and
 * is refused where there is none.
 */
export function nodeHandler(settings: ListenerSettings) {
	return (req: IncomingMessage, res: ServerResponse, next: Next | null = null): void =>
		answer(settings, req, res, { next, onBodyWanted: () => undefined });
}

/**
 * Makes a listener for `checkContinue` of `node:http`: a client that asks before it sends its body is told to go on
 * once it is known that the body may be sent.
 */
export function continueHandler(settings: ListenerSettings) {
	return (req: IncomingMessage, res: ServerResponse): void =>
		answer(settings, req, res, { next: null, onBodyWanted: () => res.writeContinue() });
}

function answer(
	settings: ListenerSettings,
	req: IncomingMessage,
	res: ServerResponse,
	{ next, onBodyWanted }: { next: Next | null; onBodyWanted: () => void },
): void {
	const { guard, bounds } = settings;
	const makeSink = () => new NodeSink(req, res, bounds.delivery);
	handle(settings, req, { makeSink, next }, (exchange, sink, start) => {
		const { method, contentLength } = exchange;
		const hasBody = contentLength === null ? req.headers["transfer-encoding"] !== undefined : contentLength > 0;
		if (!hasBody || method === "GET" || method === "HEAD") {
			if (hasBody) req.resume();
			start();
			return;
		}
		const most = bounds.maxBody(exchange);
		if (isConsumed(req)) {
			replaceBody(exchange, consumedBody(req), most);
			start();
			return;
		}
		if (contentLength !== null && contentLength > most) throw new FunctionError("body_too_large");
		onBodyWanted();
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
			account ??= holding(req, bounds.account(exchange));
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
}

/** What a request is answered into, and who goes on with it where it is for no function. */
interface Ways<Sink extends NodeSink> {
	makeSink: () => Sink;
	next: Next | null;
}

/**
 * Reads a request's head and hands it to `prepare`, which dispatches it with `start`; what either refuses becomes the
 * answer.
 */
export function handle<Sink extends NodeSink>(
	{ dispatch, guard, bounds, mount }: ListenerSettings,
	req: IncomingMessage,
	{ makeSink, next }: Ways<Sink>,
	prepare: (exchange: NodeExchange, sink: Sink, start: () => void) => void,
): void {
	const requestId = nextRequestId();
	const refuse = (error: FunctionError, sink: Sink) =>
		guard.run(sink, () => dispatch(requestId, error, sink, String(req.headers.accept ?? "")));
	let exchange: NodeExchange;
	try {
		exchange = readRequest(req);
		if (!enter(mount, req, exchange)) throw new FunctionError("path_not_found");
		if (next !== null && !bounds.serves(exchange)) throw new FunctionError("hostname_not_found");
	} catch (error) {
		if (!(error instanceof FunctionError)) guard.fault(guarded(req.socket), error);
		else if (next !== null) next();
		else refuse(error, makeSink());
		return;
	}
	const sink = makeSink();
	try {
		prepare(exchange, sink, () => {
			const running = dispatch(requestId, exchange, sink, exchange.accept);
			sink.running = running;
		});
	} catch (error) {
		if (error instanceof FunctionError) refuse(error, sink);
		else guard.fault(sink, error);
	}
}

/** Has a request's body be these bytes, whatever coding they came in. */
function replaceBody(exchange: NodeExchange, bytes: Uint8Array, most: Bytes): void {
	if (bytes.byteLength > most) throw new FunctionError("body_too_large");
	exchange.headers = without(exchange.headers, (name) => name === "content-length" || name === "content-encoding");
	exchange.headers.push("content-length", String(bytes.byteLength));
	exchange.body = bytes.byteLength <= KEPT_BODY ? bytes : inPieces(bytes);
}

/** Bytes as a stream. */
export async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < bytes.byteLength; at += KEPT_BODY) yield bytes.subarray(at, at + KEPT_BODY);
}

/** An account for what has come of a request's body, as long as the rest is waited for. */
function holding(req: IncomingMessage, account: Account): Account {
	const held = account.for({ giveUp: () => req.socket.destroy() });
	req.on("close", () => held.close());
	return held;
}
