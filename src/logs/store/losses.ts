import type { Count, EpochMs, Milliseconds } from "../../units.ts";

/** Losses are counted by the minute. */
export const LOSS_MS: Milliseconds = 60_000;

/** How many records and lines of a tenant were lost within a minute; of no tenant where nobody knows whose they were. */
export interface Loss {
	time: EpochMs;
	tenant: string;
	count: Count;
}

/** Losses by their minute and tenant. */
export class Losses {
	readonly #all = new Map<string, Loss>();

	clear(): void {
		this.#all.clear();
	}

	/** Gives the minute. */
	add({ time, tenant, count }: Loss): EpochMs {
		const minute = time - (time % LOSS_MS);
		const key = `${minute} ${tenant}`;
		const there = this.#all.get(key);
		if (there === undefined) this.#all.set(key, { time: minute, tenant, count });
		else there.count += count;
		return minute;
	}

	[Symbol.iterator](): Iterator<Readonly<Loss>> {
		return this.#all.values();
	}
}
