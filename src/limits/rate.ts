import type { Bytes, Milliseconds } from "../units.ts";

/** After a pause as much may be sent at once as the rate allows in so long. */
const BURST_MS: Milliseconds = 50;

/** A rate that is kept by waiting: what was taken too early is waited for afterwards. */
export class Rate {
	#bytesPerMs = 0;
	/** When all that was taken would have been sent at this rate. */
	#due: Milliseconds = 0;

	constructor(bytesPerSecond: Bytes) {
		this.resize(bytesPerSecond);
	}

	/** Keeps another rate from now on. */
	resize(bytesPerSecond: Bytes): void {
		this.#bytesPerMs = bytesPerSecond / 1000;
	}

	/** Takes so many bytes. Returns how long to wait before taking more. */
	take(bytes: Bytes, now: Milliseconds): Milliseconds {
		this.#due = Math.max(this.#due, now - BURST_MS) + bytes / this.#bytesPerMs;
		return Math.max(0, this.#due - now);
	}
}
