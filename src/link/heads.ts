import type { BodyMode, FetchHead, ResponseHead } from "./messages.ts";

/*
 * Heads as they leave an isolate: lines, of which the last are the headers' names and values in turn. No part of a head may hold a line
 * feed, and an isolate writes them without asking any object how it wants to be written.
 */

/** `status`, body, the WebSocket's operation (0 for none), statusText, then the headers. */
export function encodeResponseHead({ status, body, socket, statusText, headers }: ResponseHead): string {
	return `${status}\n${body}\n${socket ?? 0}\n${statusText}${encodeList(headers)}`;
}

/** Method, body, what is to become of redirects, URL, then the headers. */
export function encodeFetchHead({ method, body, redirect, url, headers }: FetchHead): string {
	return `${method}\n${body}\n${redirect}\n${url}${encodeList(headers)}`;
}

function encodeList(headers: string[]): string {
	let text = "";
	for (let i = 0; i < headers.length; i++) text += `\n${headers[i]}`;
	return text;
}

const RESPONSE = /^[1-5]\d\d\n(?:none|whole|stream)\n(0|[1-9]\d{0,9})\n/;
const FETCH = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+\n(?:none|whole|stream)\n(?:follow|error|manual)\n[^\n]/;

/** Whether a text is a response's head, which `decodeResponseHead` can take apart. */
export function isResponseHead(text: string): boolean {
	const match = RESPONSE.exec(text);
	if (match === null) return false;
	const upgrades = text.startsWith("101\nnone\n");
	return upgrades === (match[1] !== "0") && hasPairs(text);
}

/** Whether a text is a subrequest's head, which `decodeFetchHead` can take apart. */
export function isFetchHead(text: string): boolean {
	return FETCH.test(text) && hasPairs(text);
}

/** Whether the body of a head, of either kind, follows in pieces. */
export function isStreamed(text: string): boolean {
	return text.startsWith("\nstream\n", text.indexOf("\n"));
}

/** Whether there are an even number of lines, of which four are not headers. */
function hasPairs(text: string): boolean {
	let even = false;
	for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) even = !even;
	return even;
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

export function decodeFetchHead(text: string): FetchHead {
	const lines = text.split("\n");
	return {
		method: lines[0],
		url: lines[3],
		headers: lines.slice(4),
		redirect: lines[2] as FetchHead["redirect"],
		body: lines[1] as BodyMode,
	};
}
