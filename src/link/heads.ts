import type { BodyMode, ResponseHead } from "./messages.ts";

/*
 * Heads as they leave an isolate: lines, of which the last are the headers' names and values in turn. No part of a
 * head may hold a line feed, and an isolate writes them without asking any object how it wants to be written.
 */

/** Status, body, the WebSocket's operation or 0 for none, statusText, then the headers: each argument a part of it. */
export function encodeResponseHead(
	status: number,
	body: BodyMode,
	socket: number,
	statusText: string,
	headers: string[],
): string {
	return `${status}\n${body}\n${socket}\n${statusText}${encodeList(headers)}`;
}

/** Headers as the last lines of a head. */
export function encodeList(headers: string[]): string {
	let text = "";
	for (let i = 0; i < headers.length; i++) text += `\n${headers[i]}`;
	return text;
}

// Sticky, so that `lastIndex` tells where the first three lines end.
const RESPONSE = /[1-5]\d\d\n(?:none|whole|stream)\n(?:0|[1-9]\d{0,9})\n/y;

/** Whether a text is a response's head, which `decodeResponseHead` can take apart. */
export function isResponseHead(text: string): boolean {
	RESPONSE.lastIndex = 0;
	if (!RESPONSE.test(text)) return false;
	const start = RESPONSE.lastIndex;
	const hasSocket = !text.startsWith("\n0\n", start - 3);
	return hasSocket === text.startsWith("101\nnone\n") && isFieldsFrom(text, start);
}

/** The characters that a header's name may have, of which the prelude makes small letters. */
const NAME = new Uint8Array(128);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") NAME[character.charCodeAt(0)] = 1;

/**
 * Whether what begins there is the rest of a line, then names and values in turn. Character by character: a head may
 * be of any length.
 */
export function isFieldsFrom(text: string, start: number): boolean {
	let inName = false;
	for (let i = start, begun = start; i < text.length; i++) {
		const code = text.charCodeAt(i);
		if (code === 0x0a) {
			if (inName && begun === i) return false;
			inName = !inName;
			begun = i + 1;
		} else if (inName ? code > 0x7f || NAME[code] === 0 : code === 0x0d || code === 0) return false;
	}
	return !inName;
}

/** Whether the body of a response, or of a call (`calls.ts`), follows in pieces. */
export function isStreamed(text: string): boolean {
	return text.startsWith("\nstream\n", text.indexOf("\n"));
}

export function decodeResponseHead(text: string): ResponseHead {
	const lines = text.split("\n");
	const socket = Number(lines[2]);
	const head: ResponseHead = {
		status: Number(lines[0]),
		statusText: lines[3],
		headers: lines.slice(4),
		body: lines[1] as BodyMode,
	};
	if (socket > 0) head.socket = socket;
	return head;
}
