import type { Scope, SeenRequest } from "../../feed/messages.ts";
import type { InvocationRecord, LogLine, SeenEvent } from "../../observe/record.ts";
import type { Count } from "../../units.ts";
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
	/** What the event was about that is no request. */
	event: SeenEvent | null;
}

/** Whom a tail shows it to. */
export interface TailReader {
	onInvocation(one: TailedInvocation): void;
	/** So many invocations were too many to be shown. */
	onLeftOut(count: Count): void;
	/** A line that belongs to no invocation. */
	onStray?(line: LogLine): void;
}

/** What a tail is to show. */
export interface TailSettings {
	scope: Scope;
	filters: readonly TailFilter[];
	/** Whether it is to show what requests came with. */
	origins: boolean;
}

/** Puts lines and records together: a request's lines come first, and its record is the last of it. */
export class TailSession implements Watcher {
	readonly scope: Scope;
	readonly origins: boolean;
	readonly #filters: readonly TailFilter[];
	readonly #lines = new Map<string, LogLine[]>();
	#letters = 0;
	readonly #reader: TailReader;

	constructor({ scope, filters, origins }: TailSettings, reader: TailReader) {
		this.scope = scope;
		this.origins = origins;
		this.#filters = filters;
		this.#reader = reader;
	}

	onLine(line: LogLine): void {
		const { requestId, message } = line;
		if (requestId === "") {
			this.#reader.onStray?.(line);
			return;
		}
		const lines = this.#lines.get(requestId) ?? [];
		if (lines.length === MOST_LINES) return;
		lines.push(line);
		this.#lines.set(requestId, lines);
		this.#letters += message.length;
		// What never gets its record is the oldest.
		while (this.#lines.size > MOST_OPEN || this.#letters > MOST_LETTERS)
			this.#take(this.#lines.keys().next().value as string);
	}

	onRecord(record: InvocationRecord, request: SeenRequest | null, event: SeenEvent | null): void {
		const one = { record, lines: this.#take(record.requestId), request: this.origins ? request : null, event };
		if (passes(this.#filters, one)) this.#reader.onInvocation(one);
	}

	onLeftOut(count: Count): void {
		this.#reader.onLeftOut(count);
	}

	#take(requestId: string): LogLine[] {
		const lines = this.#lines.get(requestId) ?? [];
		this.#lines.delete(requestId);
		for (const { message } of lines) this.#letters -= message.length;
		return lines;
	}
}
