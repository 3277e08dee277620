import { isCall } from "./calls.ts";
import { decodeException } from "./exception.ts";
import { isResponseHead } from "./heads.ts";
import { isLine } from "./line.ts";
import { Kind, STREAM_CHUNK } from "./messages.ts";
import { isSocketClose } from "./socket-close.ts";
import { decodeVerdicts } from "./verdicts.ts";

/** What stands beside a message's text. */
export type MessageData = Uint8Array | number | undefined;

/** A message of an isolate on its way out. */
export interface Outgoing<Data = MessageData> {
	kind: Kind;
	op: number;
	text: string;
	data: Data;
}

/**
 * Whether the prelude ever says this to the edge. The sandbox asks it of what leaves an isolate, where a string may
 * stand for its UTF-8, and the edge of what leaves a sandbox: what passes the one passes the other. The operation is
 * a whole number already.
 */
export function isWellFormed({ kind, op, text, data }: Outgoing<MessageData | string>): boolean {
	switch (kind) {
		case Kind.response:
			return op === 0 && typeof data !== "number" && isResponseHead(text);
		case Kind.log:
			return op === 0 && data === undefined && isLine(text);
		case Kind.body:
			// Nothing at all would be no byte of its window, and an object of the edge's.
			return text === "" && data instanceof Uint8Array && data.byteLength > 0 && data.byteLength <= STREAM_CHUNK;
		case Kind.credit:
			return text === "" && typeof data === "number" && Number.isSafeInteger(data) && data >= 0;
		case Kind.handOn:
			return text === "" && typeof data === "number" && data >>> 0 === data;
		case Kind.end:
			return data === undefined;
		case Kind.cancel:
			return text === "" && data === undefined;
		case Kind.call:
			return op > 0 && typeof data !== "number" && isCall(text);
		case Kind.reused:
			return op > 0 && data === undefined && isCall(text);
		case Kind.exception:
			return op === 0 && typeof data !== "number" && decodeException(text) !== null;
		case Kind.verdicts:
			return op === 0 && data === undefined && decodeVerdicts(text) !== null;
		case Kind.exceeded:
			return op === 0 && data === undefined && text === "timers";
		case Kind.socket:
			return op > 0 && (data === undefined || (text === "" && typeof data !== "number"));
		case Kind.socketClose:
			return op > 0 && data === undefined && isSocketClose(text);
		default:
			return false;
	}
}
