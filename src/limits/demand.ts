import type { AttemptReport } from "../link/protocol.ts";
import type { Microseconds } from "../units.ts";

/** Requests that wait for so much CPU time in one sandbox are a queue. */
const QUEUE_US: Microseconds = 20_000;
/**
 * What takes less than this queues at the edge before it does in a sandbox, and is served best where its code is in the
 * cache already.
 */
const CHEAP_US: Microseconds = 1000;
/** A request is brief if its turns were light, or if all of them took no more than this together. */
const BRIEF_US: Microseconds = 15_000;
/** A turn that was cut after this much of a core has not just waited for one. */
const TOO_LONG_US: Microseconds = 25_000;
/** The mean is of so many requests, or as if it were: the latest makes this part of it. */
const RECENT = 32;
/** So many brief requests are asked for, and twice as many after each breach. Each that is not brief takes some away. */
const BRIEF_REQUESTS = 20;
const MOST_BRIEF_REQUESTS = 1280;
const LONG_COSTS = 10;

type Used = Pick<AttemptReport, "cpuUs" | "light" | "cold">;

/**
 * What a version's requests take of a processor: when those that wait are a queue, and whether its turns are so brief
 * that it may have them among the functions of other sandboxes.
 */
export class Demand {
	/** So many of its requests may wait for their first turn in one sandbox before they are a queue. */
	calm = Number.POSITIVE_INFINITY;
	#meanUs: Microseconds = 0;
	#noted = 0;
	#brief = 0;
	#needed = BRIEF_REQUESTS;
	#wasLong = false;

	/** Whether its turns have lately been brief. */
	get brief(): boolean {
		return this.#brief >= this.#needed;
	}

	/** Whether one of them was not, and it has not proven brief since. */
	get isLong(): boolean {
		return this.#wasLong && !this.brief;
	}

	/** A request is done. */
	note({ cpuUs, light, cold }: Used): void {
		if (light || cpuUs <= BRIEF_US) this.#brief = Math.min(this.#brief + 1, 2 * this.#needed);
		else if (!cold) this.long();
		// The first turn of an isolate is slower than those after it, and says little of them.
		if (cold) return;
		if (this.#noted < RECENT) this.#noted++;
		this.#meanUs += (cpuUs - this.#meanUs) / this.#noted;
		this.calm = this.#meanUs < CHEAP_US ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(QUEUE_US / this.#meanUs));
	}

	/** A request was not brief, or has failed. */
	long(): void {
		this.#wasLong = true;
		this.#brief = Math.max(this.#brief - LONG_COSTS, 0);
	}

	/**
	 * A turn had to be cut. Where it had little of a core until then there is none to spare, and more sandboxes are of
	 * no use.
	 */
	cut({ cpuUs }: Used): void {
		if (cpuUs > TOO_LONG_US) this.breach();
		else this.long();
	}

	/** A turn kept others waiting: what it has shown until now counts for nothing, and it has to show more. */
	breach(): void {
		this.#wasLong = true;
		// Those that were on their way when it was found out say nothing new.
		if (this.#brief > 0) this.#needed = Math.min(2 * this.#needed, MOST_BRIEF_REQUESTS);
		this.#brief = 0;
	}
}
