import type { SeenRequest } from "../../feed/messages.ts";
import type { InvocationRecord, LogLine } from "../../observe/record.ts";
import type { Watcher } from "../feed/feed.ts";
import { passes, type TailFilter } from "./tail-filters.ts";

/** So many requests may have lines of which the record has not come, and so many letters in them together. */
const MOST_OPEN = 1000;
const MOST_LINES = 256;
const MOST_LETTERS = 2 ** 20;

/** What a request did, with the lines that it logged. */
export interface TailedInvocation {
	record: InvocationRecord;
	lines: LogLine[];
	/** What it came with, where whoever looks wants to see that. */
	request: SeenRequest | null;
}

/** What a tail is to show. */
export interface TailSettings {
	/** The key of the function. */
	function: string;
	filters: readonly TailFilter[];
	/** Whether it is to show what requests came with. */
	origins: boolean;
}

/** Puts lines and records together: a request's lines come first, and its record is the last of it. */
export class TailSession implements Watcher {
	readonly function: string;
	readonly origins: boolean;
	readonly #filters: readonly TailFilter[];
	readonly #lines = new Map<string, LogLine[]>();
	#letters = 0;
	readonly #onInvocation: (one: TailedInvocation) => void;

	constructor({ function: key, filters, origins }: TailSettings, onInvocation: (one: TailedInvocation) => void) {
		this.function = key;
		this.origins = origins;
		this.#filters = filters;
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

	onRecord(record: InvocationRecord, request: SeenRequest | null): void {
		const one = { record, lines: this.#take(record.requestId), request: this.origins ? request : null };
		if (passes(this.#filters, one)) this.#onInvocation(one);
	}

	#take(requestId: string): LogLine[] {
		const lines = this.#lines.get(requestId) ?? [];
		this.#lines.delete(requestId);
		for (const { message } of lines) this.#letters -= message.length;
		return lines;
	}
}
