import type { IncomingHttpHeaders } from "node:http";
import type { EventAttributes } from "../triggers/invocation-calls.ts";
import type { Milliseconds } from "../units.ts";

/** An event that has proven to be its source's own. */
export interface Received {
	attributes: EventAttributes;
	data: { kind: "json" | "text" | "bytes" | "none"; bytes: Uint8Array };
	/** What names it, so that it is taken in once; empty where nothing does. */
	key: string;
}

/** A request's head, and what it is to be held against. */
interface Claimed {
	headers: IncomingHttpHeaders;
	secrets: readonly string[];
	/** The source's own, as the events' `source`. */
	source: string;
	now: Milliseconds;
}

/**
 * How events of a source prove that they are its own, and what they say. `null` for what does not: from the head
 * alone, so that no body is read for it, or once there is one. Throws Malformed for what is the source's own and makes
 * no sense.
 */
export type Scheme = (claimed: Claimed) => ((body: Buffer) => Received[] | null) | null;

/** An event makes no sense, and why, in words for its sender. */
export class Malformed extends Error {
	override name = "Malformed";
	readonly status: 400 | 415;

	constructor(message: string, status: 400 | 415 = 400) {
		super(message);
		this.status = status;
	}
}

/** A header that is there once, and is not longer than it may be; `null` for none. */
export function headerOf(headers: IncomingHttpHeaders, name: string, most: number): string | null {
	const value = headers[name];
	return typeof value === "string" && value !== "" && value.length <= most ? value : null;
}

/** What a text says in JSON; `undefined` for what is none. */
export function jsonIn(body: Buffer): unknown {
	try {
		return JSON.parse(body.toString());
	} catch {
		return undefined;
	}
}

/** A property of what was parsed that is a text; empty for none. */
export function textOf(value: unknown, name: string, most = 200): string {
	if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return "";
	const text = (value as Record<string, unknown>)[name];
	return typeof text === "string" && text.length <= most ? text : "";
}
