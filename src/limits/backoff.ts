import type { Milliseconds } from "../units.ts";

const FIRST_MS = 100;
const LONGEST_MS = 10_000;

/**
 * How long a function that failed to start is left alone. The first failure costs nothing: the next request tries
 * again. From the second in a row on the wait begins at 100 ms and doubles up to 10 s.
 */
export class Backoff {
	#failures = 0;
	#until = 0;

	/** How long to wait still; 0 if it may be tried now. */
	remaining(now: Milliseconds): Milliseconds {
		return Math.max(0, this.#until - now);
	}

	failed(now: Milliseconds): void {
		this.#failures++;
		if (this.#failures > 1) this.#until = now + Math.min(FIRST_MS * 2 ** (this.#failures - 2), LONGEST_MS);
	}

	succeeded(): void {
		this.#failures = 0;
		this.#until = 0;
	}
}
