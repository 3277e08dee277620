import type { BodyMode } from "./messages.ts";

/*
 * A call of a binding, and its answer, as texts. What the binding itself makes of the rest of them stands in its
 * `schema.ts`; a body comes beside them, whole or in pieces.
 */

/** Which binding is called: those of the function's `env` have numbers from 1, in the order of its deployment. */
export type BindingNumber = number;
/** The global `fetch`. */
export const FETCH: BindingNumber = 0;
/** The global `caches`. */
export const CACHES: BindingNumber = 9997;
/** `connect` of `cloudflare:sockets`. */
export const SOCKETS: BindingNumber = 9998;
/** The function's calls of its own exports. */
export const LOOPBACK: BindingNumber = 9999;

/** A call as it leaves an isolate. */
export interface CallHead {
	binding: BindingNumber;
	/** Whether there is a body, and whether it comes with the call. */
	body: BodyMode;
	/** What the binding is asked for, in its own form. */
	argument: string;
}

export function encodeCall({ binding, body, argument }: CallHead): string {
	return `${binding}\n${body}\n${argument}`;
}

const CALL = /(?:0|[1-9]\d{0,3})\n(?:none|whole|stream)\n/y;

/** Whether a text is a call, which `decodeCall` can take apart. */
export function isCall(text: string): boolean {
	CALL.lastIndex = 0;
	return CALL.test(text);
}

export function decodeCall(text: string): CallHead {
	const body = text.indexOf("\n") + 1;
	const argument = text.indexOf("\n", body) + 1;
	return {
		binding: Number(text.slice(0, body - 1)),
		body: text.slice(body, argument - 1) as BodyMode,
		argument: text.slice(argument),
	};
}

/** An answer as it comes into an isolate: what the binding gave, or, as `error`, why it gave nothing. */
export interface AnswerHead {
	body: BodyMode | "error";
	text: string;
}

export function encodeAnswer({ body, text }: AnswerHead): string {
	return `${body}\n${text}`;
}

/** An answer that is given again, and the text that stands for its body, if it has one. */
export function encodeReusable(answer: string, content: string): string {
	return `${answer.length}\n${answer}${content}`;
}

export function decodeReusable(reusable: string): { answer: string; content: string } {
	const start = reusable.indexOf("\n") + 1;
	const end = start + Number(reusable.slice(0, start - 1));
	return { answer: reusable.slice(start, end), content: reusable.slice(end) };
}

export function decodeAnswer(answer: string): AnswerHead {
	const end = answer.indexOf("\n");
	return { body: answer.slice(0, end) as AnswerHead["body"], text: answer.slice(end + 1) };
}
