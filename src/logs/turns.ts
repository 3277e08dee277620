import type { Milliseconds } from "../units.ts";

/** A query runs for so long, and others have their turn: other tenants' queries, and what is to be stored. */
const STEP_MS: Milliseconds = 5;

/** What is done a part at a time. */
export interface Stepwise<Result> {
	/** Goes on until then; gives whether it has ended. */
	step(until: Milliseconds): boolean;
	/** What it has found. */
	result(): Result;
}

interface Running {
	/** Has its turn; gives whether it has ended. */
	step(until: Milliseconds): boolean;
	reject: (error: unknown) => void;
}

/** Queries as they run, one tenant's after another's. */
export class Turns {
	/** By whose they are; empty for those of all tenants. Whoever is first is next. */
	readonly #running = new Map<string, Running[]>();
	#isPlanned = false;

	/** Resolves with what one has found. Rejects with what it throws. */
	run<Result>(whose: string, one: Stepwise<Result>): Promise<Result> {
		const { promise, resolve, reject } = Promise.withResolvers<Result>();
		const step = (until: Milliseconds) => {
			const ended = one.step(until);
			if (ended) resolve(one.result());
			return ended;
		};
		const own = this.#running.get(whose) ?? [];
		own.push({ step, reject });
		this.#running.set(whose, own);
		this.#plan();
		return promise;
	}

	#plan(): void {
		if (this.#isPlanned || this.#running.size === 0) return;
		this.#isPlanned = true;
		setImmediate(() => {
			this.#isPlanned = false;
			this.#step();
			this.#plan();
		});
	}

	#step(): void {
		const [[whose, own]] = this.#running;
		const one = own.shift() as Running;
		this.#running.delete(whose);
		let ended = true;
		try {
			ended = one.step(performance.now() + STEP_MS);
		} catch (error) {
			one.reject(error);
		}
		// Both it and its tenant go to the end of the line.
		if (!ended) own.push(one);
		if (own.length > 0) this.#running.set(whose, own);
	}
}
