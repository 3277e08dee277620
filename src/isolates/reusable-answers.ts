import { LRUCache } from "lru-cache";
import { machineMs } from "../link/machine-clock.ts";
import type { VersionNumber } from "../link/protocol.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** All of them together. */
const MOST_BYTES: Bytes = 4 * 2 ** 20;
/** What one takes beside its text and that of its call. */
const ANSWER_BYTES: Bytes = 300;

/**
 * Answers to calls of bindings that may be given again, each to the version to which the edge has given it: a call that
 * finds its answer here goes on in the same turn, where it would wait for the link twice.
 */
export class ReusableAnswers {
	readonly #answers = new LRUCache<string, string>({ maxSize: MOST_BYTES, ttlResolution: 0 });

	get(version: VersionNumber, call: string): string | undefined {
		return this.#answers.get(placeOf(version, call));
	}

	/** `untilMs`: a time of the machine's. */
	add(version: VersionNumber, call: string, answer: string, untilMs: Milliseconds): void {
		const ttl = untilMs - machineMs();
		if (ttl <= 0) return;
		const size = 2 * (call.length + answer.length) + ANSWER_BYTES;
		this.#answers.set(placeOf(version, call), answer, { ttl, size });
	}

	forget(version: VersionNumber, call: string): void {
		this.#answers.delete(placeOf(version, call));
	}
}

function placeOf(version: VersionNumber, call: string): string {
	return `${version}\n${call}`;
}
