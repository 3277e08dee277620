import { Refused } from "../../../stores/store.ts";
import { type Interval, isNumeric, startOf, type Type, timeOf, timeText, type Value } from "./values.ts";

/** A function of values. What it takes is written as letters: n for a number, s for a text, t for a time, a for any. */
interface Scalar {
	takes: string;
	/** How many of the last may be left out. */
	optional?: number;
	gives: Type;
	run(...args: never[]): Value;
}

const MOST_TEXT = 64 * 1024;
const part = (of: (date: Date) => number): Scalar => ({
	takes: "t",
	gives: "UInt32",
	run: (time: number) => of(new Date(time * 1000)),
});
const start = (amount: number, unit: string): Scalar => ({
	takes: "t",
	gives: "DateTime",
	run: (time: number) => startOf(time, { amount, unit } satisfies Interval),
});
const number = (run: (value: number) => number, gives: Type = "Float64"): Scalar => ({ takes: "n", gives, run });
const text = (run: (value: string) => string): Scalar => ({ takes: "s", gives: "String", run });
const test = (run: (value: string, other: string) => boolean): Scalar => ({
	takes: "ss",
	gives: "UInt8",
	run: (value: string, other: string) => Number(run(value, other)),
});
const rounded = (round: (value: number) => number): Scalar => ({
	takes: "nn",
	optional: 1,
	gives: "Float64",
	run(value: number, digits = 0) {
		const factor = 10 ** Math.max(-15, Math.min(15, digits));
		return round(value * factor) / factor;
	},
});

/** By their names in lower case: https://developers.cloudflare.com/analytics/analytics-engine/sql-reference/ */
export const FUNCTIONS: ReadonlyMap<string, Scalar> = new Map(
	Object.entries({
		negate: number((value) => -value),
		abs: number(Math.abs),
		sqrt: number(Math.sqrt),
		exp: number(Math.exp),
		log: number(Math.log),
		ln: number(Math.log),
		log2: number(Math.log2),
		log10: number(Math.log10),
		sign: number(Math.sign),
		pow: { takes: "nn", gives: "Float64", run: (base: number, power: number) => base ** power },
		intdiv: { takes: "nn", gives: "Int64", run: (value: number, by: number) => Math.trunc(value / by) },
		round: rounded(Math.round),
		floor: rounded(Math.floor),
		ceil: rounded(Math.ceil),
		touint8: number((value) => Math.trunc(value) & 0xff, "UInt8"),
		touint32: number((value) => Math.trunc(value) >>> 0, "UInt32"),
		length: { takes: "s", gives: "UInt64", run: (value: string) => Buffer.byteLength(value) },
		empty: { takes: "s", gives: "UInt8", run: (value: string) => Number(value === "") },
		notempty: { takes: "s", gives: "UInt8", run: (value: string) => Number(value !== "") },
		lower: text((value) => value.toLowerCase()),
		tolower: text((value) => value.toLowerCase()),
		upper: text((value) => value.toUpperCase()),
		toupper: text((value) => value.toUpperCase()),
		startswith: test((value, begin) => value.startsWith(begin)),
		endswith: test((value, end) => value.endsWith(end)),
		position: { takes: "ss", gives: "UInt64", run: (value: string, other: string) => value.indexOf(other) + 1 },
		substring: {
			takes: "snn",
			optional: 1,
			gives: "String",
			run(value: string, from: number, length?: number) {
				const first = from > 0 ? from - 1 : Math.max(0, value.length + from);
				return value.slice(first, length === undefined ? undefined : first + Math.max(0, length));
			},
		},
		tostring: {
			takes: "a",
			gives: "String",
			run: (value: Value) => String(value),
		},
		tofloat64: { takes: "a", gives: "Float64", run: (value: Value) => Number(value) },
		todatetime: {
			takes: "a",
			gives: "DateTime",
			run: (value: Value) => (typeof value === "number" ? Math.floor(value) : timeOf(String(value))),
		},
		tounixtimestamp: { takes: "t", gives: "UInt32", run: (time: number) => time },
		formatdatetime: { takes: "ts", gives: "String", run: formatted },
		toyear: part((date) => date.getUTCFullYear()),
		tomonth: part((date) => date.getUTCMonth() + 1),
		todayofmonth: part((date) => date.getUTCDate()),
		todayofweek: part((date) => date.getUTCDay() || 7),
		tohour: part((date) => date.getUTCHours()),
		tominute: part((date) => date.getUTCMinutes()),
		tosecond: part((date) => date.getUTCSeconds()),
		toyyyymm: part((date) => date.getUTCFullYear() * 100 + date.getUTCMonth() + 1),
		tostartofyear: start(1, "YEAR"),
		tostartofmonth: start(1, "MONTH"),
		tostartofweek: start(1, "WEEK"),
		tostartofday: start(1, "DAY"),
		tostartofhour: start(1, "HOUR"),
		tostartoffifteenminutes: start(15, "MINUTE"),
		tostartoftenminutes: start(10, "MINUTE"),
		tostartoffiveminutes: start(5, "MINUTE"),
		tostartofminute: start(1, "MINUTE"),
	} as Record<string, Scalar>),
);

/** Throws Refused where a function does not take values of these types. */
export function checkTypes(name: string, { takes, optional = 0 }: Scalar, types: readonly Type[]): void {
	if (types.length > takes.length || types.length < takes.length - optional)
		throw new Refused(`400 ${name}() takes ${takes.length} arguments, and not ${types.length}`);
	for (const [i, type] of types.entries()) {
		const wanted = takes[i];
		const fits =
			wanted === "a" ||
			(wanted === "n" && isNumeric(type)) ||
			(wanted === "s" && type === "String") ||
			(wanted === "t" && type === "DateTime");
		if (!fits) throw new Refused(`400 ${name}() does not take a ${type} as its argument ${i + 1}`);
	}
}

/** Several texts as one, which is bounded: it may be made of itself over and over. */
export function joined(parts: readonly string[]): string {
	if (parts.reduce((sum, { length }) => sum + length, 0) > MOST_TEXT) throw new Refused("413 a text is too long");
	return parts.join("");
}

function formatted(time: number, format: string): string {
	const iso = timeText(time);
	const parts: Record<string, string> = {
		Y: iso.slice(0, 4),
		m: iso.slice(5, 7),
		d: iso.slice(8, 10),
		H: iso.slice(11, 13),
		M: iso.slice(14, 16),
		i: iso.slice(14, 16),
		S: iso.slice(17, 19),
		s: iso.slice(17, 19),
		F: iso.slice(0, 10),
		T: iso.slice(11),
		"%": "%",
	};
	return format.replace(/%(.)/gs, (found, letter: string) => parts[letter] ?? found);
}
