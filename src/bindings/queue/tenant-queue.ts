import { type TraceContext, writtenTrace } from "../../observe/trace-context.ts";
import type { StoredData } from "../../stores/data-process.ts";
import type { Bytes, Milliseconds, Seconds } from "../../units.ts";
import type { ContentType, Leased, QueueId, QueueLease, QueueSend, QueueSettle, Settled } from "./calls.ts";

/** https://developers.cloudflare.com/queues/platform/limits/ */
const MOST_MESSAGES = 100;
const MOST_MESSAGE: Bytes = 128_000;
export const MOST_BATCH: Bytes = 256_000;
const LONGEST_DELAY: Seconds = 43_200;

/** What is said of a message that is to be sent, beside its body. */
export interface Sent {
	type: ContentType;
	size: Bytes;
	/** `null` where nothing is said. */
	delaySeconds: number | null;
}

/** How messages are sent. */
export interface Sending {
	/** Where that is, in its trace; `null` where it is in none. */
	trace: TraceContext | null;
	/** For those that say none. Default: 0. */
	delay?: Seconds;
}

/** What waits in a queue, and is being worked on. */
export interface QueueCount {
	messages: number;
	bytes: Bytes;
	/** When the oldest was sent; `null` where there is none. */
	oldest: Milliseconds | null;
}

/** A tenant's queue, as the edge and the API use it. Errors begin with an HTTP status. */
export class TenantQueue {
	readonly #data: StoredData;
	readonly #of: QueueId;
	readonly #mostBytes: Bytes;

	/** `mostBytes`: how much the tenant may store. */
	constructor(data: StoredData, of: QueueId, mostBytes: Bytes) {
		this.#data = data;
		this.#of = of;
		this.#mostBytes = mostBytes;
	}

	#ask(operation: string, said: object = {}, bytes?: Uint8Array) {
		const { tenant, queue } = this.#of;
		const call = { store: "queue", operation, said: { tenant, queue, ...said } };
		return this.#data.ask(tenant, bytes === undefined ? call : { ...call, bytes });
	}

	/** Sends messages, whose bodies come one behind the other. */
	async send(messages: readonly Sent[], bytes: Uint8Array, { trace, delay = 0 }: Sending): Promise<void> {
		const refused = refusal(messages);
		if (refused !== null) throw new Error(refused);
		const size = messages.reduce((sum, message) => sum + message.size, 0);
		if (bytes.byteLength !== size) throw new Error("400 the messages are not whole");
		const said: Omit<QueueSend, keyof QueueId> = {
			mostBytes: this.#mostBytes,
			trace: writtenTrace(trace),
			messages: messages.map(({ type, size, delaySeconds }) => ({
				...{ type, size },
				delayMs: (delaySeconds ?? delay) * 1000,
			})),
		};
		await this.#ask("send", said, bytes);
	}

	/** Leases messages, and gives them with their bodies, one behind the other. */
	async lease(what: Omit<QueueLease, keyof QueueId>): Promise<Leased & { bodies: Uint8Array }> {
		const { said, bytes } = await this.#ask("lease", what);
		return { ...(said as Leased), bodies: bytes };
	}

	/** Says what becomes of the messages of a lease. */
	async settle(what: Omit<QueueSettle, keyof QueueId>): Promise<Settled> {
		return (await this.#ask("settle", what)).said as Settled;
	}

	async count(): Promise<QueueCount> {
		return (await this.#ask("count")).said as QueueCount;
	}

	/** Removes all messages, those that are being worked on as well. */
	async purge(): Promise<void> {
		let isEmpty = false;
		while (!isEmpty) isEmpty = (await this.#ask("purge")).said as boolean;
	}
}

/** Why messages cannot be sent together, or `null`. */
export function refusal(messages: readonly Sent[]): string | null {
	if (messages.length > MOST_MESSAGES)
		return `413 a batch has up to ${MOST_MESSAGES} messages, and not ${messages.length}`;
	let bytes = 0;
	for (const { size, delaySeconds } of messages) {
		if (size > MOST_MESSAGE) return `413 message length of ${size} bytes exceeds limit of ${MOST_MESSAGE}`;
		if (delaySeconds !== null && (delaySeconds < 0 || delaySeconds > LONGEST_DELAY))
			return `400 delaySeconds must be a whole number from 0 to ${LONGEST_DELAY}`;
		bytes += size;
	}
	return bytes > MOST_BATCH ? `413 batch message size limit of ${MOST_BATCH} bytes exceeded` : null;
}
