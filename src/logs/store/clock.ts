import type { EpochMs, Milliseconds } from "../../units.ts";

/** Clocks that differ by more than this within a process have been set. */
const JUMP_MS: Milliseconds = 60_000;
/** What was written so long before the process began, or after it, says that the clock may be wrong. */
const GAP_MS: Milliseconds = 24 * 3600_000;
/** For so long after that nothing is removed for its age: somebody may set it right. */
const REST_MS: Milliseconds = 3600_000;

/** The machine's clock, and whether it may be trusted to say what is too old. */
export class Clock {
	#offset: Milliseconds;
	#trustedFrom: Milliseconds;

	/** `written` is when the last that is there was written; `null` where there is nothing. */
	constructor(written: EpochMs | null, now: EpochMs = Date.now(), uptime: Milliseconds = performance.now()) {
		this.#offset = now - uptime;
		const isOdd = written !== null && (written > now + JUMP_MS || written < now - GAP_MS);
		this.#trustedFrom = isOdd ? uptime + REST_MS : uptime;
	}

	isTrusted(now: EpochMs = Date.now(), uptime: Milliseconds = performance.now()): boolean {
		const offset = now - uptime;
		if (Math.abs(offset - this.#offset) > JUMP_MS) this.#trustedFrom = uptime + REST_MS;
		this.#offset = offset;
		return uptime >= this.#trustedFrom;
	}
}
