import type { ReadableStream } from "../streams/streams.ts";
import type { Body } from "./body.ts";

/** How many bytes there are in streams of which that is known before they are read. */
const lengths = new WeakMap<ReadableStream, number>();

export function setStreamLength(stream: ReadableStream, length: number): void {
	lengths.set(stream, length);
}

/** What is known of the length of one stream holds for another one, too. */
export function copyStreamLength(from: ReadableStream, to: ReadableStream): void {
	const length = lengths.get(from);
	if (length !== undefined) lengths.set(to, length);
}

/**
 * The headers of what is sent with a body in pieces: they say how long it is where that is known. Where it is not,
 * what a function says itself stays, if it `mayStay`.
 */
export function streamedHeaders(headers: string[], body: Body, mayStay: boolean): string[] {
	const { source } = body;
	const length = source instanceof Uint8Array ? source.byteLength : lengths.get(body.stream);
	if (length === undefined && mayStay) return headers;
	const told: string[] = [];
	for (let i = 0; i < headers.length; i += 2)
		if (headers[i] !== "content-length") told.push(headers[i], headers[i + 1]);
	if (length !== undefined) told.push("content-length", `${length}`);
	return told;
}
