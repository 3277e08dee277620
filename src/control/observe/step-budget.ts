import type { Count, Milliseconds } from "../../units.ts";

const SECOND: Milliseconds = 1000;

/** So many steps of work a second. */
export class StepBudget {
	readonly #most: Count;
	#used: Count = 0;
	#since: Milliseconds = Number.NEGATIVE_INFINITY;

	constructor(most: Count) {
		this.#most = most;
	}

	/** Takes so many, if they are left of this second's. */
	takes(steps: Count): boolean {
		const now = performance.now();
		if (now - this.#since > SECOND) {
			this.#since = now;
			this.#used = 0;
		}
		if (this.#used + steps > this.#most) return false;
		this.#used += steps;
		return true;
	}
}
