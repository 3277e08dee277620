import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Leased, LeasedMessage, QueueLease, QueueSettle } from "../bindings/queue/calls.ts";
import type { QueueEvent, QueueMessage, QueueResult } from "../invocation/events/queue.ts";
import type { FunctionId } from "../names.ts";
import type { DataProcess } from "../stores/data-process.ts";
import { isOwnQueue } from "../stores/storage-rule.ts";
import type { Milliseconds } from "../units.ts";
import type { ConsumerSettings } from "./trigger-settings.ts";

/** A lease lasts so long, unless it is extended: whoever has died has it no longer. */
export const LEASE_MS: Milliseconds = 60_000;
/** What nobody has looked at is tried again after so long, and each time after twice as long. */
const FIRST_MS: Milliseconds = 200;
const LONGEST_MS: Milliseconds = 30_000;
/** Likewise a message that was not acknowledged, where nobody says after how long. */
const FIRST_RETRY_MS: Milliseconds = 1000;
const LONGEST_RETRY_MS: Milliseconds = 3600_000;

/**
 * What came of a batch, which is so many events deep; `null` where the function was not called at all. Rejects where it
 * cannot be handed over.
 */
type DispatchBatch = (event: QueueEvent, depth: number) => Promise<QueueResult | null>;

export interface QueueConsumerParts {
	function: FunctionId;
	settings: ConsumerSettings;
	data: DataProcess;
	dispatch: DispatchBatch;
	/** Told of what an operator should know. */
	notice: (message: string) => void;
}

/**
 * Hands a queue's messages to the function that consumes it: leases them, calls its handler, and settles what became of
 * each. It works as long as there are messages, and has to be woken when there are some again.
 */
export class QueueConsumer {
	readonly #parts: QueueConsumerParts;
	/** The leases of batches that are being worked on. */
	readonly leases = new Set<string>();
	readonly #workers = new Set<Promise<void>>();
	#timer: NodeJS.Timeout | null = null;
	/** How often in a row nobody has looked at a batch. */
	#misses = 0;
	readonly #closing = new AbortController();

	constructor(parts: QueueConsumerParts) {
		this.#parts = parts;
	}

	/** There may be messages. */
	wake(): void {
		if (this.#closing.signal.aborted || this.#workers.size >= this.#parts.settings.maxConcurrency || this.#misses > 0)
			return;
		const worker = this.#work()
			.catch((error: Error) => this.#parts.notice(`messages of ${this.#shown} wait: ${error.message}`))
			.finally(() => {
				this.#workers.delete(worker);
				if (this.#workers.size === 0) this.#misses = 0;
			});
		this.#workers.add(worker);
	}

	get #queue(): string {
		return this.#parts.settings.queue;
	}

	/** As a person knows it. */
	get #shown(): string {
		return isOwnQueue(this.#queue) ? "what is told of changes (triggers.storage)" : this.#queue;
	}

	async #work(): Promise<void> {
		while (!this.#closing.signal.aborted) {
			const lease = randomUUID();
			const { messages, bodies, nextMs } = await this.#lease(lease);
			if (messages.length === 0) {
				if (nextMs !== null) this.#wakeIn(nextMs);
				return;
			}
			// Where one batch is full there may be more.
			if (messages.length === this.#parts.settings.maxBatchSize) this.wake();
			if (await this.#deliver(lease, messages, bodies)) this.#misses = 0;
			else if (!this.#closing.signal.aborted) await this.#rest(Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#misses++));
		}
	}

	/** Does nothing for a while, or until it is closed. */
	async #rest(ms: Milliseconds): Promise<void> {
		await sleep(ms, undefined, { ref: false, signal: this.#closing.signal }).catch(() => undefined);
	}

	async #lease(lease: string): Promise<Leased & { bodies: Uint8Array }> {
		const { function: of, settings, data } = this.#parts;
		const said: QueueLease = {
			...{ tenant: of.tenant, queue: this.#queue, lease },
			most: settings.maxBatchSize,
			waitMs: settings.maxBatchTimeout * 1000,
			leaseMs: LEASE_MS,
		};
		const { said: leased, bytes } = await data.ask(of.tenant, { store: "queue", operation: "lease", said });
		return { ...(leased as Leased), bodies: bytes };
	}

	/** Has a batch worked on, and settles it. Returns whether the function was called. */
	async #deliver(lease: string, messages: LeasedMessage[], bodies: Uint8Array): Promise<boolean> {
		this.leases.add(lease);
		try {
			const result = await this.#handOver(messages, bodies);
			await this.#settle(lease, messages, result);
			return result !== null;
		} finally {
			this.leases.delete(lease);
		}
	}

	/** Of a batch that cannot be handed over each message is tried by itself: one may be what keeps the others. */
	async #handOver(messages: LeasedMessage[], bodies: Uint8Array): Promise<QueueResult | null> {
		try {
			const depth = Math.max(...messages.map((message) => message.depth));
			const event = { type: "queue", queue: this.#queue, messages: decoded(messages, bodies) } as const;
			return await this.#parts.dispatch(event, depth);
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
		const { function: of, settings, data, notice } = this.#parts;
		const said: QueueSettle = {
			...{ tenant: of.tenant, queue: this.#queue, lease },
			acknowledged: (result?.acknowledged ?? []).map(Number),
			retried: [],
			dead: [],
			deadLetterQueue: settings.deadLetterQueue ?? "",
		};
		const asked = new Map(result?.retried.map(({ id, delaySeconds }) => [Number(id), delaySeconds]));
		for (const { id, attempts } of messages) {
			if (result === null) said.retried.push({ id, delayMs: 0, counted: false });
			else if (!asked.has(id)) continue;
			else if (attempts > settings.maxRetries) said.dead.push(id);
			else said.retried.push({ id, delayMs: this.#retryMs(attempts, asked.get(id) ?? null), counted: true });
		}
		await data.ask(of.tenant, { store: "queue", operation: "settle", said });
		if (said.dead.length > 0 && settings.deadLetterQueue === null)
			notice(`${said.dead.length} messages of ${this.#shown} were delivered as often as they may be, and dropped`);
	}

	#retryMs(attempts: number, asked: number | null): Milliseconds {
		const seconds = asked ?? this.#parts.settings.retryDelay;
		return seconds === null ? Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1)) : seconds * 1000;
	}

	#wakeIn(ms: Milliseconds): void {
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.wake(), Math.min(ms, LEASE_MS)).unref();
	}

	/** Takes no more messages. Resolves once the batches that are being worked on are settled. */
	async close(): Promise<void> {
		this.#closing.abort();
		if (this.#timer !== null) clearTimeout(this.#timer);
		await Promise.all(this.#workers);
	}
}

function decoded(messages: LeasedMessage[], bodies: Uint8Array): QueueMessage[] {
	let at = 0;
	return messages.map(({ id, sent: timestamp, attempts, type, size }): QueueMessage => {
		const bytes = bodies.subarray(at, at + size);
		at += size;
		const about = { id: String(id), timestamp, attempts };
		if (type === "bytes") return { ...about, contentType: type, body: bytes };
		const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
		if (type === "text") return { ...about, contentType: type, body: text };
		return { ...about, contentType: type, body: JSON.parse(text) };
	});
}
