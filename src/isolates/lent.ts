import ivm from "isolated-vm";
import type { Microseconds, Milliseconds } from "../units.ts";
import { sinceReading } from "./thread-clock.ts";

/**
 * One entry into an isolate. isolated-vm's `timeout` stands still while the isolate is in one of the sandbox's own
 * functions, and so does its CPU time: a loop that calls one would go on for four times its limit. So these functions
 * keep the time as well.
 */
export class Entry {
	readonly #isolate: ivm.Isolate;
	readonly #limit: Milliseconds;
	#until: Milliseconds;
	/** What the sandbox's functions took. */
	lentUs: Microseconds = 0;
	/** Whether one of them ended the isolate, since the entry's time was over. */
	overdue = false;

	constructor(isolate: ivm.Isolate, began: Milliseconds, limit: Milliseconds) {
		this.#isolate = isolate;
		this.#limit = limit;
		this.#until = began + limit + SLACK_MS;
	}

	/** Accounts for a call. Nothing but the isolate's end gets past a function's `catch`. */
	add(from: Milliseconds, to: Milliseconds): void {
		this.lentUs += (to - from) * 1000;
		if (to <= this.#until || this.overdue) return;
		// While the thread waits for a core nothing runs: then there is as much time as it has not had.
		const left = this.#limit + SLACK_MS - sinceReading() / 1000;
		if (left > 0) {
			this.#until = to + left;
			return;
		}
		this.overdue = true;
		this.#isolate.dispose();
	}
}

/** The isolate's own timer, which sees all but these calls, is to be first where both are due. */
const SLACK_MS: Milliseconds = 5;

/** The entry that runs; there is one at a time, on one thread. */
let current: Entry | null = null;

/** What follows belongs to this entry, until it is set back to what was before. */
export function setEntry(entry: Entry | null): Entry | null {
	const before = current;
	current = entry;
	return before;
}

/** A function of the sandbox as isolates can call it. */
export function lend(call: (...args: unknown[]) => unknown): ivm.Callback {
	return new ivm.Callback(
		(...args: unknown[]) => {
			const from = performance.now();
			const result = call(...args);
			current?.add(from, performance.now());
			return result;
		},
		{ sync: true },
	);
}
