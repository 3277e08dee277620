import type { Count, EpochMs, Milliseconds } from "../units.ts";
import { faasTrigger, isFailure } from "./faas.ts";
import type { InvocationRecord, LogLine } from "./record.ts";
import type { Attributes, Span, SpanEvent, SpanLink } from "./span.ts";
import { type Followed, newSpanId, type TraceContext } from "./trace-context.ts";

/** What one invocation may tell: so many spans, events and links, and so many letters in all of them. */
export const MOST_SPANS: Count = 128;
export const MOST_EVENTS: Count = 64;
export const MOST_LINKS: Count = 32;
const MOST_LETTERS: Count = 48 * 1024;
/** What is told of one text. */
const MOST_TEXT: Count = 1024;
const MOST_STACK: Count = 8192;

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/: all other methods are `_OTHER`. */
const METHODS = new Set(["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY"]);
/** Values in a query that whoever has the URL could use: the same page says which. */
const SECRETS = /([?&](?:AWSAccessKeyId|Signature|sig|X-Goog-Signature)=)[^&#]*/g;

/** A call of a binding, as it is known when it begins. */
export interface TracedCall {
	/** The binding's type, and its name in `env`; empty for a global. */
	type: string;
	name: string;
	/** What it is asked to do, and whom it goes to. */
	operation: string;
	target: string;
	/** Of a request. */
	http: { method: string; url: string } | null;
}

/** What the steady clock is behind the one of the machine, which may be set. */
let behind: Milliseconds = performance.timeOrigin;
const MOST_DRIFT: Milliseconds = 2;

/** Now, to the microsecond: a call begins after its invocation, also where both took less than a millisecond. */
function now(): EpochMs {
	const steady = behind + performance.now();
	const told = Date.now();
	if (Math.abs(told - steady) <= MOST_DRIFT) return steady;
	behind = told - performance.now();
	return told;
}

const cut = (text: string, most = MOST_TEXT): string => (text.length <= most ? text : `${text.slice(0, most)}…`);

/** The span of a call that is under way. */
export class CallSpan {
	readonly #span: Span;
	#ended = false;

	constructor(span: Span) {
		this.#span = span;
	}

	get spanId(): string {
		return this.#span.spanId;
	}

	/** It has got an answer with this status. */
	status(status: number): void {
		if (this.#ended) return;
		this.#span.attributes["http.response.status_code"] = status;
		if (status < 400) return;
		this.#span.attributes["error.type"] = String(status);
		this.#span.error = "";
	}

	fail(error: Error): void {
		if (this.#ended) return;
		this.#span.attributes["error.type"] = error.name;
		this.#span.error = cut(error.message);
	}

	end(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#span.end = now();
	}

	/** Its invocation ends before it has. */
	leave(): void {
		if (this.#ended) return;
		this.#span.attributes["atoll.unfinished"] = true;
		this.end();
	}
}

/** The spans of one invocation that is recorded: its own, its calls' and its cold starts'. */
export class Trace {
	readonly #parent: TraceContext | null;
	readonly #root: Span;
	readonly #spans: Span[] = [];
	readonly #calls: CallSpan[] = [];
	#dropped: Count = 0;
	#letters: Count = 0;
	#attemptedAt: EpochMs;
	#attempts = 0;

	constructor({ traceId, spanId }: { traceId: string; spanId: string }, { parent, links }: Followed) {
		this.#parent = parent;
		this.#attemptedAt = now();
		this.#root = this.#newSpan({ traceId, spanId, name: "", kind: "server" }, parent?.spanId ?? "");
		if (links.length > 0) this.#root.links = links.slice(0, MOST_LINKS).map(linkOf);
		if (links.length > MOST_LINKS) this.#root.droppedLinks = links.length - MOST_LINKS;
	}

	#newSpan(about: Pick<Span, "traceId" | "spanId" | "name" | "kind">, parentSpanId: string): Span {
		const start = now();
		const state = this.#parent?.state ?? "";
		return {
			...about,
			parentSpanId,
			state,
			start,
			end: start,
			attributes: {},
			events: [],
			droppedEvents: 0,
			error: null,
		};
	}

	/** Whether there is room for one more text; it is taken then. */
	#takes(letters: Count): boolean {
		if (this.#letters + letters > MOST_LETTERS) return false;
		this.#letters += letters;
		return true;
	}

	get #isFull(): boolean {
		return this.#spans.length >= MOST_SPANS - 1;
	}

	#drop(): null {
		this.#dropped++;
		return null;
	}

	#child(name: string, kind: Span["kind"], attributes: Attributes): Span | null {
		if (this.#isFull || !this.#takes(lettersOf(name, attributes))) return this.#drop();
		const { traceId, spanId } = this.#root;
		const span = this.#newSpan({ traceId, spanId: newSpanId(), name, kind }, spanId);
		span.attributes = attributes;
		this.#spans.push(span);
		return span;
	}

	#event(name: string, attributes: Attributes): void {
		const { events } = this.#root;
		if (events.length < MOST_EVENTS && this.#takes(lettersOf(name, attributes)))
			events.push({ name, time: now(), attributes } satisfies SpanEvent);
		else this.#root.droppedEvents++;
	}

	/** An attempt begins. */
	attempt(): void {
		this.#attemptedAt = now();
		if (++this.#attempts > 1) this.#event("atoll.attempt", { "atoll.attempt": this.#attempts });
	}

	/** The attempt that was made last has started an isolate, which took so long. */
	coldStart(took: Milliseconds): void {
		const span = this.#child("cold start", "internal", { "faas.coldstart": true });
		if (span === null) return;
		span.start = this.#attemptedAt;
		span.end = Math.min(now(), span.start + took);
	}

	/** A call begins; `null` where there is no room for its span. */
	call({ type, name, operation, target, http }: TracedCall): CallSpan | null {
		if (this.#isFull) return this.#drop(); // Before anything is made of what it says.
		const about: Attributes = { "atoll.binding.type": type };
		if (name !== "") about["atoll.binding.name"] = name;
		if (http !== null) Object.assign(about, ofRequest(http));
		else about["atoll.binding.target"] = cut(target);
		if (operation !== "") about["atoll.binding.operation"] = cut(operation);
		const told = http === null ? cut(operation === "" ? type : `${type} ${operation}`) : methodName(http.method);
		const span = this.#child(told, "client", about);
		if (span === null) return null;
		const call = new CallSpan(span);
		this.#calls.push(call);
		return call;
	}

	/** A line of the function's log, its stacks mapped. */
	line({ level, message }: LogLine): void {
		this.#event("log", { "atoll.log.level": level, "atoll.log.message": cut(message) });
	}

	/** An exception, or another error that ended the invocation, its stack mapped. */
	exception({ message: text }: LogLine): void {
		const [, type, message] = /^(?:Uncaught )?([\w.$]{1,100}): ([^\n]{0,1024})/.exec(text) ?? [];
		this.#event("exception", {
			"exception.type": type ?? "Error",
			"exception.message": message ?? cut(text.slice(0, MOST_TEXT).split("\n", 1)[0]),
			"exception.stacktrace": cut(text, MOST_STACK),
		});
	}

	/** The invocation is over; some of its lines may not have been told yet. */
	end(): void {
		for (const call of this.#calls) call.leave();
		this.#root.end = now();
	}

	/** Its spans, its own first. */
	finish(record: InvocationRecord): Span[] {
		const root = this.#root;
		root.kind = record.event === "queue" || record.event === "storage" ? "consumer" : "server";
		root.name = nameOf(record);
		root.attributes = ofInvocation(record);
		if (this.#dropped > 0) root.attributes["atoll.dropped_spans"] = this.#dropped;
		const failed = isFailure(record.outcome) || record.status >= 500;
		if (failed) root.error = isFailure(record.outcome) ? record.outcome : "";
		return [root, ...this.#spans];
	}
}

const linkOf = ({ traceId, spanId, sampled }: TraceContext): SpanLink => ({ traceId, spanId, sampled });

function lettersOf(name: string, attributes: Attributes): Count {
	let letters = name.length;
	for (const [key, value] of Object.entries(attributes))
		letters += key.length + (typeof value === "string" ? value.length : 8);
	return letters;
}

/** The name of a request's span. */
const methodName = (method: string): string => (METHODS.has(method) ? method : "HTTP");

const nameOf = ({ event, method, function: name }: InvocationRecord): string =>
	event === "http" ? `${methodName(method)} ${name}` : `${event} ${name}`;

function ofMethod(method: string): Attributes {
	if (METHODS.has(method)) return { "http.request.method": method };
	return { "http.request.method": "_OTHER", "http.request.method_original": cut(method, 64) };
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span */
function ofRequest({ method, url }: { method: string; url: string }): Attributes {
	const parsed = URL.parse(url);
	if (parsed === null) return ofMethod(method);
	const { protocol, hostname, port } = parsed;
	if (parsed.username !== "") parsed.username = "REDACTED";
	if (parsed.password !== "") parsed.password = "REDACTED";
	return {
		...ofMethod(method),
		"url.full": cut(parsed.href.replace(SECRETS, "$1REDACTED")),
		"server.address": hostname,
		"server.port": Number(port) || (protocol === "https:" ? 443 : 80),
	};
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span */
function ofReceived({ method, url, hostname, status }: InvocationRecord): Attributes {
	const parsed = URL.parse(url);
	if (parsed === null) return ofMethod(method);
	const { protocol, pathname, search, port } = parsed;
	return {
		...ofMethod(method),
		"url.scheme": protocol.slice(0, -1),
		"url.path": cut(pathname),
		...(search === "" ? {} : { "url.query": cut(search.replace(SECRETS, "$1REDACTED").slice(1)) }),
		"server.address": hostname,
		...(port === "" ? {} : { "server.port": Number(port) }),
		...(status === 0 ? {} : { "http.response.status_code": status }),
	};
}

/** https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/ */
function ofInvocation(record: InvocationRecord): Attributes {
	const { event, outcome, status } = record;
	const failure = isFailure(outcome) ? outcome : status >= 500 ? String(status) : null;
	return {
		"faas.name": record.function,
		"faas.version": record.version,
		"faas.invocation_id": record.requestId,
		"faas.trigger": faasTrigger(event),
		"faas.coldstart": record.cold,
		...(event === "http" ? ofReceived(record) : {}),
		...(event === "rpc" ? { "rpc.method": cut(record.method) } : {}),
		...(failure === null ? {} : { "error.type": failure }),
		"atoll.tenant": record.tenant,
		"atoll.event": event,
		"atoll.outcome": outcome,
		"atoll.cpu_ms": record.cpuMs,
		"atoll.request_bytes": record.requestBytes,
		"atoll.response_bytes": record.responseBytes,
		"atoll.binding_calls": record.subrequests,
		"atoll.attempts": record.attempts,
	};
}
