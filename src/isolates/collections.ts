import type { Milliseconds } from "../units.ts";

/**
 * After so many requests an isolate collects what they have left, unless it has just done so. V8 would wait until a
 * megabyte of new memory is full, and then take another: where a machine has hundreds of isolates, of which each has a
 * few requests a second, each of them is in memory that nobody has touched yet, which costs more than the collection.
 */
const COLLECT_EVERY = 16;
const COLLECT_MS: Milliseconds = 100;

/** When an isolate collects what is young. */
export class Collections {
	/** Requests since it last did, and when that was. */
	#requests = 0;
	#at: Milliseconds = 0;

	/** Whether a request that comes now is to collect what others have left, which counts as its own time. */
	due(now: Milliseconds): boolean {
		if (++this.#requests <= COLLECT_EVERY || now - this.#at < COLLECT_MS) return false;
		this.#requests = 0;
		this.#at = now;
		return true;
	}
}
