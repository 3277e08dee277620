import { Refused } from "../../../stores/store.ts";
import { checkTypes, FUNCTIONS, joined } from "./functions.ts";
import type { Expression } from "./parser.ts";
import {
	type Compiled,
	type Interval,
	isLike,
	isNumeric,
	shifted,
	startOf,
	type Type,
	timeOf,
	timeText,
	type Value,
} from "./values.ts";

type Call = Extract<Expression, { kind: "call" }>;

/** What expressions may name. */
export interface Scope<Of> {
	/** What a query calls now, in seconds since 1970. */
	now: number;
	/** An expression that is there already, such as a group's key; `null` for what is to be put together. */
	known(expression: Expression): Compiled<Of> | null;
	/** Throws Refused for a column that is not there. */
	column(name: string): Compiled<Of>;
	/** Counts letters that are looked at. Throws Refused where a point has had too many looked at. */
	spend(letters: number): void;
}

const MOST_PATTERN = 200;
const COMPARE: Record<string, (left: Value, right: Value) => boolean> = {
	"=": (left, right) => left === right,
	"<>": (left, right) => left !== right,
	"<": (left, right) => left < right,
	">": (left, right) => left > right,
	"<=": (left, right) => left <= right,
	">=": (left, right) => left >= right,
};
const COMPUTE: Record<string, (left: number, right: number) => number> = {
	"+": (left, right) => left + right,
	"-": (left, right) => left - right,
	"*": (left, right) => left * right,
	"/": (left, right) => left / right,
	"%": (left, right) => left % right,
};

/** Makes an expression ready to be evaluated. Throws Refused for what makes no sense. */
export function compile<Of>(expression: Expression, scope: Scope<Of>): Compiled<Of> {
	const known = scope.known(expression);
	if (known !== null) return known;
	switch (expression.kind) {
		case "number":
			return constant(expression.isWhole ? "Int64" : "Float64", expression.value);
		case "text":
			return constant("String", expression.value);
		case "interval":
			throw new Refused("400 an interval can only be added to a time, or taken from it");
		case "column":
			return scope.column(expression.name);
		case "in": {
			const value = compile(expression.value, scope);
			// What is looked for is compiled and computed once: it may be such an expression itself, over and over.
			let wanted: Value;
			const computed = { ...value, of: () => wanted };
			const tests = expression.among.map((each) => compared("=", computed, compile(each, scope)));
			const of = (given: Of) => {
				wanted = value.of(given);
				return Number(tests.some((test) => test.of(given) === 1));
			};
			return { type: "UInt8", of };
		}
		case "call":
			return folded(called(expression, scope));
	}
}

function constant<Of>(type: Type, value: Value): Compiled<Of> {
	return { type, of: () => value, constant: value };
}

/** What is the same for all is computed once. */
function folded<Of>({ compiled, parts }: { compiled: Compiled<Of>; parts: Compiled<Of>[] }): Compiled<Of> {
	const isConstant = parts.every((part) => part.constant !== undefined);
	return isConstant ? constant(compiled.type, compiled.of(undefined as Of)) : compiled;
}

function called<Of>(expression: Call, scope: Scope<Of>): { compiled: Compiled<Of>; parts: Compiled<Of>[] } {
	const { name, args, parameters } = expression;
	const key = name.toLowerCase();
	if (parameters.length > 0 || expression.distinct) throw new Refused(`400 ${name}() is no function that takes these`);
	if (key === "now" && args.length === 0) return { compiled: constant("DateTime", scope.now), parts: [] };
	const interval = args.find((each) => each.kind === "interval") as Interval | undefined;
	if (interval !== undefined && args.length === 2 && args[1].kind === "interval") {
		const time = compile(args[0], scope);
		return { compiled: withInterval(name, time, interval), parts: [time] };
	}
	const parts = args.map((each) => compile(each, scope));
	return { compiled: applied(name, parts, scope), parts };
}

function withInterval<Of>(name: string, time: Compiled<Of>, interval: Interval): Compiled<Of> {
	const key = name.toLowerCase();
	if (time.type !== "DateTime" || !["+", "-", "tostartofinterval"].includes(key))
		throw new Refused(`400 ${name} does not take an interval here`);
	const of =
		key === "tostartofinterval"
			? (given: Of) => startOf(time.of(given) as number, interval)
			: (given: Of) => shifted(time.of(given) as number, interval, key === "+" ? 1 : -1);
	return { type: "DateTime", of };
}

function applied<Of>(name: string, parts: Compiled<Of>[], { spend }: Scope<Of>): Compiled<Of> {
	const [left, right] = parts;
	const key = name.toLowerCase();
	if (Object.hasOwn(COMPARE, name)) return compared(name, left, right);
	if (Object.hasOwn(COMPUTE, name)) return computed(name, left, right);
	switch (key) {
		case "and":
		case "or":
		case "not": {
			for (const part of parts)
				if (!isNumeric(part.type)) throw new Refused(`400 ${name} does not take a ${part.type}`);
			if (key === "not") return { type: "UInt8", of: (given) => Number(!left.of(given)) };
			const of =
				key === "and"
					? (given: Of) => Number(Boolean(left.of(given)) && Boolean(right.of(given)))
					: (given: Of) => Number(Boolean(left.of(given)) || Boolean(right.of(given)));
			return { type: "UInt8", of };
		}
		case "like":
		case "ilike":
			return like(key, left, right, spend);
		case "if":
			return chosen(parts);
		case "concat":
			for (const { type } of parts) if (type !== "String") throw new Refused(`400 concat() does not take a ${type}`);
			return {
				type: "String",
				of: (given) => {
					const text = joined(parts.map((part) => part.of(given) as string));
					spend(text.length);
					return text;
				},
			};
	}
	if (key === "tostring" && parts.length === 1 && left.type === "DateTime")
		return { type: "String", of: (given) => timeText(left.of(given) as number) };
	const found = FUNCTIONS.get(key);
	if (found === undefined) throw new Refused(`400 there is no function ${name.slice(0, 50)}()`);
	checkTypes(
		name,
		found,
		parts.map(({ type }) => type),
	);
	const run = found.run as (...args: Value[]) => Value;
	const of = (given: Of) => {
		const values = parts.map((part) => part.of(given));
		for (const value of values) if (typeof value === "string") spend(value.length);
		return run(...values);
	};
	return { type: found.gives, of };
}

function compared<Of>(name: string, left: Compiled<Of>, right: Compiled<Of>): Compiled<Of> {
	const [one, other] = [asTime(left, right), asTime(right, left)];
	const isOrdered = (type: Type) => isNumeric(type) || type === "DateTime";
	if (one.type !== other.type && !(isOrdered(one.type) && isOrdered(other.type)))
		throw new Refused(`400 a ${left.type} cannot be compared with a ${right.type}`);
	const compare = COMPARE[name];
	return { type: "UInt8", of: (given) => Number(compare(one.of(given), other.of(given))) };
}

/** A text that stands beside a time names one. */
function asTime<Of>(one: Compiled<Of>, other: Compiled<Of>): Compiled<Of> {
	if (one.type !== "String" || other.type !== "DateTime" || one.constant === undefined) return one;
	return constant("DateTime", timeOf(one.constant as string));
}

function computed<Of>(name: string, left: Compiled<Of>, right: Compiled<Of>): Compiled<Of> {
	const areTimes = left.type === "DateTime" && right.type === "DateTime" && name === "-";
	if (!areTimes && !(isNumeric(left.type) && isNumeric(right.type)))
		throw new Refused(`400 ${name} does not take a ${left.type} and a ${right.type}`);
	const isWhole = areTimes || (name !== "/" && left.type !== "Float64" && right.type !== "Float64");
	const compute = COMPUTE[name];
	const of = (given: Of) => compute(left.of(given) as number, right.of(given) as number);
	return { type: isWhole ? "Int64" : "Float64", of };
}

function like<Of>(
	key: string,
	text: Compiled<Of>,
	{ constant: pattern }: Compiled<Of>,
	spend: Scope<Of>["spend"],
): Compiled<Of> {
	if (text.type !== "String" || typeof pattern !== "string" || pattern.length > MOST_PATTERN)
		throw new Refused(`400 ${key} takes a text, and a pattern in quotes of up to ${MOST_PATTERN} letters`);
	const isSame = key === "like";
	const wanted = isSame ? pattern : pattern.toLowerCase();
	const of = (given: Of) => {
		const found = text.of(given) as string;
		return Number(isLike(isSame ? found : found.toLowerCase(), wanted, spend));
	};
	return { type: "UInt8", of };
}

function chosen<Of>(parts: Compiled<Of>[]): Compiled<Of> {
	const [condition, yes, no] = parts;
	if (parts.length !== 3 || !isNumeric(condition.type)) throw new Refused("400 if() takes a condition and two values");
	const areNumbers = isNumeric(yes.type) && isNumeric(no.type);
	if (yes.type !== no.type && !areNumbers) throw new Refused(`400 if() gives a ${yes.type} or a ${no.type}`);
	const type = yes.type === no.type ? yes.type : "Float64";
	return { type, of: (given) => (condition.of(given) ? yes.of(given) : no.of(given)) };
}
