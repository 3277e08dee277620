import { setTimeout as sleep } from "node:timers/promises";
import { addSums, type Tally } from "../../observe/tally.ts";
import type { Count, EpochMs, Milliseconds } from "../../units.ts";

/** What is counted within this time is added up. */
const STEP_MS: Milliseconds = 10_000;
/** So many steps and so many tallies wait at most; the oldest step goes. */
const MOST_STEPS = 60;
const MOST_TALLIES: Count = 20_000;
/** After one that failed the next try is made so much later. */
const REST_MS: Milliseconds = 1000;
/** Who asks for rollups waits so long for what is on its way. */
const MOST_WAIT_MS: Milliseconds = 5000;

/** Tallies of one step of time. */
export interface TallyStep {
	time: EpochMs;
	tallies: Tally[];
}

/** What was counted and is not stored yet: what comes while the store is asked is added up, and goes with the next. */
export class WaitingTallies {
	readonly #send: (number: number, steps: TallyStep[]) => Promise<void>;
	readonly #log: (level: "warn", message: string) => void;
	readonly #steps = new Map<EpochMs, Map<string, Tally>>();
	#count: Count = 0;
	#number = 0;
	#sending: Promise<void> | null = null;
	#closed = false;

	/** A number that is sent again stands for the same tallies. */
	constructor(
		send: (number: number, steps: TallyStep[]) => Promise<void>,
		log: (level: "warn", message: string) => void,
	) {
		this.#send = send;
		this.#log = log;
	}

	add(now: EpochMs, tallies: readonly Tally[]): void {
		if (tallies.length === 0) return;
		const time = now - (now % STEP_MS);
		const step = this.#steps.get(time) ?? new Map<string, Tally>();
		this.#steps.set(time, step);
		for (const tally of tallies) {
			const key = `${tally.tenant}/${tally.function} ${tally.version}`;
			const there = step.get(key);
			if (there !== undefined) addSums(there, tally);
			else {
				step.set(key, structuredClone(tally));
				this.#count++;
			}
		}
		while (this.#steps.size > MOST_STEPS || (this.#count > MOST_TALLIES && this.#steps.size > 1)) this.#dropOldest();
		this.#sending ??= this.#sendAll();
	}

	#dropOldest(): void {
		const [[time, step]] = this.#steps;
		this.#steps.delete(time);
		this.#count -= step.size;
		this.#log("warn", `rollups of ${new Date(time).toISOString()} could not be stored, and were dropped`);
	}

	async #sendAll(): Promise<void> {
		while (this.#steps.size > 0 && !this.#closed) {
			const steps = [...this.#steps].map(([time, step]) => ({ time, tallies: [...step.values()] }));
			this.#steps.clear();
			this.#count = 0;
			await this.#sendUntilTaken(++this.#number, steps);
		}
		this.#sending = null;
	}

	async #sendUntilTaken(number: number, steps: TallyStep[]): Promise<void> {
		for (let tries = 0; !this.#closed; tries++)
			try {
				await this.#send(number, steps);
				return;
			} catch (error) {
				if (tries === 0 && !this.#closed) this.#log("warn", `rollups wait to be stored: ${(error as Error).message}`);
				await sleep(REST_MS, undefined, { ref: false });
			}
	}

	/** Resolves once all that was added until now is stored, or after a while: who asks is not to wait for a disk. */
	async sent(): Promise<void> {
		if (this.#sending !== null) await Promise.race([this.#sending, sleep(MOST_WAIT_MS, undefined, { ref: false })]);
	}

	/** Nothing is tried again. */
	close(): void {
		this.#closed = true;
	}
}
