import type { Bytes, Milliseconds } from "../units.ts";

const WINDOW_MS: Milliseconds = 1000;

/** So many bytes a second, of what is dropped beyond them. */
export class Allowance {
	readonly #most: Bytes;
	#since: Milliseconds = 0;
	#used: Bytes = 0;

	constructor(most: Bytes) {
		this.#most = most;
	}

	/** Whether so many more are within it, are the first that are not, or come after those. */
	take(bytes: Bytes, now: Milliseconds): "within" | "beyond" | "dropped" {
		if (now - this.#since >= WINDOW_MS) {
			this.#since = now;
			this.#used = 0;
		}
		const before = this.#used;
		this.#used += bytes;
		if (this.#used <= this.#most) return "within";
		return before <= this.#most ? "beyond" : "dropped";
	}
}
