/**
 * The kinds of message that pass between a function's isolate and the edge. The numbers are the wire format of the
 * link (`link/frame.ts`) as well as the first argument of a turn, so that a sandbox forwards without translating.
 *
 * Every message names an attempt (one run of one event) and an operation of it: operation 0 is the request and its
 * response, higher numbers are effects in the order in which the function started them.
 */
export const Kind = {
	/** To the isolate: an event's head, a request's or another's, with its body if that is already complete. */
	request: 1,
	/** To the isolate: the result of an effect, with its body if that is already complete. */
	answer: 2,
	/** Both ways: a chunk of a body that is streamed. */
	body: 3,
	/** Both ways: the end of a streamed body; a text means that it failed and says why. */
	end: 4,
	/** Both ways: the receiver of a streamed body can take so many bytes more. */
	credit: 5,
	/** To the isolate: the client has gone away. */
	abort: 6,
	/** To the isolate: a timer is due. */
	timer: 7,
	/** From the isolate: the response's head, with its body if that is complete. */
	response: 8,
	/** From the isolate: a call of a binding, with its body if that is already complete. */
	call: 9,
	/** From the isolate: an effect, or a body on its way in, is no longer wanted. */
	cancel: 10,
	/** From the isolate: a console line or an uncaught error. */
	log: 11,
	/**
	 * From the isolate: the handler failed and there will be no response; with data that is a copy of what it threw, for
	 * a function that has called it.
	 */
	exception: 12,
	/** From the isolate: the response is out and every `waitUntil` has settled. */
	done: 13,
	/** From the isolate, for the sandbox: start a timer. */
	setTimer: 14,
	/** From the isolate, for the sandbox: stop a timer. */
	clearTimer: 15,
	/** To the isolate: the attempt is over, whatever it still waits for; nothing that it does from now on counts. */
	drop: 16,
	/** From the isolate: the function has reached a limit that the prelude keeps; the text names it. */
	exceeded: 17,
	/** Both ways: a WebSocket's message, as text or, with data, as bytes. */
	socket: 18,
	/** Both ways: a WebSocket closes; the text is its code and reason (`link/socket-close.ts`). */
	socketClose: 19,
	/**
	 * To the isolate: a promise was rejected in the turn before, and nobody has handled it; the text describes the
	 * reason.
	 */
	rejection: 20,
	/** From the isolate: an event's handler is done, and what it has said of the event (`link/verdicts.ts`). */
	verdicts: 21,
	/**
	 * From the isolate: the body of this operation is the one that comes in for another, whose number stands beside it,
	 * and of which nothing was read: the edge is to hand it on without it. To the isolate: what came in for this
	 * operation was handed on, and that is over. Where all of it had been sent to the isolate before, its `end` comes
	 * instead, and the isolate sends it itself.
	 */
	handOn: 22,
	/** From the sandbox, for an isolate: a call that it has answered with an answer that it was to reuse. */
	reused: 23,
} as const;

export type Kind = (typeof Kind)[keyof typeof Kind];

/** A request as it enters an isolate: what the edge writes once, and the isolate takes apart (`link/request-head.ts`). */
export interface RequestHead {
	method: string;
	url: string;
	/** Name, value, name, value, … as received, names in lower case. */
	headers: string[];
	/** `none`, `whole` (comes with the head) or `stream` (follows in body messages). */
	body: BodyMode;
	/** Who is at the other end of the connection; `null` where there is none. */
	client: Client | null;
}

/** Who is at the other end of a request's connection. */
export interface Client {
	ip: string;
	port: number;
	/** Of HTTP, such as `HTTP/1.1`. */
	protocol: string;
	/** The version of TLS, such as `TLSv1.3`; `null` where there is none. */
	tls: string | null;
}

/** A response as it leaves an isolate, or comes back from another function or server. */
export interface ResponseHead {
	status: number;
	statusText: string;
	headers: string[];
	body: BodyMode;
	/** The operation of the WebSocket that a response with status 101 hands over. */
	socket?: number;
}

/** An error as it goes to the log: never more than this, whatever the thrown value pretends to be. */
export interface ErrorDescription {
	name: string;
	message: string;
	stack: string;
}

/**
 * How many characters an error's name and message may have each, and half of what its stack may: a function decides
 * what it throws.
 */
export const MAX_ERROR_TEXT = 8 * 1024;

export type BodyMode = "none" | "whole" | "stream";

/** How many bytes of a streamed body may be on their way before the receiver has taken some. */
export const STREAM_WINDOW = 256 * 1024;

/** Of which so many go ahead into an isolate before it has asked for more: it may only hand the body on. */
export const FIRST_WINDOW = 64 * 1024;

/** The largest piece in which a streamed body travels. */
export const STREAM_CHUNK = 64 * 1024;
