import type { Count, EpochMs } from "../units.ts";

export type Attributes = Record<string, string | number | boolean>;

/** Something that happened within a span: a line of the log, an exception. */
export interface SpanEvent {
	name: string;
	time: EpochMs;
	attributes: Attributes;
}

/** A place in this or another trace that has led to a piece of work, and is not its parent. */
export interface SpanLink {
	traceId: string;
	spanId: string;
	sampled: boolean;
}

/** A piece of work in a trace, as it is told once it is over. */
export interface Span {
	traceId: string;
	spanId: string;
	/** Empty for the first of a trace. */
	parentSpanId: string;
	/** The trace's `tracestate`. */
	state: string;
	name: string;
	/** `server` and `consumer` are invocations, `client` calls of bindings, `internal` cold starts. */
	kind: "server" | "consumer" | "client" | "internal";
	start: EpochMs;
	end: EpochMs;
	attributes: Attributes;
	events: SpanEvent[];
	/** How many events were left out. */
	droppedEvents: Count;
	/** What has led to it beside its parent; missing for nothing. */
	links?: SpanLink[];
	/** How many links were left out; missing for none. */
	droppedLinks?: Count;
	/** What went wrong; `null` where nothing did. */
	error: string | null;
}

/** What becomes of spans before and while they are exported. */
export interface SpanCounts {
	/** The collector has them. */
	exported: Count;
	/** The collector refused them, or could not be reached. */
	failed: Count;
	/** There was no room for them. */
	dropped: Count;
}
