import type { Milliseconds } from "../units.ts";

const WINDOW_MS = 60_000;

/**
 * How many sandboxes functions have cost within the last minute. Past a bound, functions that may well cost another
 * have to wait, so that starting sandboxes is never what the machine does.
 */
export class Recycles {
	readonly #most: number;
	#times: Milliseconds[] = [];

	constructor(most: number) {
		this.#most = most;
	}

	/** A function has cost a sandbox its life. */
	note(now: Milliseconds): void {
		this.#times = this.#times.filter((time) => now - time < WINDOW_MS);
		this.#times.push(now);
	}

	/** How long those under suspicion have to wait; 0 if they need not. */
	remaining(now: Milliseconds): Milliseconds {
		if (this.#times.length < this.#most) return 0;
		return Math.max(0, this.#times[this.#times.length - this.#most] + WINDOW_MS - now);
	}
}
