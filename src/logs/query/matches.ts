import type { InvocationRecord, LogLine } from "../../observe/record.ts";
import type { Count, EpochMs } from "../../units.ts";
import type { LogEntry } from "../calls.ts";
import type { Field } from "./fields.ts";
import type { Comparison, Filter } from "./query.ts";
import { momentOf, searched } from "./values.ts";

/** What a filter asks of an entry that has just come. */
export class Matcher {
	readonly #filter: Filter | null;
	/** How many letters of texts are looked for in each letter of what was logged. */
	readonly letters: Count;
	readonly conditions: Count;

	constructor(filter: Filter | null) {
		this.#filter = filter;
		const leaves = filter === null ? [] : [...leavesOf(filter)];
		this.letters = leaves.reduce((sum, leaf) => sum + (leaf.kind === "text" ? leaf.text.length : 0), 0);
		this.conditions = leaves.length;
	}

	/** Whether an entry is one of those that are asked for. What it does not have is not so. */
	matches(entry: LogEntry, now: EpochMs): boolean {
		return this.#filter === null || holds(this.#filter, new Read(entry, now));
	}
}

type Value = string | number | boolean;

/** An entry, whose texts are made small once. */
class Read {
	readonly entry: LogEntry;
	readonly now: EpochMs;
	#messages: string[] | null = null;
	#url: string | null = null;

	constructor(entry: LogEntry, now: EpochMs) {
		this.entry = entry;
		this.now = now;
	}

	get messages(): string[] {
		this.#messages ??= this.entry.lines.map(({ message }) => searched(message));
		return this.#messages;
	}

	get url(): string {
		this.#url ??= searched(this.entry.record?.url ?? "");
		return this.#url;
	}

	value({ name }: Field): string | number | undefined {
		const { record, lines } = this.entry;
		const value = (record?.[name as keyof InvocationRecord] ?? lines[0]?.[name as keyof LogLine]) as Value | undefined;
		return typeof value === "boolean" ? Number(value) : value;
	}
}

function holds(filter: Filter, read: Read): boolean {
	switch (filter.kind) {
		case "and":
			return filter.parts.every((part) => holds(part, read));
		case "or":
			return filter.parts.some((part) => holds(part, read));
		case "not":
			return !holds(filter.part, read);
		case "text": {
			const text = searched(filter.text);
			if (filter.where === "anywhere" && read.url.includes(text)) return true;
			return read.messages.some((message) => message.includes(text));
		}
		case "compare": {
			const value = read.value(filter.field);
			return value !== undefined && compares(value, filter.comparison, filter.value);
		}
		case "begins": {
			const value = String(read.value(filter.field) ?? "");
			return filter.prefix === "" ? value !== "" : value.startsWith(filter.prefix);
		}
		case "exceeded": {
			const exceeded = read.entry.record?.exceeded ?? {};
			return filter.limit === "" ? Object.keys(exceeded).length > 0 : Object.hasOwn(exceeded, filter.limit);
		}
		case "level":
			return read.entry.lines.some(({ level }) => level === filter.level);
		case "time":
			return compares(read.entry.time, filter.comparison, momentOf(filter.time, read.now));
	}
}

function compares(value: string | number, comparison: Comparison, other: string | number): boolean {
	switch (comparison) {
		case "=":
			return value === other;
		case "!=":
			return value !== other;
		case "<":
			return value < other;
		case "<=":
			return value <= other;
		case ">":
			return value > other;
		case ">=":
			return value >= other;
	}
}

function* leavesOf(filter: Filter): Generator<Filter> {
	if (filter.kind === "and" || filter.kind === "or") for (const part of filter.parts) yield* leavesOf(part);
	else if (filter.kind === "not") yield* leavesOf(filter.part);
	else yield filter;
}
