import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Milliseconds } from "../units.ts";

/** A lease lasts so long, unless it is extended: whoever has died has it no longer. */
export const LEASE_MS: Milliseconds = 60_000;
/** What nobody has looked at is tried again after so long, and each time after twice as long. */
const FIRST_MS: Milliseconds = 200;
const LONGEST_MS: Milliseconds = 30_000;
/** Likewise what has failed, where nobody says after how long. */
const FIRST_RETRY_MS: Milliseconds = 1000;
const LONGEST_RETRY_MS: Milliseconds = 3600_000;

/** What was leased: `null` where nothing is due. */
export interface Leased<Batch> {
	batch: Batch | null;
	/** Whether there may be more that is due. */
	more: boolean;
	/** Where nothing is due: in how long something may be, if that is for the consumer to look at. */
	nextMs: Milliseconds | null;
	/** So many more have to come before there is a batch, unless the time is over. */
	missing: number;
}

/** What a consumer works on. */
export interface Work<Batch> {
	/** What it is, in words for the log. */
	readonly name: string;
	/** So many batches at a time. */
	readonly concurrency: number;
	/** So many messages in a batch, at most. */
	readonly batchSize: number;
	/** Takes what is due for itself, under a lease of this name. */
	lease(lease: string): Promise<Leased<Batch>>;
	/** Has a batch worked on, and settles it. Returns whether the function was called. */
	perform(lease: string, batch: Batch): Promise<boolean>;
}

/** How long what has failed so often rests before it is tried again, where nobody says it. */
export function retryMs(attempts: number): Milliseconds {
	return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (attempts - 1));
}

/**
 * Does work as long as there is any, batch by batch, some of them at a time; it has to be woken when there is some
 * again. What its function does not see (it is overloaded, or paused) is left alone for longer and longer.
 */
export class Consumer<Batch> {
	readonly #work: Work<Batch>;
	readonly #notice: (message: string) => void;
	/** The leases of batches that are being worked on. */
	readonly leases = new Set<string>();
	readonly #workers = new Set<Promise<void>>();
	#timer: NodeJS.Timeout | null = null;
	/** How many messages have come, and with how many of them it makes sense to look again. */
	#arrived = 0;
	#enoughAt = 0;
	/** How often in a row nobody has looked at a batch. */
	#misses = 0;
	readonly #closing = new AbortController();

	/** `notice` is told of what an operator should know. */
	constructor(work: Work<Batch>, notice: (message: string) => void) {
		this.#work = work;
		this.#notice = notice;
	}

	/** Whether it does nothing, and has to be woken. */
	get idle(): boolean {
		return this.#workers.size === 0;
	}

	/** There may be work: so many messages have come. Where that is not known it may be a batch. */
	wake(messages = this.#work.batchSize): void {
		this.#arrived += messages;
		if (this.#arrived < this.#enoughAt) return;
		if (this.#closing.signal.aborted || this.#workers.size >= this.#work.concurrency || this.#misses > 0) return;
		const worker = this.#run()
			.catch((error: Error) => this.#notice(`${this.#work.name} wait: ${error.message}`))
			.finally(() => {
				this.#workers.delete(worker);
				if (this.#workers.size === 0) this.#misses = 0;
			});
		this.#workers.add(worker);
	}

	async #run(): Promise<void> {
		while (!this.#closing.signal.aborted) {
			const lease = randomUUID();
			const before = this.#arrived;
			// Until this says otherwise, another look makes sense once there may be another batch.
			this.#enoughAt = before + this.#work.batchSize;
			const { batch, more, nextMs, missing } = await this.#work.lease(lease);
			if (batch === null) {
				// What came while it was looked at has perhaps not been seen.
				this.#enoughAt = before + missing;
				if (this.#arrived > before && this.#arrived >= this.#enoughAt) continue;
				if (nextMs !== null) this.#wakeIn(nextMs);
				return;
			}
			if (more || this.#arrived > before) this.wake();
			if (await this.#perform(lease, batch)) this.#misses = 0;
			else if (!this.#closing.signal.aborted) await this.#rest(Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#misses++));
		}
	}

	async #perform(lease: string, batch: Batch): Promise<boolean> {
		this.leases.add(lease);
		try {
			return await this.#work.perform(lease, batch);
		} finally {
			this.leases.delete(lease);
		}
	}

	/** Does nothing for a while, or until it is closed. */
	async #rest(ms: Milliseconds): Promise<void> {
		await sleep(ms, undefined, { ref: false, signal: this.#closing.signal }).catch(() => undefined);
	}

	#wakeIn(ms: Milliseconds): void {
		if (this.#closing.signal.aborted) return;
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.wake(), Math.min(ms, LEASE_MS)).unref();
	}

	/** Takes no more work. Resolves once the batches that are being worked on are settled. */
	async close(): Promise<void> {
		this.#closing.abort();
		if (this.#timer !== null) clearTimeout(this.#timer);
		await Promise.all(this.#workers);
	}
}
