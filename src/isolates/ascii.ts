import { isAscii } from "node:buffer";
import type { MessageData } from "../link/outgoing.ts";
import type { Bytes } from "../units.ts";

/** Longer bodies are rather bytes. */
const MOST: Bytes = 16 * 1024;

/**
 * A body that comes in one piece as it enters an isolate. One that is short and ASCII goes in as a string: most are JSON
 * or text, which is what they are read as, and a string costs a tenth of what a buffer costs that is decoded there.
 */
export function asciiOf(body: MessageData): MessageData | string {
	if (!(body instanceof Uint8Array) || body.byteLength > MOST || !isAscii(body)) return body;
	return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
}
