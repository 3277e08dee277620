import type { Chain } from "../bindings/functions.ts";
import { FunctionError } from "../errors.ts";
import { decodeException, type Exception } from "../link/exception.ts";
import type { EventOrigin } from "../observe/record.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import type { AttemptEvent } from "../pool/attempt.ts";
import type { Bytes } from "../units.ts";
import type { Invocation } from "./invocation.ts";

/** What any event has the edge hold for its objects, and for each letter of its head. */
export const EVENT_BYTES: Bytes = 4096;
export const LETTER_BYTES: Bytes = 2;

/** What a function is called with, and where that which it makes of it goes: one event, one invocation, one record. */
export interface InvocationEvent extends AttemptEvent {
	/** As the record names it: `http`, `scheduled`, … */
	readonly type: string;
	/** Where it came from; `null` where nothing is told of that. */
	readonly origin: EventOrigin | null;
	/** The trace that it goes on with; `null` where it begins one. */
	readonly trace: TraceContext | null;
	/** Places in traces that have led to it beside that one; missing for none. */
	readonly links?: readonly TraceContext[];
	/** The event as the isolate parses it: a RequestHead as `encodeRequestHead` has it, or another head in JSON. */
	readonly head: string;
	/** What the edge holds for it, beside what it takes in and gives out later. */
	readonly bytes: Bytes;
	/** Where it stands among requests of functions to functions. */
	readonly chain: Chain;
	/**
	 * What comes with the head: bytes, a stream, or nothing. Asked for once for each attempt, each of which gets all
	 * of it.
	 */
	content(): Uint8Array | AsyncIterable<Uint8Array> | null;
	/** Whether that is a stream, which may not be there for another attempt. */
	readonly streams: boolean;
	/** Whether the function has given all that it is to give, or will never. */
	readonly over: boolean;
	/** What the function has not done yet, in words that follow its name. */
	readonly missing: string;
	/** Something that takes a while and that the invocation's end waits for, if there is anything. */
	readonly making: Promise<void> | null;
	/** The invocation begins. Called once, before anything else. */
	begin(invocation: Invocation): void;
	/** Whether it may be given to another attempt, after one that had effects or none. */
	repeatable(hasEffects: boolean): boolean;
	/** Ends with an error, which is recorded, unless it has ended. */
	fail(error: FunctionError): void;
	/** Nobody waits for what comes of it. */
	abandon(): void;
	/** Breaks off, whatever was given. */
	cut(): void;
	/** Drops what was given and nobody has taken. */
	drop(): void;
	/** The invocation is over. */
	settle(): void;
}

/** Why a handler has given nothing, as its isolate told it, and what it threw where that is for another function. */
export function decodedFailure(text: string, thrown: Uint8Array | null = null): FunctionError {
	const { code, message, stack } = decodeException(text) as Exception;
	return new FunctionError(code, message, { stack, thrown });
}
