import { ERROR_CODES, type ErrorCode } from "../errors.ts";
import type { Limits } from "../limits/limits.ts";
import type { Count, Milliseconds } from "../units.ts";

/** What started an invocation. */
export type Trigger = "http" | "fetch" | "subrequest" | "dispatch";

/** How an invocation ended: `ok`, an error's code, or `client_gone` where nobody was left to answer. */
export type Outcome = "ok" | "client_gone" | ErrorCode;

export const OUTCOMES: readonly Outcome[] = ["ok", "client_gone", ...ERROR_CODES];

/** One for every event: the one source of logs, metrics, metering and alerts. */
export interface InvocationRecord {
	/** When the event arrived, as ISO 8601 in UTC. */
	time: string;
	requestId: string;
	/**
	 * The trace that it belongs to, that of its request's `traceparent` or a new one: 32 hexadecimal digits. Empty where
	 * there was no invocation, and no `traceparent`.
	 */
	traceId: string;
	/** The invocation's span in it: 16 of them; empty where there was no invocation. */
	spanId: string;
	/** Whose function it is; empty where no function serves the hostname. */
	tenant: string;
	/** The function's name; empty like `tenant`. */
	function: string;
	/** The version's hash; empty like `tenant`. */
	version: string;
	/** The event's type: `http`, `scheduled`, `queue`, `event`, or `rpc` where another function has called a method. */
	event: string;
	/** Empty but for `http`. */
	hostname: string;
	/**
	 * `http` through a server, `fetch` through the library, `subrequest` from another function; `dispatch` for what
	 * the library dispatches, and triggers.
	 */
	trigger: Trigger;
	/** Empty but for `http`, and for `rpc`, where it is the name of what was called. */
	method: string;
	/** The request's URL with its query. Empty but for `http`. */
	url: string;
	/** The response's status; 0 where none was sent, as for all events but `http` and `rpc`. */
	status: number;
	outcome: Outcome;
	/** Whether this request had to start an isolate. */
	cold: boolean;
	/** How long that start took, in milliseconds. */
	startMs: number;
	/** CPU time over all turns of the request, in milliseconds. */
	cpuMs: number;
	/** From the request's arrival until everything that it started was done, in milliseconds. */
	wallMs: number;
	/** Size of the request's body in bytes, as far as it was read. */
	requestBytes: number;
	/** Size of the response's body in bytes, as far as it was sent. */
	responseBytes: number;
	subrequests: number;
	/** How often each binding was called, by its name in `env`, or `fetch` and the like; empty where none was. */
	bindingCalls: Record<string, number>;
	/** How often each limit was exceeded, by its name in `Limits`; empty where none was. */
	exceeded: Partial<Record<keyof Limits, number>>;
	/** Memory of the isolate when it was last measured, in bytes. */
	memoryBytes: number;
	/** How often the request was started: more than once if a sandbox was lost under it. */
	attempts: number;
}

/** A record's counts as JSON; `null` where there are none, as in most. */
export function countsAsJson(counts: InvocationRecord["bindingCalls"] | InvocationRecord["exceeded"]): string | null {
	for (const _ in counts) return JSON.stringify(counts);
	return null;
}

/** Most requests call none, so that one object stands for all of these. */
const NO_CALLS: Record<string, number> = Object.freeze({});

let lastTime = 0;
let lastText = "";

/** The time as ISO 8601; made anew once a millisecond. */
function now(): string {
	const time = Date.now();
	if (time !== lastTime) {
		lastTime = time;
		lastText = new Date(time).toISOString();
	}
	return lastText;
}

/** The record of a request that has just arrived, and of which nothing else is known yet. */
export function newRecord(requestId: string, event: string, trigger: Trigger): InvocationRecord {
	return {
		time: now(),
		requestId,
		traceId: "",
		spanId: "",
		tenant: "",
		function: "",
		version: "",
		event,
		hostname: "",
		trigger,
		method: "",
		url: "",
		status: 0,
		outcome: "ok",
		cold: false,
		startMs: 0,
		cpuMs: 0,
		wallMs: 0,
		requestBytes: 0,
		responseBytes: 0,
		subrequests: 0,
		bindingCalls: NO_CALLS,
		exceeded: {},
		memoryBytes: 0,
		attempts: 0,
	};
}

/** A line that a function wrote, or an error that nobody caught. */
export interface LogLine {
	time: string;
	level: "debug" | "info" | "log" | "warn" | "error";
	/** Whose function wrote it. */
	tenant: string;
	function: string;
	version: string;
	/** Empty for what was written outside of a request. */
	requestId: string;
	/** Text as Node's console would print it; stacks point into the function's own source. */
	message: string;
}

/** What a request came with, beside its record: for those who watch a function, and for no log. */
export interface RequestOrigin {
	/** Name, value, name, value, …; names in lower case. */
	readonly headers: readonly string[];
	/** Who is at the other end of the connection; `null` where there is none. */
	readonly client: { readonly ip: string; readonly protocol: string; readonly tls: string | null } | null;
}

/** What an event that is no request is about, for those who watch. */
export type SeenEvent =
	| { readonly cron: string; readonly scheduledTime: Milliseconds }
	| { readonly queue: string; readonly batchSize: Count };

/** Where an event came from. */
export type EventOrigin = RequestOrigin | { readonly event: SeenEvent };

/** Who hears of events' origins as well; these are `null` where nothing is told of them. */
export interface Watcher {
	record(record: InvocationRecord, origin: EventOrigin | null): void;
	log(line: LogLine): void;
}

/** Hears what happens in a runtime. Called synchronously: hand work on, and do not throw. */
export interface Subscriber {
	record?(record: InvocationRecord): void;
	log?(line: LogLine): void;
}
