import type { InvocationRecord, LogLine } from "../observe/record.ts";
import type { Watcher } from "./feed.ts";

/** So many requests may have lines of which the record has not come, and so many letters in them together. */
const MOST_OPEN = 1000;
const MOST_LINES = 256;
const MOST_LETTERS = 2 ** 20;

/** What a request did, with the lines that it logged. */
export interface TailedInvocation {
	record: InvocationRecord;
	lines: LogLine[];
}

/** Puts lines and records together: a request's lines come first, and its record is the last of it. */
export class TailSession implements Watcher {
	readonly function: string;
	readonly #lines = new Map<string, LogLine[]>();
	#letters = 0;
	readonly #onInvocation: (one: TailedInvocation) => void;

	/** `key` is the function's. */
	constructor(key: string, onInvocation: (one: TailedInvocation) => void) {
		this.function = key;
		this.#onInvocation = onInvocation;
	}

	onLine(line: LogLine): void {
		const { requestId, message } = line;
		const lines = this.#lines.get(requestId) ?? [];
		if (lines.length === MOST_LINES) return;
		lines.push(line);
		this.#lines.set(requestId, lines);
		this.#letters += message.length;
		// What never gets its record is the oldest.
		while (this.#lines.size > MOST_OPEN || this.#letters > MOST_LETTERS)
			this.#take(this.#lines.keys().next().value as string);
	}

	onRecord(record: InvocationRecord): void {
		this.#onInvocation({ record, lines: this.#take(record.requestId) });
	}

	#take(requestId: string): LogLine[] {
		const lines = this.#lines.get(requestId) ?? [];
		this.#lines.delete(requestId);
		for (const { message } of lines) this.#letters -= message.length;
		return lines;
	}
}
