import { z } from "zod";
import type { EventPart } from "../../link/event-head.ts";
import type { Verdict } from "../../link/verdicts.ts";
import type { Bytes, Milliseconds, Seconds } from "../../units.ts";
import { type EncodedEvent, type EventType, eventPart } from "../event-type.ts";

/** How many messages a batch may have: https://developers.cloudflare.com/queues/platform/limits/ */
const MAX_MESSAGES = 100;

/** A message as it stands in a queue. What its body is depends on its content type. */
export type QueueMessage = {
	/** Names it within its batch. */
	id: string;
	/** When it was sent, since the epoch. */
	timestamp: Milliseconds;
	/** How often it was dispatched, this time included. */
	attempts: number;
} & (
	| { contentType: "json"; body: unknown }
	| { contentType: "text"; body: string }
	| { contentType: "bytes"; body: Uint8Array }
);

/** Messages of one queue, for one call of the handler. */
export interface QueueEvent {
	type: "queue";
	/** The queue's name. */
	queue: string;
	/** From one to a hundred, each under an id of its own. */
	messages: QueueMessage[];
}

/** What becomes of the messages of a batch, by their ids: each of them is in one of these. */
export interface QueueResult {
	/** Delivered. */
	acknowledged: string[];
	/** To be delivered again, later by so much; `null` where the handler has left that open. */
	retried: { id: string; delaySeconds: Seconds | null }[];
}

/** A message whose body is kept as bytes. */
export function messageOf(
	about: Pick<QueueMessage, "id" | "timestamp" | "attempts">,
	contentType: QueueMessage["contentType"],
	bytes: Uint8Array,
): QueueMessage {
	if (contentType === "bytes") return { ...about, contentType, body: bytes };
	const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
	if (contentType === "text") return { ...about, contentType, body: text };
	return { ...about, contentType, body: JSON.parse(text) };
}

const message = z.strictObject({
	id: z.string().min(1).max(128),
	timestamp: z.number().int().min(0).max(8.64e15),
	attempts: z.number().int().min(1).max(1_000_000),
});

const messages = z
	.array(
		z.discriminatedUnion("contentType", [
			message.extend({ contentType: z.literal("json"), body: z.json() }),
			message.extend({ contentType: z.literal("text"), body: z.string() }),
			message.extend({ contentType: z.literal("bytes"), body: z.instanceof(Uint8Array) }),
		]),
	)
	.min(1)
	.max(MAX_MESSAGES)
	.refine((all) => new Set(all.map(({ id }) => id)).size === all.length, "two messages have the same id");

/** https://developers.cloudflare.com/queues/configuration/javascript-apis/#consumer */
export const queue: EventType<QueueEvent, QueueResult> = {
	input: z.strictObject({ type: z.literal("queue"), queue: z.string().min(1).max(128), messages }),
	encode(event: QueueEvent): EncodedEvent {
		const bodies: Uint8Array[] = [];
		let at: Bytes = 0;
		const parts = event.messages.map(({ id, timestamp, attempts, contentType, body }): EventPart => {
			const part = eventPart({ fields: { id, attempts }, dates: { timestamp }, methods: ["ack", "retry"] });
			if (contentType === "bytes") {
				part.bytes.body = [at, at + body.byteLength];
				bodies.push(body);
				at += body.byteLength;
			} else part.fields.body = body;
			return part;
		});
		const argument = eventPart({ fields: { queue: event.queue }, methods: ["ackAll", "retryAll"] });
		const data = bodies.length === 0 ? null : Buffer.concat(bodies);
		const seen = { queue: event.queue, batchSize: parts.length };
		return { head: { type: "queue", handler: "queue", argument, list: "messages", parts }, data, seen };
	},
	decode: ({ messages: sent }: QueueEvent, verdicts: Verdict[], ok: boolean) => resultOf(sent, verdicts, ok),
};

/**
 * What becomes of the parts of a batch. What was said of one counts before what was said of all; where nothing was, how
 * the handler ended decides.
 */
export function resultOf(parts: readonly { id: string }[], verdicts: Verdict[], ok: boolean): QueueResult {
	const of = new Map(verdicts.map((verdict) => [verdict.part, verdict]));
	const all = of.get(0);
	const result: QueueResult = { acknowledged: [], retried: [] };
	for (const [i, { id }] of parts.entries()) {
		const { method, delaySeconds } = of.get(i + 1) ?? all ?? { method: ok ? "ack" : "retry", delaySeconds: null };
		if (method === "ack" || method === "ackAll") result.acknowledged.push(id);
		else result.retried.push({ id, delaySeconds });
	}
	return result;
}
