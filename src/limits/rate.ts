import type { Bytes, Milliseconds } from "../isolates/protocol.ts";

/** So much may be sent at once after a pause, in seconds of the rate. */
const BURST_S = 0.05;

/** A rate that is kept by waiting: what was taken too early is waited for afterwards. */
export class Rate {
	readonly #bytesPerMs: number;
	readonly #burstMs: Milliseconds;
	/** When all that was taken would have been sent at this rate. */
	#due: Milliseconds = 0;

	constructor(bytesPerSecond: Bytes) {
		this.#bytesPerMs = bytesPerSecond / 1000;
		this.#burstMs = BURST_S * 1000;
	}

	/** Takes so many bytes. Returns how long to wait before taking more. */
	take(bytes: Bytes, now: Milliseconds): Milliseconds {
		this.#due = Math.max(this.#due, now - this.#burstMs) + bytes / this.#bytesPerMs;
		return Math.max(0, this.#due - now);
	}
}
