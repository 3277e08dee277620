import { Refused } from "../../../stores/store.ts";
import type { Expression } from "./parser.ts";
import { type Compiled, isNumeric, type Type, type Value } from "./values.ts";

/** What all states of a query take, which is bounded. */
export interface Room {
	take(bytes: number): void;
}

/** What an aggregate has seen of a group. */
export interface State {
	add(values: Value[]): void;
	result(): Value;
}

/** An aggregate of a query, with what it is given of each row. */
export interface Aggregate<Row> {
	type: Type;
	args: Compiled<Row>[];
	begin(room: Room): State;
}

type Call = Extract<Expression, { kind: "call" }>;

interface Kind {
	/** As those of scalars; `x` is any, and the result's type. */
	takes: string;
	gives: Type | "first";
	parameter?: { default?: number; most: number };
	begin(room: Room, parameter: number): State;
}

const STATE_BYTES = 100;
const ITEM_BYTES = 60;
const sizeOf = (value: Value) => ITEM_BYTES + (typeof value === "string" ? 2 * value.length : 0);

/** The value of a row by which another value is the least, or the greatest; that itself where there is one value. */
const extreme =
	(isBetter: (value: Value, than: Value) => boolean) =>
	(room: Room): State => {
		let best: Value | null = null;
		let kept: Value = 0;
		room.take(STATE_BYTES);
		return {
			add([value, by = value]) {
				if (typeof by === "number" && Number.isNaN(by)) return;
				if (best !== null && !isBetter(by, best)) return;
				if (typeof value === "string") room.take(2 * value.length);
				[best, kept] = [by, value];
			},
			result: () => kept,
		};
	};

/** The values that were most frequent, by their weights. */
const top = (room: Room, most: number): State => {
	const weights = new Map<Value, number>();
	return {
		add([value, weight = 1]) {
			const before = weights.get(value);
			if (before === undefined) room.take(sizeOf(value));
			weights.set(value, (before ?? 0) + (weight as number));
		},
		result: () =>
			[...weights]
				.sort(([, one], [, other]) => other - one)
				.slice(0, most)
				.map(([value]) => String(value)),
	};
};

/** The value below which so large a part of the weight is. */
const quantile = (room: Room, part: number): State => {
	const seen: [value: number, weight: number][] = [];
	return {
		add([value, weight]) {
			if (Number.isNaN(value as number)) return;
			room.take(ITEM_BYTES);
			seen.push([value as number, weight as number]);
		},
		result() {
			seen.sort(([one], [other]) => one - other);
			const wanted = part * seen.reduce((sum, [, weight]) => sum + weight, 0);
			let sum = 0;
			for (const [value, weight] of seen) {
				sum += weight;
				if (sum >= wanted) return value;
			}
			return Number.NaN;
		},
	};
};

const added = (result: (sum: number, count: number) => number) => (): State => {
	let sum = 0;
	let count = 0;
	return {
		add([value = 0]) {
			sum += value as number;
			count++;
		},
		result: () => result(sum, count),
	};
};

const WEIGHTED: Kind["parameter"] = { most: 1 };
const COUNTED: Kind["parameter"] = { default: 10, most: 1000 };

/** By their names in lower case: https://developers.cloudflare.com/analytics/analytics-engine/sql-reference/aggregate-functions/ */
const AGGREGATES: ReadonlyMap<string, Kind> = new Map(
	Object.entries({
		count: { takes: "", gives: "UInt64", begin: added((_, count) => count) },
		sum: { takes: "n", gives: "first", begin: added((sum) => sum) },
		avg: { takes: "n", gives: "Float64", begin: added((sum, count) => sum / count) },
		min: { takes: "x", gives: "first", begin: extreme((value, than) => value < than) },
		max: { takes: "x", gives: "first", begin: extreme((value, than) => value > than) },
		argmin: { takes: "xx", gives: "first", begin: extreme((value, than) => value < than) },
		argmax: { takes: "xx", gives: "first", begin: extreme((value, than) => value > than) },
		first_value: { takes: "x", gives: "first", begin: extreme(() => false) },
		last_value: { takes: "x", gives: "first", begin: extreme(() => true) },
		quantileexactweighted: { takes: "nn", gives: "Float64", parameter: WEIGHTED, begin: quantile },
		topk: { takes: "x", gives: "Array(String)", parameter: COUNTED, begin: top },
		topkweighted: { takes: "xn", gives: "Array(String)", parameter: COUNTED, begin: top },
	} as Record<string, Kind>),
);

/** The aggregate that a call is, and what it takes of each row; `null` for another function. */
export function aggregateOf<Row>(
	call: Call,
	compileOfRow: (expression: Expression) => Compiled<Row>,
): Aggregate<Row> | null {
	const { name, distinct, ...given } = quantileByComma(call);
	const kind = AGGREGATES.get(name.toLowerCase());
	if (kind === undefined) return null;
	const args = given.args.map(compileOfRow);
	const { takes, gives } = kind;
	const takesAny = takes === "" && distinct;
	const fits = takesAny
		? args.length === 1
		: args.length === takes.length && args.every(({ type }, i) => takes[i] === "x" || isNumeric(type));
	if (!fits) throw new Refused(`400 ${name}() does not take these arguments`);
	const parameter = parameterOf(name, kind, given.parameters);
	const type = gives === "first" ? summed(name, args[0].type) : gives;
	return { type, args, begin: (room) => begun(kind, room, parameter, distinct) };
}

/** The sum of whole numbers is one that may be larger. */
function summed(name: string, type: Type): Type {
	if (name.toLowerCase() !== "sum" || type === "Float64") return type;
	return type === "Int64" ? type : "UInt64";
}

function parameterOf(name: string, { parameter }: Kind, given: Expression[]): number {
	if (parameter === undefined || (given.length === 0 && parameter.default !== undefined)) {
		if (given.length > 0) throw new Refused(`400 ${name}() has no parameters`);
		return parameter?.default ?? 0;
	}
	const [one] = given;
	if (given.length !== 1 || one.kind !== "number" || one.value < 0 || one.value > parameter.most)
		throw new Refused(`400 ${name}(n)(…): n is a number up to ${parameter.most}`);
	return one.value;
}

/** `quantileWeighted(q, x, w)` is how it was written once. */
function quantileByComma(call: Call): Call {
	if (call.name.toLowerCase() !== "quantileweighted") return call;
	const [parameter, ...args] = call.args;
	const parameters = parameter === undefined ? call.parameters : [parameter];
	return { ...call, name: "quantileExactWeighted", parameters, args };
}

function begun(kind: Kind, room: Room, parameter: number, distinct: boolean): State {
	room.take(STATE_BYTES);
	const state = kind.begin(room, parameter);
	if (!distinct) return state;
	const seen = new Set<Value>();
	return {
		add(values) {
			if (seen.has(values[0])) return;
			room.take(sizeOf(values[0]));
			seen.add(values[0]);
			state.add(values);
		},
		result: () => state.result(),
	};
}
