import { Refused } from "../../../stores/store.ts";
import type { AnalyticsResult } from "../calls.ts";
import { type Token, tokensOf, unquoted } from "./tokens.ts";

/** An expression, as it is written. */
export type Expression =
	| { kind: "number"; value: number; isWhole: boolean }
	| { kind: "text"; value: string }
	| { kind: "interval"; amount: number; unit: string }
	| { kind: "column"; name: string }
	| { kind: "call"; name: string; parameters: Expression[]; args: Expression[]; distinct: boolean }
	| { kind: "in"; value: Expression; among: Expression[] };

/** A column of the result. */
export interface Selected {
	expression: Expression;
	name: string;
}

/** A query, taken apart. */
export interface Query {
	/** `null` for all columns. */
	selected: Selected[] | null;
	dataset: string | null;
	where: Expression | null;
	groupBy: Expression[];
	having: Expression | null;
	orderBy: { expression: Expression; descending: boolean }[];
	limit: number | null;
	offset: number;
	format: AnalyticsResult["format"];
}

const MOST_DEPTH = 40;
const FORMATS: AnalyticsResult["format"][] = ["JSON", "JSONEachRow", "TabSeparated"];
const UNITS = ["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];
/** Words that end an expression. */
const RESERVED = new Set(
	"SELECT FROM WHERE GROUP ORDER HAVING LIMIT OFFSET FORMAT BY AS ASC DESC AND OR NOT IN LIKE ILIKE BETWEEN DISTINCT".split(
		" ",
	),
);
const COMPARISONS = ["=", "<>", "!=", "<=", ">=", "<", ">"];

/** Reads a query: https://developers.cloudflare.com/analytics/analytics-engine/sql-reference/. Throws Refused where it cannot. */
export function parse(sql: string): Query | { tables: true; format: AnalyticsResult["format"] } {
	return new Parser(tokensOf(sql)).query();
}

class Parser {
	readonly #tokens: Token[];
	#next = 0;
	#depth = 0;

	constructor(tokens: Token[]) {
		this.#tokens = tokens;
	}

	query(): ReturnType<typeof parse> {
		if (this.#word("SHOW")) {
			this.#expect("TABLES");
			return { tables: true, format: this.#format() };
		}
		this.#expect("SELECT");
		if (this.#is("DISTINCT")) throw new Refused("400 SELECT DISTINCT: use GROUP BY");
		const selected = this.#mark("*") ? null : this.#list(() => this.#selected());
		const dataset = this.#word("FROM") ? this.#dataset() : null;
		const where = this.#word("WHERE") ? this.#expression() : null;
		const groupBy = this.#by("GROUP") ? this.#list(() => this.#expression()) : [];
		const having = this.#word("HAVING") ? this.#expression() : null;
		const orderBy = this.#by("ORDER") ? this.#list(() => this.#order()) : [];
		const limit = this.#word("LIMIT") && !this.#word("ALL") ? this.#whole() : null;
		const offset = this.#word("OFFSET") ? this.#whole() : 0;
		return { selected, dataset, where, groupBy, having, orderBy, limit, offset, format: this.#format() };
	}

	get #token(): Token {
		return this.#tokens[this.#next];
	}

	#is(word: string): boolean {
		return this.#token.kind === "word" && this.#token.text.toUpperCase() === word;
	}

	#word(word: string): boolean {
		const found = this.#is(word);
		if (found) this.#next++;
		return found;
	}

	#mark(...marks: string[]): string | null {
		const { kind, text } = this.#token;
		if (kind !== "mark" || !marks.includes(text)) return null;
		this.#next++;
		return text;
	}

	#expect(what: string): void {
		if (!this.#word(what) && this.#mark(what) === null) throw this.#unexpected(`${what} was expected`);
	}

	#unexpected(why: string): Refused {
		const { kind, text } = this.#token;
		return new Refused(`400 ${why} at ${kind === "end" ? "the query's end" : JSON.stringify(text.slice(0, 50))}`);
	}

	#list<T>(item: () => T): T[] {
		const list = [item()];
		while (this.#mark(",")) list.push(item());
		return list;
	}

	#by(word: string): boolean {
		if (!this.#word(word)) return false;
		this.#expect("BY");
		return true;
	}

	#format(): AnalyticsResult["format"] {
		let format: AnalyticsResult["format"] = "JSON";
		if (this.#word("FORMAT")) {
			const given = FORMATS.find((one) => this.#word(one.toUpperCase()));
			if (given === undefined) throw this.#unexpected(`one of ${FORMATS.join(", ")} was expected`);
			format = given;
		}
		this.#mark(";");
		if (this.#token.kind !== "end") throw this.#unexpected("the query's end was expected");
		return format;
	}

	#whole(): number {
		const { kind, text } = this.#token;
		if (kind !== "number" || !/^\d{1,9}$/.test(text)) throw this.#unexpected("a whole number was expected");
		this.#next++;
		return Number(text);
	}

	#name(): string {
		const { kind, text } = this.#token;
		if (kind === "name") {
			this.#next++;
			return text.slice(1, -1);
		}
		if (kind !== "word" || RESERVED.has(text.toUpperCase())) throw this.#unexpected("a name was expected");
		this.#next++;
		return text;
	}

	#dataset(): string {
		if (this.#token.text === "(") throw new Refused("400 FROM (SELECT …): queries within queries are not there yet");
		if (this.#token.kind !== "text") return this.#name();
		this.#next++;
		return unquoted(this.#tokens[this.#next - 1].text);
	}

	#selected(): Selected {
		const from = this.#next;
		const expression = this.#expression();
		const written = this.#tokens.slice(from, this.#next).map(({ text }) => text);
		const isNamed = this.#word("AS") || (this.#token.kind === "word" && !RESERVED.has(this.#token.text.toUpperCase()));
		return {
			expression,
			name: isNamed ? this.#name() : expression.kind === "column" ? expression.name : written.join(""),
		};
	}

	#order(): Query["orderBy"][number] {
		const expression = this.#expression();
		const descending = this.#word("DESC");
		if (!descending) this.#word("ASC");
		return { expression, descending };
	}

	#expression(): Expression {
		if (++this.#depth > MOST_DEPTH) throw new Refused("400 the query's expressions are too deep");
		const expression = this.#chain(["OR"], () => this.#chain(["AND"], () => this.#negated()));
		this.#depth--;
		return expression;
	}

	#chain(words: string[], part: () => Expression): Expression {
		let left = part();
		for (;;) {
			const word = words.find((one) => this.#word(one));
			if (word === undefined) return left;
			left = call(word, left, part());
		}
	}

	#negated(): Expression {
		let count = 0;
		while (this.#word("NOT")) count++;
		const compared = this.#compared();
		return count % 2 === 1 ? call("NOT", compared) : compared;
	}

	#compared(): Expression {
		const left = this.#sum();
		const mark = this.#mark(...COMPARISONS);
		if (mark !== null) return call(mark === "!=" ? "<>" : mark, left, this.#sum());
		const isNegated = this.#word("NOT");
		const test = this.#test(left);
		if (test === null) {
			if (isNegated) throw this.#unexpected("IN, LIKE, ILIKE or BETWEEN was expected");
			return left;
		}
		return isNegated ? call("NOT", test) : test;
	}

	#test(left: Expression): Expression | null {
		if (this.#word("IN")) {
			this.#expect("(");
			const among = this.#list(() => this.#expression());
			this.#expect(")");
			return { kind: "in", value: left, among };
		}
		if (this.#word("BETWEEN")) {
			const from = this.#sum();
			this.#expect("AND");
			return call("AND", call(">=", left, from), call("<=", left, this.#sum()));
		}
		for (const word of ["LIKE", "ILIKE"]) if (this.#word(word)) return call(word, left, this.#sum());
		return null;
	}

	#sum(): Expression {
		return this.#marks(["+", "-"], () => this.#marks(["*", "/", "%"], () => this.#unary()));
	}

	#marks(marks: string[], part: () => Expression): Expression {
		let left = part();
		for (;;) {
			const mark = this.#mark(...marks);
			if (mark === null) return left;
			left = call(mark, left, part());
		}
	}

	#unary(): Expression {
		let count = 0;
		while (this.#mark("-")) count++;
		const primary = this.#primary();
		if (count % 2 === 0) return primary;
		return primary.kind === "number" ? { ...primary, value: -primary.value } : call("negate", primary);
	}

	#primary(): Expression {
		const { kind, text } = this.#token;
		if (kind === "number") {
			this.#next++;
			return { kind, value: Number(text), isWhole: /^\d+$/.test(text) };
		}
		if (kind === "text") {
			this.#next++;
			return { kind, value: unquoted(text) };
		}
		if (this.#mark("(")) {
			const inner = this.#expression();
			this.#expect(")");
			return inner;
		}
		if (this.#word("INTERVAL")) return this.#interval();
		for (const [word, value] of [
			["TRUE", 1],
			["FALSE", 0],
		] as const)
			if (this.#word(word)) return { kind: "number", value, isWhole: true };
		const name = this.#name();
		if (kind === "name" || this.#token.text !== "(") return { kind: "column", name };
		return this.#called(name);
	}

	#called(name: string): Expression {
		const first = this.#args();
		if (this.#token.text === "(") return { kind: "call", name, parameters: first.args, ...this.#args() };
		return { kind: "call", name, parameters: [], ...first };
	}

	#args(): { args: Expression[]; distinct: boolean } {
		this.#expect("(");
		if (this.#mark(")") !== null) return { args: [], distinct: false };
		if (this.#mark("*") !== null) {
			this.#expect(")");
			return { args: [], distinct: false };
		}
		const distinct = this.#word("DISTINCT");
		const args = this.#list(() => this.#expression());
		this.#expect(")");
		return { args, distinct };
	}

	#interval(): Expression {
		const { kind, text } = this.#token;
		const amount = kind === "text" ? unquoted(text) : kind === "number" ? text : "";
		if (!/^\d{1,9}$/.test(amount)) throw this.#unexpected("an interval like '1' DAY was expected");
		this.#next++;
		const unit = UNITS.find((one) => this.#word(one));
		if (unit === undefined) throw this.#unexpected(`one of ${UNITS.join(", ")} was expected`);
		return { kind: "interval", amount: Number(amount), unit };
	}
}

function call(name: string, ...args: Expression[]): Expression {
	return { kind: "call", name, parameters: [], args, distinct: false };
}
