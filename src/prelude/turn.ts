import type { EventHead } from "../link/event-head.ts";
import { type Exception, encodeException } from "../link/exception.ts";
import { encodeResponseHead } from "../link/heads.ts";
import { type BodyMode, type ErrorDescription, Kind, STREAM_WINDOW } from "../link/messages.ts";
import { decodeRequestHead, type ReceivedHead } from "../link/request-head.ts";
import { type Rpc, type ServiceHead, STUBS } from "../link/service-head.ts";
import { decodeSocketClose, encodeSocketClose } from "../link/socket-close.ts";
import { globalOperations } from "./crypto/crypto.ts";
import { encodeUtf8, exactBytes } from "./encoding/bytes.ts";
import { describeError, reportRejections, tracker } from "./errors/report-error.ts";
import { EventArgument } from "./event-argument.ts";
import { AbortController, type AbortSignal, createSignal, followSignals } from "./events/abort.ts";
import { Body, type Whole, wholeBody } from "./fetch/body.ts";
import { setStreamLength, streamedHeaders } from "./fetch/body-length.ts";
import { receiveStream, sendStream } from "./fetch/body-stream.ts";
import { type HeadersOwner, headerList, headerValue } from "./fetch/headers.ts";
import { receivedRequest, type SignalSource } from "./fetch/request.ts";
import { isNullBodyStatus, plain, type ResponseState, responseState } from "./fetch/response.ts";
import { type Handler, handleEvent, handler, hasHandler } from "./handlers.ts";
import { contexts, enter, IoContext, Operation } from "./io-context.ts";
import { dropTimers, globalTimers, runGlobalTimers, runTimer } from "./timing/timers.ts";
import { collectYoung } from "./young.ts";

/**
 * One turn: the only way into an isolate. It belongs to one attempt and carries one message. What it does shows in the
 * outbox; the microtasks that it leaves run before the sandbox gets control back. `collects` has it begin with a
 * collection of what earlier turns have left.
 */
export function turn(
	kind: Kind,
	id: number,
	op: number,
	text: string,
	data: ArrayBuffer | string | number | undefined,
	collects: boolean,
): void {
	if (collects) collectYoung();
	if (kind !== Kind.rejection) tracker?.beginTurn();
	if (kind === Kind.request) {
		const context = new IoContext(id);
		if (globalTimers.size > 0) runGlobalTimers();
		// No method begins like JSON, which the heads of other events are.
		if (text[0] !== "{") void answer(context, decodeRequestHead(text), data as Whole, handler);
		else begin(context, JSON.parse(text) as ServiceHead | EventHead, data as Whole);
		return;
	}
	const context = contexts[id] ?? null;
	enter(context);
	if (globalTimers.size > 0) runGlobalTimers();
	if (kind === Kind.rejection) {
		reportRejections(id, JSON.parse(text) as ErrorDescription | { value?: unknown });
		return;
	}
	if (context === null) {
		if (id === 0 && kind === Kind.answer) globalOperations.get(op)?.answer?.(text, data as Whole);
		return;
	}
	switch (kind) {
		case Kind.answer:
			context.operation(op)?.answer?.(text, data as Whole);
			break;
		case Kind.body:
			context.operation(op)?.chunk?.(new Uint8Array(data as ArrayBuffer));
			break;
		case Kind.end:
			context.operation(op)?.end?.(text);
			break;
		case Kind.credit:
			context.operation(op)?.credit?.(data as number);
			break;
		case Kind.handOn:
			context.operation(op)?.handedOn?.();
			break;
		case Kind.cancel:
			context.operation(op)?.abort?.();
			break;
		case Kind.socket:
			context.operation(op)?.message?.(data === undefined ? text : (data as ArrayBuffer));
			break;
		case Kind.socketClose:
			context.operation(op)?.close?.(text);
			break;
		case Kind.timer:
			runTimer(op);
			break;
		case Kind.abort:
			abort(context);
			break;
		case Kind.drop:
			abort(context);
			context.done = true;
			contexts[id] = undefined;
			if (context.busy) dropTimers(context);
			break;
	}
}

/** The client has gone: `request.signal` fires, and a response that is being streamed stops. */
function abort(context: IoContext): void {
	context.abort();
	const exchange = context.operation(0);
	exchange?.end?.("the client has gone away");
	exchange?.abort?.();
}

/** `request.signal` of the request of an attempt: its client may go. */
class ClientSignal implements SignalSource {
	readonly #context: IoContext;
	constructor(context: IoContext) {
		this.#context = context;
	}
	makeSignal(): AbortSignal {
		const controller = new AbortController();
		this.#context.onAbort(() => controller.abort());
		const signal = createSignal();
		followSignals(signal, [controller.signal]);
		return signal;
	}
}

/** An event that is no client's request. */
function begin(context: IoContext, head: ServiceHead | EventHead, data: Whole): void {
	if (head.type === "service") serve(context, head as ServiceHead, data);
	else void dispatch(context, head as EventHead, data);
}

function receivedBody(context: IoContext, head: HeadersOwner & { body: BodyMode }, data: Whole): Body {
	if (head.body === "whole") return wholeBody(data);
	const stream = receiveStream(context, 0, context.exchange);
	const length = headerValue(head, "content-length");
	if (length !== null) setStreamLength(stream, Number(length));
	return new Body(null, stream);
}

async function answer(
	context: IoContext,
	head: ReceivedHead | ServiceHead,
	data: Whole,
	handler: Handler | null,
): Promise<void> {
	if (handler === null) {
		failWithout(context, "fetch handler");
		return;
	}
	try {
		const body = head.body === "none" ? null : receivedBody(context, head, data);
		const answered = handler(receivedRequest(head, body, new ClientSignal(context)), context);
		tracker?.handle(answered);
		const response: unknown = await answered;
		const state = responseState(response);
		if (state === null) {
			invalid(context, noResponse(response));
			return;
		}
		const why = refuse(state);
		if (why === null) respond(context, head.method, state);
		else invalid(context, why);
	} catch (error) {
		fail(context, "exception", describeError(error));
	}
}

/** What another function asks of an export of this one. */
function serve(context: IoContext, head: ServiceHead, data: Whole): void {
	const { entrypoint, props, rpc } = head;
	if (rpc !== null) {
		void answerCall(context, head, rpc, data);
		return;
	}
	const { fetchHandler } = require("./entrypoints/entrypoint.ts") as typeof import("./entrypoints/entrypoint.ts");
	try {
		const found = fetchHandler(entrypoint, props);
		if (found !== null) void answer(context, head, data, found);
		else failWithout(context, entrypoint === "default" ? "fetch handler" : `entrypoint ${entrypoint} for requests`);
	} catch (error) {
		fail(context, "exception", describeError(error));
	}
}

/** Answers with what a method gave, or ends with what it threw, of which its caller gets a copy. */
async function answerCall(context: IoContext, head: ServiceHead, rpc: Rpc, data: Whole) {
	const { invoke } = require("./rpc/invoke.ts") as typeof import("./rpc/invoke.ts");
	const outcome = await invoke(head, rpc, receivedBody(context, { body: head.body, headers: [] }, data), context);
	if (outcome.given !== null) {
		const state = plain({ body: outcome.given, type: null });
		if (outcome.stubs) headerList(state).push(STUBS, "1");
		respond(context, "POST", state);
	} else fail(context, outcome.code, outcome.error, outcome.thrown);
}

/** Gives an event that is no request to its handler, whose verdicts go out once it is done, however it ends. */
async function dispatch(context: IoContext, head: EventHead, data: Whole): Promise<void> {
	let argument: EventArgument | null = null;
	try {
		if (!hasHandler(head.handler)) {
			failWithout(context, `${head.handler} handler`);
			return;
		}
		argument = new EventArgument(head, typeof data === "string" ? encodeUtf8(data).buffer : data);
		const handled = handleEvent(head.handler, argument.value, context);
		tracker?.handle(handled);
		await handled;
		context.respond(Kind.verdicts, argument.verdicts);
		if (context.done && context.busy) dropTimers(context);
	} catch (error) {
		const description = describeError(error);
		if (argument !== null) context.emit(Kind.verdicts, 0, argument.verdicts);
		fail(context, "exception", description);
	}
}

function failWithout(context: IoContext, what: string): void {
	const message = `the function has no ${what}`;
	fail(context, "no_handler", { name: "TypeError", message, stack: "" });
}

function invalid(context: IoContext, message: string): void {
	fail(context, "invalid_response", { name: "TypeError", message, stack: `TypeError: ${message}` });
}

function fail(
	context: IoContext,
	code: Exception["code"],
	{ message, stack }: ErrorDescription,
	thrown?: Uint8Array,
): void {
	if (context.responded) return;
	context.respond(Kind.exception, encodeException({ code, message, stack }), thrown);
}

/** Why a handler's result, which is no response, cannot be sent. */
function noResponse(value: unknown): string {
	const kind =
		value === null
			? "null"
			: value === undefined
				? "undefined"
				: typeof value === "object"
					? "an object of another kind"
					: `a ${typeof value}`;
	return `the handler must return a Response, but returned ${kind}`;
}

/** Why a response cannot be sent, or `null`. */
function refuse(state: ResponseState): string | null {
	if (state.origin.type === "error") return "the handler returned Response.error(), which stands for a network error";
	if (state.status === 101)
		return state.origin.webSocket === null ? "the handler returned status 101 without a webSocket" : null;
	if (state.status < 200 || state.status > 599)
		return `the handler returned status ${state.status}, which cannot be sent`;
	if (state.body?.unusable) return "the handler returned a Response whose body has already been read";
	return null;
}

/** Answers with a WebSocket: the client's messages come as turns of this request until either side closes. */
function upgrade(context: IoContext, headers: string[], webSocket: unknown): void {
	const { handOver } = require("./messaging/web-socket.ts") as typeof import("./messaging/web-socket.ts");
	const op = context.nextOperation();
	const server = handOver(webSocket, {
		message: (data) => {
			if (typeof data === "string") context.emit(Kind.socket, op, data);
			else context.emit(Kind.socket, op, "", new Uint8Array(data));
		},
		close: (code, reason) => context.emit(Kind.socketClose, op, encodeSocketClose(code, reason)),
	});
	if (server === null) {
		const message = "the response's webSocket is not a socket of a WebSocketPair that is still unused";
		invalid(context, message);
		return;
	}
	context.responded = true;
	context.hold();
	const operation = new Operation();
	operation.message = (data) => {
		const size = typeof data === "string" ? data.length : data.byteLength;
		server.end.message(data);
		context.emit(Kind.credit, op, "", size);
	};
	operation.close = (text) => {
		context.operations.delete(op);
		const { code, reason } = decodeSocketClose(text);
		server.end.close(code, reason);
		context.release();
	};
	context.operations.set(op, operation);
	context.emit(Kind.response, 0, encodeResponseHead(101, "none", op, "", headers));
	server.begin();
}

function respond(context: IoContext, method: string, state: ResponseState): void {
	const { status, statusText, body } = state;
	let headers = headerList(state);
	if (status === 101) {
		upgrade(context, headers, state.origin.webSocket);
		return;
	}
	const source = body === null ? null : body.source;
	const none = body === null || (status !== 200 && isNullBodyStatus(status));
	const whole = !none && source !== null && source.length <= STREAM_WINDOW;
	const mode = none ? "none" : whole ? "whole" : "stream";
	const taken = whole ? (body as Body).send() : null;
	if (mode === "stream") headers = streamedHeaders(headers, body as Body, true);
	if (mode === "stream" && method === "HEAD") {
		// First: what the function does about it still belongs to the request.
		void (body as Body).stream.cancel().catch(() => undefined);
		context.respond(Kind.response, encodeResponseHead(status, "none", 0, statusText, headers));
	} else {
		if (mode === "stream") context.hold();
		context.respond(
			Kind.response,
			encodeResponseHead(status, mode, 0, statusText, headers),
			taken === null ? undefined : typeof taken === "string" ? taken : exactBytes(taken),
		);
		if (mode === "stream")
			void sendStream(context, 0, (body as Body).stream, context.exchange).then(() => context.release());
	}
	if (context.done && context.busy) dropTimers(context);
}
