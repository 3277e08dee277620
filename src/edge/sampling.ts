import { fnv1a } from "../fnv.ts";
import type { Count } from "../units.ts";

/** So many invocations a second are told of one function or tenant that is watched, and so many letters of lines. */
const MOST_RECORDS: Count = 200;
const MOST_LETTERS: Count = 512 * 1024;
/** What comes beyond that within a second is left out at first; a part of all from the next second on. */
const SURGE = 2;

/** Something that may be told. */
export interface Offered {
	/** What it is watched by. */
	key: string;
	requestId: string;
	letters: Count;
	/** A record, or else a line. */
	isRecord: boolean;
	/** Whether there is room for it on the way. */
	hasRoom: boolean;
}

interface Sampled {
	/** Which share of invocations is told. */
	rate: number;
	/** What there was within this second, and what of it was told. */
	records: Count;
	letters: Count;
	toldRecords: Count;
	toldLetters: Count;
}

/**
 * Which invocations are told where there are too many to look at: some of them with all that they have, and the others
 * not at all.
 */
export class Sampling {
	readonly #all = new Map<string, Sampled>();

	/** Whether a record, or a line of so many letters, is one of those that are told. */
	takes({ key, requestId, letters, isRecord, hasRoom }: Offered): boolean {
		let one = this.#all.get(key);
		if (one === undefined) {
			one = { rate: 1, records: 0, letters: 0, toldRecords: 0, toldLetters: 0 };
			this.#all.set(key, one);
		}
		one.letters += letters;
		if (isRecord) one.records++;
		const isTold =
			hasRoom &&
			pointOf(requestId) < one.rate &&
			one.toldRecords < MOST_RECORDS * SURGE &&
			one.toldLetters + letters < MOST_LETTERS * SURGE;
		if (!isTold) return false;
		one.toldLetters += letters;
		if (isRecord) one.toldRecords++;
		return true;
	}

	/** A second is over. How many invocations of whom were left out. */
	next(): Map<string, Count> {
		const left = new Map<string, Count>();
		for (const [key, one] of this.#all) {
			if (one.records > one.toldRecords) left.set(key, one.records - one.toldRecords);
			const rate = Math.min(1, MOST_RECORDS / one.records, MOST_LETTERS / one.letters);
			if (one.letters === 0) this.#all.delete(key);
			else Object.assign(one, { rate, records: 0, letters: 0, toldRecords: 0, toldLetters: 0 });
		}
		return left;
	}
}

/** Between 0 and 1, and the same for all that an invocation does. */
const pointOf = (requestId: string): number => (requestId === "" ? 0 : fnv1a(requestId) / 2 ** 32);
