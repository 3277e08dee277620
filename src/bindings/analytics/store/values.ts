import { Refused } from "../../../stores/store.ts";

/** Those of ClickHouse that there are. A DateTime is in seconds since 1970. */
export type Type = "String" | "Float64" | "Int64" | "UInt64" | "UInt32" | "UInt8" | "DateTime" | "Array(String)";
export type Value = string | number | string[];

/** An expression that can be evaluated, of rows or groups. */
export interface Compiled<Of> {
	type: Type;
	of(given: Of): Value;
	/** Its value where that is the same for all. */
	constant?: Value;
}

const SECONDS: Record<string, number> = { SECOND: 1, MINUTE: 60, HOUR: 3600, DAY: 86_400, WEEK: 604_800 };
const MONTHS: Record<string, number> = { MONTH: 1, QUARTER: 3, YEAR: 12 };
/** 1970 began on a Thursday. */
const FIRST_MONDAY = 4 * 86_400;

export interface Interval {
	amount: number;
	unit: string;
}

export function isNumeric(type: Type): boolean {
	return type === "Float64" || type === "Int64" || type === "UInt64" || type === "UInt32" || type === "UInt8";
}

/** A time, so many times an interval later. */
export function shifted(time: number, { amount, unit }: Interval, sign: 1 | -1): number {
	if (unit in SECONDS) return time + sign * amount * SECONDS[unit];
	const date = new Date(time * 1000);
	date.setUTCMonth(date.getUTCMonth() + sign * amount * MONTHS[unit]);
	return date.getTime() / 1000;
}

/** When the interval begins that a time is in. */
export function startOf(time: number, { amount, unit }: Interval): number {
	if (amount === 0) throw new Refused("400 an interval of 0");
	if (unit in SECONDS) {
		const first = unit === "WEEK" ? FIRST_MONDAY : 0;
		const seconds = amount * SECONDS[unit];
		return Math.floor((time - first) / seconds) * seconds + first;
	}
	const months = amount * MONTHS[unit];
	const date = new Date(time * 1000);
	const since = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
	return Date.UTC(1970, Math.floor(since / months) * months) / 1000;
}

/** The time that a text names; throws Refused for none. */
export function timeOf(text: string): number {
	if (/^\d{1,12}$/.test(text)) return Number(text);
	const [, date, time = "00:00:00"] = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:\d\d))?$/.exec(text) ?? [];
	const milliseconds = date === undefined ? Number.NaN : Date.parse(`${date}T${time}Z`);
	if (Number.isNaN(milliseconds))
		throw new Refused(`400 ${JSON.stringify(text.slice(0, 50))} is no time like 2026-01-31 12:00:00`);
	return milliseconds / 1000;
}

/** As `2026-01-31 12:00:00`. */
export function timeText(time: number): string {
	const date = new Date(time * 1000);
	return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 19).replace("T", " ");
}

/** So many letters are looked at before they are counted. */
const COUNTED = 10_000;

/**
 * Whether a text is like a pattern, in which % stands for any letters and _ for one. Each letter may be looked at as
 * often as the pattern has some: `spend` is told how many were, and may throw.
 */
export function isLike(text: string, pattern: string, spend: (letters: number) => void): boolean {
	let at = 0;
	let next = 0;
	let star = -1;
	let from = 0;
	let looked = 0;
	while (at < text.length) {
		if (++looked % COUNTED === 0) spend(COUNTED);
		if (pattern[next] === "%") {
			star = next++;
			from = at;
		} else if (next < pattern.length && (pattern[next] === "_" || pattern[next] === text[at])) {
			at++;
			next++;
		} else if (star >= 0) {
			next = star + 1;
			at = ++from;
		} else break;
	}
	spend(looked % COUNTED);
	while (pattern[next] === "%") next++;
	return at === text.length && next === pattern.length;
}
