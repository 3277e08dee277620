import type { InvocationRecord, LogLine } from "../observe/record.ts";

/** So many requests may have lines of which the record has not come. */
const MOST_OPEN = 1000;
const MOST_LINES = 256;

/** What a request did, with the lines that it logged. */
export interface TailedInvocation {
	record: InvocationRecord;
	lines: LogLine[];
}

/** Puts lines and records together: a request's lines come first, and its record is the last of it. */
export class TailSession {
	readonly #lines = new Map<string, LogLine[]>();
	readonly #onInvocation: (one: TailedInvocation) => void;

	constructor(onInvocation: (one: TailedInvocation) => void) {
		this.#onInvocation = onInvocation;
	}

	line(line: LogLine): void {
		const lines = this.#lines.get(line.requestId);
		if (lines !== undefined) {
			if (lines.length < MOST_LINES) lines.push(line);
			return;
		}
		// What never gets its record is the oldest.
		if (this.#lines.size === MOST_OPEN) this.#lines.delete(this.#lines.keys().next().value as string);
		this.#lines.set(line.requestId, [line]);
	}

	record(record: InvocationRecord): void {
		const lines = this.#lines.get(record.requestId) ?? [];
		this.#lines.delete(record.requestId);
		this.#onInvocation({ record, lines });
	}
}
