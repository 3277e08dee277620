import { OUTCOMES } from "../../observe/record.ts";
import { FIELDS, type Field, isMeasured, LEVELS, nearest, unknownField } from "./fields.ts";
import { parseGrouping } from "./grouping-parser.ts";
import type { Comparison, Filter, Query } from "./query.ts";
import { Scanner } from "./scanner.ts";
import { EXPECTED, timeOf, valueIn } from "./values.ts";

/** How long a query may be, how deep its parentheses go, and of how many conditions it is. */
export const MOST_LETTERS = 4000;
const MOST_DEPTH = 30;
const MOST_CONDITIONS = 100;

const CONDITION = 'a condition, as outcome:exception, cpuMs>50 or "text"';

/** Reads a query. Throws QueryError where it makes no sense. */
export function parseQuery(text: string): Query {
	const scanner = new Scanner(text);
	if (text.length > MOST_LETTERS) scanner.fail(`the query's end: it may have ${MOST_LETTERS} letters`, MOST_LETTERS);
	const filter = new FilterParser(scanner).read();
	const grouping = scanner.take("|") ? parseGrouping(scanner) : null;
	return { filter, grouping };
}

/** Reads what stands before the bar. */
class FilterParser {
	readonly #scanner: Scanner;
	#depth = 0;
	#conditions = 0;

	constructor(scanner: Scanner) {
		this.#scanner = scanner;
	}

	read(): Filter | null {
		if (this.#isAtEnd()) return null;
		const filter = this.#either();
		if (this.#isAtEnd()) return filter;
		return this.#scanner.fail("no ) without a ( before it");
	}

	#isAtEnd(): boolean {
		return !this.#scanner.skipSpace() || this.#scanner.next === "|";
	}

	#either(): Filter {
		const parts = [this.#all()];
		while (this.#scanner.skipSpace() && this.#scanner.takeWord("OR")) parts.push(this.#all());
		return parts.length === 1 ? parts[0] : { kind: "or", parts };
	}

	#all(): Filter {
		const parts = [this.#one()];
		while (!this.#isAtEnd() && this.#scanner.next !== ")") {
			const began = this.#scanner.position;
			if (this.#scanner.takeWord("OR")) {
				this.#scanner.position = began;
				break;
			}
			this.#scanner.takeWord("AND");
			parts.push(this.#one());
		}
		return parts.length === 1 ? parts[0] : { kind: "and", parts };
	}

	#one(): Filter {
		const scanner = this.#scanner;
		scanner.skipSpace();
		if (scanner.takeWord("NOT") || scanner.take("-")) return { kind: "not", part: this.#deeper(() => this.#one()) };
		if (scanner.take("(")) {
			const began = scanner.position - 1;
			const filter = this.#deeper(() => this.#either());
			scanner.skipSpace();
			if (!scanner.take(")")) scanner.fail(`a ) for the ( at position ${began}`);
			return filter;
		}
		if (++this.#conditions > MOST_CONDITIONS) scanner.fail(`no more than ${MOST_CONDITIONS} conditions`);
		return this.#condition();
	}

	#deeper<Result>(read: () => Result): Result {
		if (++this.#depth > MOST_DEPTH) this.#scanner.fail(`no more than ${MOST_DEPTH} parentheses within one another`);
		const result = read();
		this.#depth--;
		return result;
	}

	#condition(): Filter {
		const scanner = this.#scanner;
		if (scanner.next === '"') return { kind: "text", text: this.#quotedText(), where: "anywhere" };
		const began = scanner.position;
		const compared = scanner.comparison();
		if (compared !== null) return this.#compared(compared.name, compared.comparison, began);
		const text = scanner.word();
		if (text === "" || text === "OR" || text === "AND") scanner.fail(CONDITION, began);
		return { kind: "text", text, where: "anywhere" };
	}

	#quotedText(): string {
		const began = this.#scanner.position;
		const text = this.#scanner.quoted();
		return text === "" ? this.#scanner.fail("a text that is not empty", began) : text;
	}

	#compared(name: string, sign: Comparison | ":", began: number): Filter {
		const scanner = this.#scanner;
		const comparison = sign === ":" ? "=" : sign;
		const field = FIELDS.get(name);
		if (field !== undefined) return this.#ofField(field, sign, comparison);
		const signAt = began + name.length;
		const valueAt = scanner.position;
		const only = (filter: Filter): Filter => {
			if (comparison === "!=") return { kind: "not", part: filter };
			return comparison === "=" ? filter : scanner.fail(`: or !=, which is what ${name} can be asked for by`, signAt);
		};
		switch (name) {
			case "time":
			case "since":
			case "until": {
				if (name !== "time" && comparison !== "=") scanner.fail(`: behind ${name}`, signAt);
				const time = timeOf(this.#value().text);
				if (time === null) return scanner.fail("a time, as 2h, 30m or 2026-11-30T10:00:00Z", valueAt);
				const sides = { time: comparison, since: ">=", until: "<" } as const;
				return { kind: "time", comparison: sides[name], time };
			}
			case "level": {
				const { text } = this.#value();
				const level = LEVELS.find((one) => one === text);
				if (level !== undefined) return only({ kind: "level", level });
				const near = nearest(text.slice(0, 20), LEVELS);
				return scanner.fail(near === null ? `a level: ${LEVELS.join(", ")}` : `the level ${near}`, valueAt);
			}
			case "message": {
				const { text } = this.#value();
				return only({ kind: "text", text: text === "" ? scanner.fail("a text", valueAt) : text, where: "message" });
			}
			case "exceeded": {
				const { text, isPrefix } = this.#value();
				const limit = isPrefix && text === "" ? "" : /^\w{1,40}$/.test(text) && !isPrefix ? text : null;
				if (limit === null) return scanner.fail("a limit, as cpuMs, or * for any", valueAt);
				return only({ kind: "exceeded", limit });
			}
			default:
				return scanner.fail(unknownField(name), began);
		}
	}

	#ofField(field: Field, sign: Comparison | ":", comparison: Comparison): Filter {
		const scanner = this.#scanner;
		const valueAt = scanner.position;
		if (!isMeasured(field) && field.kind === "boolean" && comparison !== "=" && comparison !== "!=")
			scanner.fail(`: or !=, which is what ${field.name} can be asked for by`, valueAt - sign.length);
		const { text, isPrefix: isWritten } = this.#value();
		// What lists show of a version is how its name begins.
		const isShort = field.name === "version" && /^[0-9a-f]{8}$/.test(text);
		const isPrefix = isWritten || (isShort && (comparison === "=" || comparison === "!="));
		if (isPrefix) {
			if (field.kind !== "text") return scanner.fail(`${EXPECTED[field.kind]}, and no *`, valueAt);
			const begins: Filter = { kind: "begins", field, prefix: text };
			if (comparison === "!=") return { kind: "not", part: begins };
			return comparison === "=" ? begins : scanner.fail("a value without *", valueAt);
		}
		if (field.name === "outcome" && !OUTCOMES.some((one) => one === text))
			return scanner.fail(`an outcome: ${OUTCOMES.join(", ")}; or its beginning and *`, valueAt);
		const value = valueIn(field.kind, text);
		if (value === null) return scanner.fail(EXPECTED[field.kind], valueAt);
		return { kind: "compare", field, comparison, value };
	}

	/** What stands behind a comparison: in quotes, or up to a space. A `*` at its end is a wildcard. */
	#value(): { text: string; isPrefix: boolean } {
		const scanner = this.#scanner;
		if (scanner.next === '"') {
			const text = scanner.quoted();
			return { text, isPrefix: scanner.take("*") };
		}
		const began = scanner.position;
		const word = scanner.word();
		if (word === "") scanner.fail("a value", began);
		return word.endsWith("*") ? { text: word.slice(0, -1), isPrefix: true } : { text: word, isPrefix: false };
	}
}
