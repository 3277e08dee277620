import type { GivingUp, LeasedMessage } from "../bindings/queue/calls.ts";
import type { TenantQueue } from "../bindings/queue/tenant-queue.ts";
import type { DispatchedFrom } from "../invocation/dispatched-event.ts";
import { messageOf, type QueueEvent, type QueueMessage, type QueueResult } from "../invocation/events/queue.ts";
import { readTrace } from "../observe/trace-context.ts";
import { isOwnQueue } from "../stores/storage-rule.ts";
import { LEASE_MS, type Leased, retryMs, type Work } from "./consumer.ts";
import type { ConsumerSettings } from "./trigger-settings.ts";

/**
 * What came of a batch; `null` where the function was not called at all. Rejects where it cannot be handed over.
 */
type DispatchBatch = (event: QueueEvent, from: DispatchedFrom) => Promise<QueueResult | null>;

export interface QueueWorkParts {
	settings: ConsumerSettings;
	queue: TenantQueue;
	dispatch: DispatchBatch;
	/** Told of what an operator should know. */
	notice: (message: string) => void;
}

/** Messages with their bodies, one behind the other. */
interface Batch {
	messages: LeasedMessage[];
	bodies: Uint8Array;
}

/** Hands a queue's messages to the function that consumes it, and settles what became of each. */
export class QueueWork implements Work<Batch> {
	readonly #parts: QueueWorkParts;
	readonly #givingUp: GivingUp;

	constructor(parts: QueueWorkParts) {
		this.#parts = parts;
		const { maxRetries, deadLetterQueue } = parts.settings;
		this.#givingUp = { maxRetries, deadLetterQueue: deadLetterQueue ?? "" };
	}

	get #queue(): string {
		return this.#parts.settings.queue;
	}

	/** As a person knows it. */
	get #shown(): string {
		return isOwnQueue(this.#queue) ? "what is told of changes (triggers.storage)" : this.#queue;
	}

	get name(): string {
		return `messages of ${this.#shown}`;
	}

	get concurrency(): number {
		return this.#parts.settings.maxConcurrency;
	}

	get batchSize(): number {
		return this.#parts.settings.maxBatchSize;
	}

	async lease(lease: string): Promise<Leased<Batch>> {
		const { maxBatchSize: most, maxBatchTimeout } = this.#parts.settings;
		const { messages, bodies, nextMs, missing, dropped } = await this.#parts.queue.lease({
			...{ lease, most, waitMs: maxBatchTimeout * 1000, leaseMs: LEASE_MS },
			...this.#givingUp,
		});
		this.#tell(dropped);
		// Where one batch is full there may be more.
		const more = messages.length === most;
		return { batch: messages.length === 0 ? null : { messages, bodies }, more, nextMs, missing };
	}

	async perform(lease: string, { messages, bodies }: Batch): Promise<boolean> {
		const result = await this.#handOver(messages, bodies);
		await this.#settle(lease, messages, result);
		return result !== null;
	}

	/** Of a batch that cannot be handed over each message is tried by itself: one may be what keeps the others. */
	async #handOver(messages: LeasedMessage[], bodies: Uint8Array): Promise<QueueResult | null> {
		try {
			const depth = Math.max(...messages.map((message) => message.depth));
			const event = { type: "queue", queue: this.#queue, messages: decoded(messages, bodies) } as const;
			const traces = messages.map((message) => readTrace(message.trace));
			return await this.#parts.dispatch(event, { depth, traces });
		} catch (error) {
			const [{ id }] = messages;
			if (messages.length === 1) {
				this.#parts.notice(`a message of ${this.#shown} cannot be delivered: ${(error as Error).message}`);
				return { acknowledged: [], retried: [{ id: String(id), delaySeconds: null }] };
			}
		}
		const all: QueueResult = { acknowledged: [], retried: [] };
		let at = 0;
		for (const message of messages) {
			const result = await this.#handOver([message], bodies.subarray(at, at + message.size));
			at += message.size;
			if (result === null) return null;
			all.acknowledged.push(...result.acknowledged);
			all.retried.push(...result.retried);
		}
		return all;
	}

	async #settle(lease: string, messages: LeasedMessage[], result: QueueResult | null): Promise<void> {
		const acknowledged = (result?.acknowledged ?? []).map(Number);
		const asked = new Map(result?.retried.map(({ id, delaySeconds }) => [Number(id), delaySeconds]));
		const retried = messages
			.filter(({ id }) => result === null || asked.has(id))
			.map(({ id, attempts }) => {
				if (result === null) return { id, delayMs: 0, counted: false };
				const seconds = asked.get(id) ?? this.#parts.settings.retryDelay;
				return { id, delayMs: seconds === null ? retryMs(attempts) : seconds * 1000, counted: true };
			});
		const { dropped } = await this.#parts.queue.settle({ lease, acknowledged, retried, ...this.#givingUp });
		this.#tell(dropped);
	}

	#tell(dropped: number): void {
		if (dropped > 0)
			this.#parts.notice(`${dropped} messages of ${this.#shown} were delivered as often as they may be, and dropped`);
	}
}

function decoded(messages: LeasedMessage[], bodies: Uint8Array): QueueMessage[] {
	let at = 0;
	return messages.map(({ id, sent: timestamp, attempts, type, size }): QueueMessage => {
		const bytes = bodies.subarray(at, at + size);
		at += size;
		return messageOf({ id: String(id), timestamp, attempts }, type, bytes);
	});
}
