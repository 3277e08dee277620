import type { Comparison } from "./query.ts";
import { QueryError } from "./query-error.ts";

const COMPARISONS = ["!=", "<=", ">=", ":", "=", "<", ">"] as const;

const isSpace = (letter: string) => letter === " " || letter === "\t" || letter === "\n" || letter === "\r";
/** What ends a word that is not in quotes. */
const isEnd = (letter: string) =>
	isSpace(letter) || letter === "(" || letter === ")" || letter === "|" || letter === '"';
const isName = (letter: string) =>
	(letter >= "a" && letter <= "z") || (letter >= "A" && letter <= "Z") || (letter >= "0" && letter <= "9");

/** Reads a query from its first letter to its last, each of them once or twice. */
export class Scanner {
	readonly #text: string;
	position = 0;

	constructor(text: string) {
		this.#text = text;
	}

	/** Goes on to what comes next; `false` at the end. */
	skipSpace(): boolean {
		while (this.position < this.#text.length && isSpace(this.#text[this.position])) this.position++;
		return this.position < this.#text.length;
	}

	/** The letter that comes next; empty at the end. */
	get next(): string {
		return this.#text[this.position] ?? "";
	}

	/** Whether this comes next, which is passed then. */
	take(sign: string): boolean {
		if (!this.#text.startsWith(sign, this.position)) return false;
		this.position += sign.length;
		return true;
	}

	/** The same of a word, of which more does not follow; of `OR` and its like the letters' case counts. */
	takeWord(word: string): boolean {
		const after = this.#text[this.position + word.length] ?? " ";
		return isEnd(after) && this.take(word);
	}

	/** A name, as of a field, with the comparison behind it; `null`, with nothing passed, where there is none. */
	comparison(): { name: string; comparison: Comparison | ":" } | null {
		const began = this.position;
		const name = this.name();
		if (name !== "") for (const comparison of COMPARISONS) if (this.take(comparison)) return { name, comparison };
		this.position = began;
		return null;
	}

	/** Letters and digits; empty where none comes next. */
	name(): string {
		const began = this.position;
		while (isName(this.next)) this.position++;
		return this.#text.slice(began, this.position);
	}

	/** What stands up to a space, a parenthesis or a bar; empty where that comes next. */
	word(): string {
		const began = this.position;
		while (this.position < this.#text.length && !isEnd(this.#text[this.position])) this.position++;
		return this.#text.slice(began, this.position);
	}

	/** What stands in quotes, in which `\"` and `\\` are a quote and a backslash. The first quote comes next. */
	quoted(): string {
		const began = this.position++;
		let text = "";
		let from = this.position;
		for (; this.position < this.#text.length; this.position++) {
			const letter = this.#text[this.position];
			if (letter === '"') return text + this.#text.slice(from, this.position++);
			if (letter !== "\\") continue;
			const escaped = this.#text[this.position + 1];
			if (escaped !== '"' && escaped !== "\\") continue;
			text += this.#text.slice(from, this.position);
			from = ++this.position;
		}
		throw new QueryError(began, 'a second " that ends the text');
	}

	/** Throws QueryError: this should come next. */
	fail(expected: string, position = this.position): never {
		throw new QueryError(position, expected);
	}
}
