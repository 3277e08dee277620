import { apply, kept, keptGetter, type Method } from "./kept.ts";

// RegExp's methods, and String's that take one, all look up `exec` and other properties; `exec` itself looks up
// nothing.
const exec = kept(RegExp.prototype, "exec") as (this: RegExp, text: string) => RegExpExecArray | null;

const isGlobal = keptGetter(RegExp.prototype, "global") as (this: RegExp) => boolean;
const slice = kept(String.prototype, "slice") as (this: string, from: number, to?: number) => string;
const KeptRegExp = RegExp;

function isRegExp(value: unknown): value is RegExp {
	return typeof value === "object" && value !== null && value instanceof KeptRegExp;
}

/** All matches of a global expression, or the first of another. */
function matches(text: string, expression: RegExp): RegExpExecArray[] {
	const found: RegExpExecArray[] = [];
	const global = apply(isGlobal, expression, []);
	if (global) expression.lastIndex = 0;
	for (;;) {
		const match = apply(exec, expression, [text]);
		if (match === null) return found;
		found[found.length] = match;
		if (!global) return found;
		if (match[0] === "") expression.lastIndex++;
	}
}

/** https://tc39.es/ecma262/#sec-getsubstitution, of which the prelude uses `$1` and `$&`. */
function substitute(template: string, match: RegExpExecArray): string {
	let text = "";
	for (let i = 0; i < template.length; i++) {
		const next = template[i] === "$" ? template[i + 1] : "";
		if (next === "&") text += match[0];
		else if (next >= "1" && next <= "9") text += match[next as unknown as number] ?? "";
		else {
			text += template[i];
			continue;
		}
		i++;
	}
	return text;
}

function replace(text: string, expression: RegExp, replacement: string | Method): string {
	let result = "";
	let from = 0;
	const found = matches(text, expression);
	for (let i = 0; i < found.length; i++) {
		const match = found[i];
		result += apply(slice, text, [from, match.index]);
		if (typeof replacement === "string") result += substitute(replacement, match);
		else {
			const args: unknown[] = [];
			for (let group = 0; group < match.length; group++) args[group] = match[group];
			args[args.length] = match.index;
			args[args.length] = text;
			result += apply(replacement, undefined, args);
		}
		from = match.index + match[0].length;
	}
	return result + apply(slice, text, [from]);
}

function split(text: string, expression: RegExp): (string | undefined)[] {
	const parts: (string | undefined)[] = [];
	let from = 0;
	const found = matches(text, new KeptRegExp(expression, "g"));
	for (let i = 0; i < found.length; i++) {
		const { 0: whole, index, length } = found[i];
		if (whole === "" && (index === from || index === text.length)) continue;
		parts[parts.length] = apply(slice, text, [from, index]);
		for (let group = 1; group < length; group++) parts[parts.length] = found[i][group];
		from = index + whole.length;
	}
	parts[parts.length] = apply(slice, text, [from]);
	return parts;
}

/** `expression.test(…)`, which looks up `exec`: to see whether that was replaced takes longer than to call it. */
export function regExpTest(this: RegExp, text: string): boolean {
	return apply(exec, this, [text]) !== null;
}

type ByExpression = (text: string, expression: RegExp, extra: string | Method) => unknown;

function match(text: string, expression: RegExp): unknown {
	const found = matches(text, expression);
	if (!apply(isGlobal, expression, [])) return found[0] ?? null;
	for (let i = 0; i < found.length; i++) (found as unknown[])[i] = found[i][0];
	return found.length === 0 ? null : found;
}

const search: ByExpression = (text, expression) => apply(exec, expression, [text])?.index ?? -1;

/** A method of strings that goes by `special` where it is given an expression. */
function forExpressions(special: ByExpression): (method: Method) => Method {
	return (method) =>
		function (pattern, extra) {
			return isRegExp(pattern) ? special(this as string, pattern, extra) : apply(method, this, [pattern, extra]);
		};
}

/** `String.prototype`'s methods that take an expression, made of what they are for anything else. */
export const STRING_METHODS: Record<string, (method: Method) => Method> = {
	match: forExpressions(match),
	matchAll: forExpressions(matches),
	replace: forExpressions(replace),
	replaceAll: forExpressions(replace),
	search: forExpressions(search),
	split: forExpressions(split),
};
