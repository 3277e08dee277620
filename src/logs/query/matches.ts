import type { EpochMs, LogEntry } from "../calls.ts";
import type { Field } from "./fields.ts";
import type { Comparison, Filter } from "./query.ts";

/** What a filter asks of an entry that has just come. */
export class Matcher {
	readonly #filter: Filter | null;
	/** How many letters of texts are looked for in each letter of what was logged. */
	readonly weight: number;

	constructor(filter: Filter | null) {
		this.#filter = filter;
		this.weight = filter === null ? 0 : weightOf(filter);
	}

	/** Whether an entry is one of those that are asked for. What it does not have is not so. */
	matches(entry: LogEntry, now: EpochMs): boolean {
		return this.#filter === null || holds(this.#filter, new Read(entry, now));
	}
}

/** An entry, whose texts are made small once. */
class Read {
	readonly entry: LogEntry;
	readonly now: EpochMs;
	#messages: string[] | null = null;

	constructor(entry: LogEntry, now: EpochMs) {
		this.entry = entry;
		this.now = now;
	}

	get messages(): string[] {
		this.#messages ??= this.entry.lines.map(({ message }) => small(message));
		return this.#messages;
	}

	value({ name }: Field): string | number | undefined {
		const { record, lines } = this.entry;
		const value = { ...lines[0], ...record }[name as keyof typeof record] as string | number | boolean | undefined;
		return typeof value === "boolean" ? Number(value) : value;
	}
}

/** Upper and lower case of ASCII are one, as in the log. */
const small = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

function holds(filter: Filter, read: Read): boolean {
	switch (filter.kind) {
		case "and":
			return filter.parts.every((part) => holds(part, read));
		case "or":
			return filter.parts.some((part) => holds(part, read));
		case "not":
			return !holds(filter.part, read);
		case "text": {
			const text = small(filter.text);
			const { record } = read.entry;
			if (filter.where === "anywhere" && record !== null && small(record.url).includes(text)) return true;
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
			return compares(
				read.entry.time,
				filter.comparison,
				"ago" in filter.time ? read.now - filter.time.ago : filter.time.at,
			);
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

function weightOf(filter: Filter): number {
	if (filter.kind === "and" || filter.kind === "or") return filter.parts.reduce((sum, part) => sum + weightOf(part), 0);
	if (filter.kind === "not") return weightOf(filter.part);
	return filter.kind === "text" ? filter.text.length : 0;
}
