import type { Milliseconds } from "../units.ts";

const FIRST_MS = 1000;
const LONGEST_MS = 10 * 60_000;
/** A strike is forgotten after an hour without another. */
export const FORGOTTEN_MS: Milliseconds = 3600_000;

/**
 * How often a function, or its tenant, has cost a sandbox its life, or has forged messages. The first strike puts it on
 * probation, in a sandbox of its own; from the second on it is disabled, for a second at first and twice as long each
 * time, up to ten minutes.
 */
export class Strikes {
	#count = 0;
	#last = 0;
	#until = 0;

	strike(now: Milliseconds): void {
		this.#count = this.count(now) + 1;
		this.#last = now;
		if (this.#count > 1) this.#until = now + Math.min(FIRST_MS * 2 ** (this.#count - 2), LONGEST_MS);
	}

	count(now: Milliseconds): number {
		return now - this.#last > FORGOTTEN_MS ? 0 : this.#count;
	}

	/** How long it is still disabled; 0 if it is not. */
	remaining(now: Milliseconds): Milliseconds {
		return this.#count > 1 ? Math.max(0, this.#until - now) : 0;
	}
}
