import { randomBytes } from "node:crypto";
import { headerIn, joinedIn } from "../link/header-list.ts";
import type { Bytes } from "../units.ts";

/** A place in a trace, from which others go on: https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
	/** 32 hexadecimal digits. */
	traceId: string;
	/** Of the span that is the parent of whatever goes on from here: 16 of them. */
	spanId: string;
	/** Whether that span is recorded. */
	sampled: boolean;
	/** What other tracing systems say of it, as `tracestate` has it; empty for nothing. */
	state: string;
}

/** Version, trace, span and flags: https://www.w3.org/TR/trace-context/#traceparent-header-field-values */
const PARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})/;
const PARENT_LENGTH = 55;
const SAMPLED = 1;

/** What a `traceparent` says, without its state; `null` where it is none that is well formed. */
export function parseTraceparent(text: string): Omit<TraceContext, "state"> | null {
	const [, version, traceId, spanId, flags] = PARENT.exec(text.slice(0, PARENT_LENGTH)) ?? [];
	if (flags === undefined) return null;
	// Versions to come may say more behind a dash.
	if (text.length > PARENT_LENGTH && (version === "00" || text[PARENT_LENGTH] !== "-")) return null;
	return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}

/** A longer one is not handed on: so much has to be, https://www.w3.org/TR/trace-context/#tracestate-limits */
const MOST_STATE = 512;
const MOST_MEMBERS = 32;
const KEY = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/;
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** A `tracestate`, its members without the spaces around them; empty where it is malformed or too long. */
export function parseTracestate(text: string): string {
	if (text.length > MOST_STATE) return "";
	const members = text
		.split(",")
		.map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
		.filter((member) => member !== "");
	const keys = members.map((member) => member.slice(0, Math.max(0, member.indexOf("="))));
	const isMalformed = members.some((member, i) => !KEY.test(keys[i]) || !VALUE.test(member.slice(keys[i].length + 1)));
	if (isMalformed || members.length > MOST_MEMBERS || new Set(keys).size < keys.length) return "";
	return members.join();
}

/** What a request's headers say of its trace; `null` where they say nothing, or nothing that is well formed. */
export function traceIn(headers: readonly string[]): TraceContext | null {
	if (headerIn(headers, "traceparent") === undefined) return null;
	// Two of them are as good as none.
	return traceOf(joinedIn(headers, "traceparent"), joinedIn(headers, "tracestate"));
}

/** The same of the two by themselves. */
export function traceOf(traceparent: string | undefined, tracestate = ""): TraceContext | null {
	const parent = traceparent === undefined ? null : parseTraceparent(traceparent);
	return parent && { ...parent, state: parseTracestate(tracestate) };
}

/** A place in a trace as it is kept with what is done later: 568 letters at most; `null` for none. */
export function writtenTrace(trace: TraceContext | null): string | null {
	if (trace === null) return null;
	return trace.state === "" ? traceparentOf(trace) : `${traceparentOf(trace)} ${trace.state}`;
}

/** One that was kept; `null` where nothing was, by an atoll that knew of none either, or nothing that is well formed. */
export function readTrace(written: string | null | undefined): TraceContext | null {
	if (written === null || written === undefined) return null;
	const end = written.indexOf(" ");
	return end === -1 ? traceOf(written) : traceOf(written.slice(0, end), written.slice(end + 1));
}

/** What an invocation follows: the place in a trace that it goes on from, and others that have led to it as well. */
export interface Followed {
	parent: TraceContext | null;
	links: readonly TraceContext[];
}

/**
 * What follows on several things that were sent: where all are of one trace it goes on from the first, else it begins
 * its own, with a link to each: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#trace-structure
 */
export function followedOf(sent: readonly (TraceContext | null)[]): Followed {
	const places = new Map(sent.flatMap((one) => (one === null ? [] : [[traceparentOf(one), one]])));
	const [first, ...others] = places.values();
	const isOneTrace = first !== undefined && sent.every((one) => one?.traceId === first.traceId);
	return isOneTrace ? { parent: first, links: others } : { parent: null, links: [...places.values()] };
}

/** The `traceparent` of what goes on from a place. */
export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
	return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

/**
 * The headers of a request that goes on from a place. What a function says itself counts: it may have spans of its own.
 * But that it handed on what its own request came with says nothing.
 */
export function withTrace(headers: readonly string[], trace: TraceContext, came: TraceContext | null): string[] {
	const said = headerIn(headers, "traceparent");
	const isHandedOn = came !== null && said !== undefined && isSame(parseTraceparent(said), came);
	if (said !== undefined && !isHandedOn) return [...headers];
	const others: string[] = [];
	for (let i = 0; i < headers.length; i += 2)
		if (headers[i] !== "traceparent" && headers[i] !== "tracestate") others.push(headers[i], headers[i + 1]);
	others.push("traceparent", traceparentOf(trace));
	if (trace.state !== "") others.push("tracestate", trace.state);
	return others;
}

function isSame(one: Omit<TraceContext, "state"> | null, other: TraceContext): boolean {
	return one !== null && one.traceId === other.traceId && one.spanId === other.spanId;
}

/**
 * Random bytes are drawn for 80 invocations at once: 0.16 µs for each, where 20 take 0.7. A larger pool would be held
 * by every id that was cut from it.
 */
const POOL: Bytes = 1920;
let pool = "";
let drawn = 0;

function digits(count: number): string {
	if (drawn + count > pool.length) {
		pool = randomBytes(POOL).toString("hex");
		drawn = 0;
	}
	drawn += count;
	return pool.slice(drawn - count, drawn);
}

/** Ids say nothing of one another. */
export const newTraceId = (): string => digits(32);
export const newSpanId = (): string => digits(16);
