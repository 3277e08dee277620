import { Refused } from "../../../stores/store.ts";

/** A word, a name in quotes, a number, a text, or a mark. */
export interface Token {
	kind: "word" | "name" | "number" | "text" | "mark" | "end";
	text: string;
	at: number;
}

const MOST_LETTERS = 10_000;
const MOST_TOKENS = 2000;
const SPACE = /(?:\s+|--[^\n]*|\/\*[^*]*\*\/)+/y;
const KINDS: [Token["kind"], RegExp][] = [
	["word", /[A-Za-z_]\w*/y],
	["number", /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y],
	["text", /'(?:[^'\\]|''|\\.)*'/y],
	["name", /"[^"]+"|`[^`]+`/y],
	["mark", /<=|>=|<>|!=|[-+*/%=<>(),;]/y],
];

/** The tokens of a query. Throws Refused for what is none. */
export function tokensOf(sql: string): Token[] {
	if (sql.length > MOST_LETTERS) throw new Refused(`400 a query has up to ${MOST_LETTERS} letters`);
	const tokens: Token[] = [];
	for (let at = 0; ; ) {
		SPACE.lastIndex = at;
		if (SPACE.test(sql)) at = SPACE.lastIndex;
		if (at >= sql.length) break;
		const token = tokenAt(sql, at);
		if (tokens.push(token) > MOST_TOKENS) throw new Refused(`400 a query has up to ${MOST_TOKENS} words and marks`);
		at += token.text.length;
	}
	return [...tokens, { kind: "end", text: "", at: sql.length }];
}

function tokenAt(sql: string, at: number): Token {
	for (const [kind, pattern] of KINDS) {
		pattern.lastIndex = at;
		const [text] = pattern.exec(sql) ?? [];
		if (text !== undefined) return { kind, text, at };
	}
	throw new Refused(`400 the query cannot be read at ${JSON.stringify(sql.slice(at, at + 20))}`);
}

/** What a text in quotes says. */
export function unquoted(text: string): string {
	return text.slice(1, -1).replace(/''|\\(.)/gs, (found, escaped: string | undefined) => {
		if (found === "''") return "'";
		return { n: "\n", t: "\t", r: "\r", 0: "\0" }[escaped as string] ?? (escaped as string);
	});
}
