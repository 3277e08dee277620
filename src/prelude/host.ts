import type { Kind } from "../link/messages.ts";

/**
 * What the sandbox lends an isolate: synchronous functions of primitives and bytes, kept out of the function's reach.
 */
export interface Host {
	/**
	 * Puts a message into the turn's outbox, and with `last` behind it that its attempt is over. It leaves when the turn
	 * ends, or never if the turn is cut off.
	 */
	emit(
		kind: Kind,
		attempt: number,
		op: number,
		text: string,
		data: string | Uint8Array | number | undefined,
		last: boolean,
	): void;
	/** The answer to a call that may be given again (`link/calls.ts`): the call is made with that. Else `null`. */
	reuse(attempt: number, op: number, call: string): string | null;
	/** UTF-8 bytes of a string; lone surrogates become U+FFFD. */
	encodeUtf8(text: string): ArrayBuffer;
	/** Text of bytes in the encoding that `label` names; `null` if `fatal` and they are malformed. */
	decode(bytes: Uint8Array, label: string, fatal: boolean, ignoreBOM: boolean): string | null;
	/** The canonical name of an encoding label, or `null`. */
	encodingName(label: string): string | null;
	/** A parsed URL's parts, one a line (see `url.ts`), or `null` where it does not parse. */
	parseUrl(input: string, base: string | undefined): string | null;
	/** The parts of `href` after one of its properties was set. */
	setUrl(href: string, property: string, value: string): string;
	/** That many random bytes. */
	randomBytes(length: number): ArrayBuffer;
	/** Milliseconds since the epoch, with fractions. */
	now(): number;
	/** Starts a WebCrypto operation; its result comes back as an answer to `op`. */
	crypto(attempt: number, op: number, method: string, args: unknown[]): void;
}

/** Set once, when the isolate is parked: a snapshot cannot hold the sandbox's functions. */
export let host: Host;

export function installHost(functions: Host): void {
	host = functions;
}
