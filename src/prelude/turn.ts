import type { EventHead } from "../link/event-head.ts";
import { type Exception, encodeException } from "../link/exception.ts";
import { encodeResponseHead } from "../link/heads.ts";
import { type ErrorDescription, Kind, type RequestHead, STREAM_WINDOW } from "../link/messages.ts";
import { decodeSocketClose, encodeSocketClose } from "../link/socket-close.ts";
import { globalOperations } from "./crypto/crypto.ts";
import { DispatchedEvent } from "./dispatched.ts";
import { exactBytes } from "./encoding/bytes.ts";
import { beginRejections, describeError, handlePromise, reportRejections } from "./errors/report-error.ts";
import { AbortController, type AbortSignal, createSignal, followSignals } from "./events/abort.ts";
import { Body } from "./fetch/body.ts";
import { receiveStream, sendStream } from "./fetch/body-stream.ts";
import { headerList } from "./fetch/headers.ts";
import { type Request, receivedRequest, type SignalSource } from "./fetch/request.ts";
import { isNullBodyStatus, isResponse, type Response, responseState } from "./fetch/response.ts";
import { handle, handleEvent, handlesRequests, hasHandler } from "./handlers.ts";
import { enter, Invocation, invocations, Operation } from "./invocation.ts";
import { dropTimers, runGlobalTimers, runTimer } from "./timing/timers.ts";

/**
 * One turn: the only way into an isolate. It belongs to one attempt and carries one message. What it does shows in the
 * outbox; the microtasks that it leaves run before the sandbox gets control back.
 */
export function turn(kind: Kind, id: number, op: number, text: string, data: ArrayBuffer | number | undefined): void {
	if (kind !== Kind.rejection) beginRejections();
	if (kind === Kind.request) {
		const invocation = new Invocation(id);
		invocations[id] = invocation;
		enter(invocation);
		runGlobalTimers();
		const head = JSON.parse(text) as RequestHead | EventHead;
		if (head.type === "http") void answer(invocation, head as RequestHead, data as ArrayBuffer | undefined);
		else void dispatch(invocation, head as EventHead, data as ArrayBuffer | undefined);
		return;
	}
	const invocation = invocations[id] ?? null;
	enter(invocation);
	runGlobalTimers();
	if (kind === Kind.rejection) {
		reportRejections(id, JSON.parse(text) as ErrorDescription | { value?: unknown });
		return;
	}
	if (invocation === null) {
		if (id === 0 && kind === Kind.answer) globalOperations.get(op)?.answer?.(text, data as ArrayBuffer | undefined);
		return;
	}
	switch (kind) {
		case Kind.answer:
			invocation.operation(op)?.answer?.(text, data as ArrayBuffer | undefined);
			break;
		case Kind.body:
			invocation.operation(op)?.chunk?.(new Uint8Array(data as ArrayBuffer));
			break;
		case Kind.end:
			invocation.operation(op)?.end?.(text);
			break;
		case Kind.credit:
			invocation.operation(op)?.credit?.(data as number);
			break;
		case Kind.cancel:
			invocation.operation(op)?.abort?.();
			break;
		case Kind.socket:
			invocation.operation(op)?.message?.(data === undefined ? text : (data as ArrayBuffer));
			break;
		case Kind.socketClose:
			invocation.operation(op)?.close?.(text);
			break;
		case Kind.timer:
			runTimer(op);
			break;
		case Kind.abort:
			abort(invocation);
			break;
		case Kind.drop:
			abort(invocation);
			invocation.done = true;
			invocations[id] = undefined;
			dropTimers(invocation);
			break;
	}
}

/** The client has gone: `request.signal` fires, and a response that is being streamed stops. */
function abort(invocation: Invocation): void {
	invocation.abort();
	const main = invocation.operation(0);
	main?.end?.("the client has gone away");
	main?.abort?.();
}

/** `request.signal` of the request of an attempt: its client may go. */
class ClientSignal implements SignalSource {
	readonly #invocation: Invocation;
	constructor(invocation: Invocation) {
		this.#invocation = invocation;
	}
	makeSignal(): AbortSignal {
		const controller = new AbortController();
		this.#invocation.onAbort(() => controller.abort());
		const signal = createSignal();
		followSignals(signal, [controller.signal]);
		return signal;
	}
}

function makeRequest(invocation: Invocation, head: RequestHead, data: ArrayBuffer | undefined): Request {
	let body: Body | null = null;
	if (head.body === "whole") body = new Body(data === undefined ? new Uint8Array(0) : new Uint8Array(data), null);
	else if (head.body === "stream") body = new Body(null, receiveStream(invocation, 0, invocation.main));
	return receivedRequest(head, body, new ClientSignal(invocation));
}

async function answer(invocation: Invocation, head: RequestHead, data: ArrayBuffer | undefined): Promise<void> {
	if (!handlesRequests()) {
		failWithout(invocation, "fetch");
		return;
	}
	try {
		const answered = handle(makeRequest(invocation, head, data), invocation);
		handlePromise(answered);
		const response = await answered;
		const why = refuse(response);
		if (why === null) respond(invocation, head.method, response as Response);
		else fail(invocation, "invalid_response", { name: "TypeError", message: why, stack: `TypeError: ${why}` });
	} catch (error) {
		fail(invocation, "exception", describeError(error));
	}
}

/** Gives an event that is no request to its handler, whose verdicts go out once it is done, however it ends. */
async function dispatch(invocation: Invocation, head: EventHead, data: ArrayBuffer | undefined): Promise<void> {
	let event: DispatchedEvent | null = null;
	try {
		if (!hasHandler(head.handler)) {
			failWithout(invocation, head.handler);
			return;
		}
		event = new DispatchedEvent(head, data);
		const handled = handleEvent(head.handler, event.argument, invocation);
		handlePromise(handled);
		await handled;
		invocation.emit(Kind.verdicts, 0, event.verdicts);
		invocation.responded = true;
		invocation.finishIfIdle();
		if (invocation.done) dropTimers(invocation);
	} catch (error) {
		const description = describeError(error);
		if (event !== null) invocation.emit(Kind.verdicts, 0, event.verdicts);
		fail(invocation, "exception", description);
	}
}

function failWithout(invocation: Invocation, handler: string): void {
	const message = `the function has no ${handler} handler`;
	fail(invocation, "no_handler", { name: "TypeError", message, stack: "" });
}

function fail(invocation: Invocation, code: Exception["code"], { message, stack }: ErrorDescription): void {
	if (invocation.responded) return;
	invocation.responded = true;
	invocation.emit(Kind.exception, 0, encodeException({ code, message, stack }));
	invocation.finishIfIdle();
}

/** Why a handler's result cannot be sent, or `null`. */
function refuse(value: unknown): string | null {
	if (!isResponse(value)) {
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
	const state = responseState(value);
	if (state.origin.type === "error") return "the handler returned Response.error(), which stands for a network error";
	if (state.status === 101)
		return state.origin.webSocket === null ? "the handler returned status 101 without a webSocket" : null;
	if (state.status < 200 || state.status > 599)
		return `the handler returned status ${state.status}, which cannot be sent`;
	if (state.body?.unusable) return "the handler returned a Response whose body has already been read";
	return null;
}

/** Answers with a WebSocket: the client's messages come as turns of this request until either side closes. */
function upgrade(invocation: Invocation, headers: string[], webSocket: unknown): void {
	const { handOver } = require("./messaging/web-socket.ts") as typeof import("./messaging/web-socket.ts");
	const op = invocation.nextOperation();
	const server = handOver(webSocket, {
		message: (data) => {
			if (typeof data === "string") invocation.emit(Kind.socket, op, data);
			else invocation.emit(Kind.socket, op, "", new Uint8Array(data));
		},
		close: (code, reason) => invocation.emit(Kind.socketClose, op, encodeSocketClose(code, reason)),
	});
	if (server === null) {
		const message = "the response's webSocket is not a socket of a WebSocketPair that is still unused";
		fail(invocation, "invalid_response", { name: "TypeError", message, stack: `TypeError: ${message}` });
		return;
	}
	invocation.responded = true;
	invocation.hold();
	const operation = new Operation();
	operation.message = (data) => {
		const size = typeof data === "string" ? data.length : data.byteLength;
		server.end.message(data);
		if (!invocation.done) invocation.emit(Kind.credit, op, "", size);
	};
	operation.close = (text) => {
		invocation.operations.delete(op);
		const { code, reason } = decodeSocketClose(text);
		server.end.close(code, reason);
		invocation.release();
	};
	invocation.operations.set(op, operation);
	invocation.emit(Kind.response, 0, encodeResponseHead(101, "none", op, "", headers));
	server.begin();
}

function respond(invocation: Invocation, method: string, response: Response): void {
	const state = responseState(response);
	const { status, statusText, body } = state;
	const headers = headerList(state);
	if (status === 101) {
		upgrade(invocation, headers, state.origin.webSocket);
		return;
	}
	const source = body === null ? null : body.source;
	const none = body === null || isNullBodyStatus(status);
	const whole = !none && source !== null && source.length <= STREAM_WINDOW;
	const mode = none ? "none" : whole ? "whole" : "stream";
	const taken = whole ? (body as Body).take() : null;
	invocation.responded = true;
	if (mode === "stream" && method === "HEAD") {
		invocation.emit(Kind.response, 0, encodeResponseHead(status, "none", 0, statusText, headers));
		void (body as Body).stream.cancel().catch(() => undefined);
	} else {
		invocation.emit(
			Kind.response,
			0,
			encodeResponseHead(status, mode, 0, statusText, headers),
			taken === null ? undefined : typeof taken === "string" ? taken : exactBytes(taken),
		);
		if (mode === "stream") {
			invocation.hold();
			void sendStream(invocation, 0, (body as Body).stream, invocation.main).then(() => invocation.release());
		}
	}
	invocation.finishIfIdle();
	if (invocation.done) dropTimers(invocation);
}
