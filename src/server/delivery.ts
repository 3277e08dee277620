import type { Milliseconds } from "../units.ts";

/** What clients take of the responses that they are sent: how long each may take none of it, and how many have not all. */
export class Delivery {
	/** A client that takes nothing for so long is cut. */
	readonly stalledMs: Milliseconds;
	#open = 0;
	#onNone: (() => void) | null = null;

	constructor(stalledMs: Milliseconds) {
		this.stalledMs = stalledMs;
	}

	/** There is a response that its client has not taken all of. */
	begin(): void {
		this.#open++;
	}

	/** Its client has, or is gone. */
	end(): void {
		if (--this.#open === 0) this.#onNone?.();
	}

	/** Resolves when all clients have what they were sent, or so much later. */
	async over(timeout: Milliseconds): Promise<void> {
		if (this.#open === 0) return;
		const { promise, resolve } = Promise.withResolvers<void>();
		const timer = setTimeout(resolve, timeout);
		this.#onNone = resolve;
		await promise;
		clearTimeout(timer);
	}
}
