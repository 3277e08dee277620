import type { z } from "zod";
import type { EventHead, EventPart } from "../link/event-head.ts";
import type { Verdict } from "../link/verdicts.ts";
import type { SeenEvent } from "../observe/record.ts";
import type { TraceContext } from "../observe/trace-context.ts";

/** An event on its way to its handler. */
export interface EncodedEvent {
	head: EventHead;
	/** What its parts' bytes are cut from; `null` where it has none. */
	data: Uint8Array | null;
	/** What whoever watches its function is told of it. */
	seen?: SeenEvent;
	/** The trace that it goes on with, where it says so. */
	trace?: TraceContext | null;
}

/** A type of event that is no request: how its handler is called, and what that comes to. */
export interface EventType<Input = unknown, Result = unknown> {
	/** What whoever dispatches it gives, its `type` included. */
	readonly input: z.ZodType;
	/** The handler's argument, from an input that was checked. */
	encode(input: Input): EncodedEvent;
	/** What the verdicts on the event come to, where its handler has ended well (`ok`) or failed. */
	decode(input: Input, verdicts: Verdict[], ok: boolean): Result;
}

/** Types of events, by what their inputs have as `type`. */
export type EventTypes = Readonly<Record<string, EventType>>;

/** Something that a handler is given, of which it has to be said only what there is. */
export function eventPart(part: Partial<EventPart>): EventPart {
	return { fields: {}, dates: {}, bytes: {}, json: {}, methods: [], ...part };
}
