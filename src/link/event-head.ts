import type { Bytes, Milliseconds } from "../units.ts";

/**
 * An event other than a request as it enters an isolate: what the edge writes once as JSON and the isolate parses. It
 * says all that the handler's argument is, so that the prelude knows of no type of event in particular.
 */
export interface EventHead {
	/** Never `service`, which a ServiceHead has. */
	type: string;
	/** The handler's name in the module's default export. */
	handler: string;
	/** The handler's first argument. */
	argument: EventPart;
	/** The argument's property that lists further parts, such as a batch's `messages`; empty where there is none. */
	list: string;
	parts: EventPart[];
}

/** Something that a handler is given: what it holds, and what the handler may say of it. */
export interface EventPart {
	/** Its properties, anything that JSON can hold. */
	fields: Record<string, unknown>;
	/** Its properties that are dates, since the epoch. */
	dates: Record<string, Milliseconds>;
	/** Its properties that are bytes: from where to where they stand in the data beside the head. */
	bytes: Record<string, [from: Bytes, to: Bytes]>;
	/** Those that are values in JSON, in UTF-8, likewise: they are parsed where the function pays for it. */
	json: Record<string, [from: Bytes, to: Bytes]>;
	/** Its methods, each of which says one thing of it, as a verdict. */
	methods: string[];
}
