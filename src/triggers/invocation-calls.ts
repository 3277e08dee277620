import type { ContentType, SentTrace } from "../bindings/queue/calls.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** The attributes of an event, as CloudEvents 1.0 names them, and its extensions'. */
export interface EventAttributes {
	specversion: "1.0";
	id: string;
	source: string;
	type: string;
	[attribute: string]: string | number | boolean;
}

/** What a function is to be called with; bytes come beside it. */
export type InvokedEvent =
	/** A POST with the bytes as its body. */
	| { type: "fetch"; path: string; contentType: string }
	| { type: "scheduled"; cron: string }
	/** A batch of one message, whose body are the bytes. */
	| { type: "queue"; queue: string; contentType: ContentType }
	/** The bytes are its data: text in JSON, or what its `datacontenttype` says. */
	| { type: "event"; attributes: EventAttributes; data: "json" | "text" | "bytes" | "none" };

/** Who is told what came of an invocation: a queue of the same tenant's, or a function, by an invocation of its own. */
export type Destination = { queue: string } | { function: string };

export interface InvocationSettings {
	event: InvokedEvent;
	/** How often it is tried again. */
	retries: number;
	onSuccess: Destination | null;
	onFailure: Destination | null;
}

/** An invocation that is asked for. */
export interface NewInvocation extends InvocationSettings {
	/** A UUID. */
	id: string;
	function: string;
	delayMs: Milliseconds;
	/** Of its bytes. */
	size: Bytes;
}

/** What is taken in at a time, all of it or nothing; the bytes of all come one behind the other, in this order. */
export interface TakeIn {
	tenant: string;
	/** Under which it is not taken in again for a while, within a scope; `null` where whoever sends it has no key. */
	once: { scope: string; key: string } | null;
	invocations: NewInvocation[];
	messages: { queue: string; type: ContentType; size: Bytes }[];
	trace: SentTrace;
	/** How much the tenant may store. */
	mostBytes: Bytes;
}

export interface TakenIn {
	/** Whether it was taken in before. */
	repeated: boolean;
	/** The first invocation, of now or of then; empty for none. */
	invocation: string;
}

/** One of a function's invocations, for whoever is to perform it. */
export interface InvocationLease {
	tenant: string;
	function: string;
	lease: string;
	leaseMs: Milliseconds;
}

/** An invocation that is to be performed now. */
export interface LeasedInvocation {
	/** The number of its message. */
	message: number;
	id: string;
	attempts: number;
	created: Milliseconds;
	event: InvokedEvent;
	trace: SentTrace;
}

/** What came of an attempt. Its answer's body comes beside it. */
export interface Attempted {
	tenant: string;
	function: string;
	lease: string;
	message: number;
	/** `unseen` where the function was not called, which counts as no attempt. */
	outcome: "ok" | "failed" | "unseen";
	/** Whether it may be tried again. */
	again: boolean;
	/** Later by so much. */
	delayMs: Milliseconds;
	/** Of its response; 0 where it gave none. */
	status: number;
	/** What went wrong; empty for nothing. */
	error: string;
	/** How much the tenant may store. */
	mostBytes: Bytes;
}

/** What has become of an invocation. */
export interface InvocationState {
	id: string;
	function: string;
	/** The type of its event. */
	event: InvokedEvent["type"];
	state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
	/** How often it was begun. */
	attempts: number;
	created: Milliseconds;
	/** When it is tried next; `null` where it is not. */
	due: Milliseconds | null;
	ended: Milliseconds | null;
	/** Of the last response; 0 where there was none. */
	status: number;
	/** What went wrong last; `null` where nothing did. */
	error: string | null;
}

/** The queue that holds what is to be handed to a function: no queue of a tenant's can have the name. */
export const invocationQueue = (name: string): string => `function/${name}`;

/** The function whose invocations a queue holds; `null` where it is a queue of a tenant's. */
export function functionOfQueue(queue: string): string | null {
	return queue.startsWith("function/") ? queue.slice("function/".length) : null;
}
