import type { Bytes, Milliseconds } from "../../units.ts";

/** A queue of a tenant's. */
export interface QueueId {
	tenant: string;
	queue: string;
}

/** How a message's body is written: https://developers.cloudflare.com/queues/configuration/javascript-apis/#queuescontenttype */
export type ContentType = "json" | "text" | "bytes";

/** Where something was sent, in its trace, as the edge writes it; `null` where it is in none. */
export type SentTrace = string | null;

/** Messages to be sent, whose bodies come one behind the other. */
export interface QueueSend extends QueueId {
	messages: { type: ContentType; size: Bytes; delayMs: Milliseconds }[];
	trace: SentTrace;
	/** How much the tenant may store. */
	mostBytes: Bytes;
}

/** Messages for one consumer, which others do not get until its lease is over. */
export interface QueueLease extends QueueId, GivingUp {
	/** Names the lease: asked for again, it gives the same messages. */
	lease: string;
	/** Up to so many messages. */
	most: number;
	/** Where there are fewer the first of them is to have waited so long. */
	waitMs: Milliseconds;
	leaseMs: Milliseconds;
}

/** When a message is given up: once it was delivered so often in vain. */
export interface GivingUp {
	/** How often it is delivered again. */
	maxRetries: number;
	/** Where it goes then; empty for nowhere. */
	deadLetterQueue: string;
}

export interface LeasedMessage {
	id: number;
	sent: Milliseconds;
	/** How often it was leased, this time included. */
	attempts: number;
	type: ContentType;
	size: Bytes;
	/** How many events deep it is: 0 unless it is one of a change of what is stored. */
	depth: number;
	trace: SentTrace;
}

/** What a lease gives; the bodies come one behind the other. */
export interface Leased {
	messages: LeasedMessage[];
	/** Where there are none: in how long there may be some; `null` where nothing waits. */
	nextMs: Milliseconds | null;
	/** Where some wait for a batch to be full, so many more fill it; 0 otherwise. */
	missing: number;
	/** So many whose last lease ran out were given up, and went nowhere. */
	dropped: number;
}

/** What becomes of the messages of a lease; those that it names no longer hold are left alone. */
export interface QueueSettle extends QueueId, GivingUp {
	lease: string;
	acknowledged: number[];
	/** To be delivered again, unless they were as often as they may be; `counted` unless nobody has looked at it. */
	retried: { id: number; delayMs: Milliseconds; counted: boolean }[];
}

/** What has come of that, in messages. */
export interface Settled {
	/** The lease does not hold them any more, and nothing was done. */
	unheld: number[];
	/** Given up, and gone nowhere. */
	dropped: number;
}

/** A queue that has messages for a consumer. */
export interface WaitingQueue extends QueueId {
	/** Its number in the store. */
	id: number;
}
