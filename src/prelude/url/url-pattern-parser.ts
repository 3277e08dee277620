/** Pattern strings: https://urlpattern.spec.whatwg.org/#patterns */

type TokenType =
	| "open"
	| "close"
	| "regexp"
	| "name"
	| "char"
	| "escaped-char"
	| "other-modifier"
	| "asterisk"
	| "end"
	| "invalid-char";

export interface Token {
	type: TokenType;
	/** Where it stands in the pattern, in code units. */
	index: number;
	value: string;
}

const NAME_START = /^[\p{ID_Start}$_]$/u;
const NAME_PART = /^[\p{ID_Continue}$\u200c\u200d]$/u;
const SINGLE: Record<string, TokenType> = {
	"*": "asterisk",
	"+": "other-modifier",
	"?": "other-modifier",
	"{": "open",
	"}": "close",
};

function bad(what: string): TypeError {
	return new TypeError(`URLPattern: ${what}`);
}

/** https://urlpattern.spec.whatwg.org/#tokenize. Where it is not strict, what cannot be a token is an invalid-char. */
export function tokenize(input: string, strict: boolean): Token[] {
	const tokens: Token[] = [];
	let index = 0;
	const at = (position: number) =>
		position < input.length ? String.fromCodePoint(input.codePointAt(position) as number) : "";
	const push = (type: TokenType, end: number, from = index, to = end) => {
		tokens.push({ type, index, value: input.slice(from, to) });
		index = end;
	};
	const invalid = (end: number, what: string) => {
		if (strict) throw bad(what);
		push("invalid-char", end);
	};
	while (index < input.length) {
		const char = at(index);
		const after = index + char.length;
		if (Object.hasOwn(SINGLE, char)) push(SINGLE[char], after);
		else if (char === "\\") {
			if (after === input.length) invalid(after, "a backslash stands at the end");
			else push("escaped-char", after + at(after).length, after);
		} else if (char === ":") {
			let end = after;
			while (end < input.length && (end === after ? NAME_START : NAME_PART).test(at(end))) end += at(end).length;
			if (end === after) invalid(after, "a colon without a name");
			else push("name", end, after);
		} else if (char === "(") {
			const end = regexpEnd(input, after, at);
			if (typeof end === "string") invalid(after, end);
			else push("regexp", end + 1, after, end);
		} else push("char", after);
	}
	tokens.push({ type: "end", index, value: "" });
	return tokens;
}

/** Where the parenthesis that closes a regular expression stands, or why there is none. */
function regexpEnd(input: string, start: number, at: (position: number) => string): number | string {
	let depth = 1;
	for (let position = start; position < input.length; position += at(position).length) {
		const char = at(position);
		if (char.charCodeAt(0) > 0x7f) return "a regular expression is not ASCII";
		if (position === start && char === "?") return "a regular expression begins with a question mark";
		if (char === "\\") {
			position++;
			if (position === input.length || (at(position).codePointAt(0) as number) > 0x7f)
				return "a regular expression escapes what cannot be escaped";
		} else if (char === ")") {
			depth--;
			if (depth === 0) return position === start ? "a regular expression is empty" : position;
		} else if (char === "(") {
			depth++;
			if (at(position + 1) !== "?") return "a regular expression holds a capturing group";
		}
	}
	return "a regular expression is not closed";
}

type Modifier = "" | "?" | "*" | "+";

interface Part {
	type: "fixed-text" | "regexp" | "segment-wildcard" | "full-wildcard";
	value: string;
	modifier: Modifier;
	name: string;
	prefix: string;
	suffix: string;
}

/** What a component's pattern depends on: https://urlpattern.spec.whatwg.org/#options */
export interface PatternOptions {
	delimiter: string;
	prefix: string;
	ignoreCase: boolean;
}

const FULL_WILDCARD = ".*";

const escapeRegExp = (text: string) => text.replace(/[.+*?^${}()[\]|/\\]/g, "\\$&");
const escapePattern = (text: string) => text.replace(/[+*?:{}()\\]/g, "\\$&");
const segmentWildcard = ({ delimiter }: PatternOptions) => `[^${escapeRegExp(delimiter)}]+?`;

/**
 * https://urlpattern.spec.whatwg.org/#parse-a-pattern-string: `encode` brings fixed text into its component's normal
 * form.
 */
function parsePattern(input: string, options: PatternOptions, encode: (text: string) => string): Part[] {
	const tokens = tokenize(input, true);
	const segment = segmentWildcard(options);
	const parts: Part[] = [];
	const names = new Set<string>();
	let index = 0;
	let nextName = 0;
	let pending = "";

	const take = (...types: TokenType[]): Token | null => (types.includes(tokens[index].type) ? tokens[index++] : null);
	const takeRegexpOrWildcard = (name: Token | null) => take("regexp") ?? (name === null ? take("asterisk") : null);
	const takeModifier = (): Modifier => ((take("other-modifier") ?? take("asterisk"))?.value ?? "") as Modifier;
	const flush = () => {
		if (pending === "") return;
		parts.push({ type: "fixed-text", value: encode(pending), modifier: "", name: "", prefix: "", suffix: "" });
		pending = "";
	};
	const add = (prefix: string, name: Token | null, wildcard: Token | null, suffix: string, modifier: Modifier) => {
		if (name === null && wildcard === null && modifier === "") {
			pending += prefix;
			return;
		}
		flush();
		if (name === null && wildcard === null) {
			if (prefix !== "")
				parts.push({ type: "fixed-text", value: encode(prefix), modifier, name: "", prefix: "", suffix: "" });
			return;
		}
		let value = wildcard === null ? segment : wildcard.type === "asterisk" ? FULL_WILDCARD : wildcard.value;
		let type: Part["type"] = "regexp";
		if (value === segment) [type, value] = ["segment-wildcard", ""];
		else if (value === FULL_WILDCARD) [type, value] = ["full-wildcard", ""];
		const called = name?.value ?? String(nextName++);
		if (names.has(called)) throw bad(`the name ${called} stands twice`);
		names.add(called);
		parts.push({ type, value, modifier, name: called, prefix: encode(prefix), suffix: encode(suffix) });
	};
	const takeText = () => {
		let text = "";
		for (let token = take("char", "escaped-char"); token !== null; token = take("char", "escaped-char"))
			text += token.value;
		return text;
	};

	while (index < tokens.length) {
		const char = take("char");
		let name = take("name");
		let wildcard = takeRegexpOrWildcard(name);
		if (name !== null || wildcard !== null) {
			let prefix = char?.value ?? "";
			if (prefix !== "" && prefix !== options.prefix) {
				pending += prefix;
				prefix = "";
			}
			flush();
			add(prefix, name, wildcard, "", takeModifier());
			continue;
		}
		const fixed = char ?? take("escaped-char");
		if (fixed !== null) {
			pending += fixed.value;
			continue;
		}
		if (take("open") !== null) {
			const prefix = takeText();
			name = take("name");
			wildcard = takeRegexpOrWildcard(name);
			const suffix = takeText();
			if (take("close") === null) throw bad("a group is not closed");
			add(prefix, name, wildcard, suffix, takeModifier());
			continue;
		}
		flush();
		if (take("end") === null) throw bad(`${JSON.stringify(tokens[index].value)} stands where it cannot`);
	}
	return parts;
}

/** https://urlpattern.spec.whatwg.org/#generate-a-regular-expression-and-name-list */
function toRegExp(parts: Part[], options: PatternOptions): { regexp: RegExp; names: string[] } {
	let source = "^";
	const names: string[] = [];
	for (const { type, value, modifier, name, prefix, suffix } of parts) {
		if (type === "fixed-text") {
			source += modifier === "" ? escapeRegExp(value) : `(?:${escapeRegExp(value)})${modifier}`;
			continue;
		}
		names.push(name);
		const inner =
			type === "segment-wildcard" ? segmentWildcard(options) : type === "full-wildcard" ? FULL_WILDCARD : value;
		const [before, after] = [escapeRegExp(prefix), escapeRegExp(suffix)];
		if (prefix === "" && suffix === "") {
			source += modifier === "" || modifier === "?" ? `(${inner})${modifier}` : `((?:${inner})${modifier})`;
		} else if (modifier === "" || modifier === "?") source += `(?:${before}(${inner})${after})${modifier}`;
		else {
			const repeated = `(?:${before}((?:${inner})(?:${after}${before}(?:${inner}))*)${after})`;
			source += modifier === "*" ? `${repeated}?` : repeated;
		}
	}
	try {
		return { regexp: new RegExp(`${source}$`, options.ignoreCase ? "vi" : "v"), names };
	} catch {
		throw bad("a regular expression is not valid");
	}
}

/** https://urlpattern.spec.whatwg.org/#generate-a-pattern-string */
function toPatternString(parts: Part[], options: PatternOptions): string {
	let text = "";
	for (const [i, part] of parts.entries()) {
		const { type, value, modifier, name, prefix, suffix } = part;
		if (type === "fixed-text") {
			text += modifier === "" ? escapePattern(value) : `{${escapePattern(value)}}${modifier}`;
			continue;
		}
		const next = parts[i + 1] as Part | undefined;
		const previous = parts[i - 1] as Part | undefined;
		const customName = !/^\d/.test(name);
		let grouped = suffix !== "" || (prefix !== "" && prefix !== options.prefix);
		if (
			!grouped &&
			customName &&
			type === "segment-wildcard" &&
			modifier === "" &&
			next !== undefined &&
			next.prefix === "" &&
			next.suffix === ""
		) {
			grouped = next.type === "fixed-text" ? NAME_PART.test(firstCodePoint(next.value)) : /^\d/.test(next.name);
		}
		if (
			!grouped &&
			prefix === "" &&
			previous?.type === "fixed-text" &&
			previous.value.endsWith(options.prefix) &&
			options.prefix !== ""
		)
			grouped = true;
		if (grouped) text += "{";
		text += escapePattern(prefix);
		if (customName) text += `:${name}`;
		if (type === "regexp") text += `(${value})`;
		else if (type === "segment-wildcard" && !customName) text += `(${segmentWildcard(options)})`;
		else if (type === "full-wildcard") {
			const bare =
				!customName &&
				(previous === undefined ||
					previous.type === "fixed-text" ||
					previous.modifier !== "" ||
					grouped ||
					prefix !== "");
			text += bare ? "*" : `(${FULL_WILDCARD})`;
		}
		if (type === "segment-wildcard" && customName && suffix !== "" && NAME_PART.test(firstCodePoint(suffix)))
			text += "\\";
		text += escapePattern(suffix);
		if (grouped) text += "}";
		text += modifier;
	}
	return text;
}

const firstCodePoint = (text: string) => (text === "" ? "" : String.fromCodePoint(text.codePointAt(0) as number));

/** A component of a URLPattern, ready to match: https://urlpattern.spec.whatwg.org/#component */
export interface Component {
	pattern: string;
	regexp: RegExp;
	names: string[];
	hasRegExpGroups: boolean;
}

/** https://urlpattern.spec.whatwg.org/#compile-a-component */
export function compileComponent(input: string, encode: (text: string) => string, options: PatternOptions): Component {
	const parts = parsePattern(input, options, encode);
	return {
		pattern: toPatternString(parts, options),
		...toRegExp(parts, options),
		hasRegExpGroups: parts.some(({ type }) => type === "regexp"),
	};
}
