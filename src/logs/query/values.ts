import type { EpochMs, Milliseconds } from "../../units.ts";
import type { FieldKind } from "./fields.ts";
import type { TimeGiven } from "./query.ts";

const TIME_UNITS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3600_000, d: 24 * 3600_000 };
const SIZE_UNITS: Record<string, number> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 };

/** What may stand where a value of a kind is wanted. */
export const EXPECTED: Record<FieldKind, string> = {
	text: "a text",
	number: "a number",
	milliseconds: "a time, as 50, 50ms, 1.5s or 2m",
	bytes: "a size, as 1000, 64kb or 5mb",
	boolean: "true or false",
};

/** A value of a field; `null` where it is none of its kind. */
export function valueIn(kind: FieldKind, text: string): string | number | null {
	switch (kind) {
		case "text":
			return text;
		case "boolean":
			return text === "true" ? 1 : text === "false" ? 0 : null;
		case "number":
			return withUnit(text, {});
		case "milliseconds":
			return withUnit(text, TIME_UNITS);
		case "bytes":
			return withUnit(text, SIZE_UNITS);
	}
}

/** How long `5m` is; `null` where a text is none with a unit. */
export function durationOf(text: string): Milliseconds | null {
	const last = text[text.length - 1] ?? "";
	return last >= "0" && last <= "9" ? null : withUnit(text, TIME_UNITS);
}

/** `2h`, which is so long ago, or a time as ISO 8601 in UTC, or milliseconds since 1970; `null` where it is none. */
export function timeOf(text: string): TimeGiven | null {
	const ago = durationOf(text);
	if (ago !== null) return { ago };
	const at = withUnit(text, {}) ?? isoTime(text);
	return at === null ? null : { at };
}

/** `2026-11-30`, and with `T10:20` or more behind it, in UTC where it does not say otherwise. */
function isoTime(text: string): EpochMs | null {
	const isDate = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text);
	if (!isDate) return null;
	const isLocal = text.includes("T") && !/(?:Z|[+-]\d\d:\d\d)$/.test(text);
	const time = Date.parse(isLocal ? `${text}Z` : text);
	return Number.isNaN(time) ? null : time;
}

/** When that is. */
export function momentOf(time: TimeGiven, now: EpochMs): EpochMs {
	return "ago" in time ? now - time.ago : time.at;
}

/** A text as it is searched: upper and lower case of ASCII are one, and SQLite knows no other. */
export function searched(text: string): string {
	return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function withUnit(text: string, units: Record<string, number>): number | null {
	const [, number, unit] = /^(-?\d{1,16}(?:\.\d{1,9})?)([a-z]{0,2})$/.exec(text.toLowerCase()) ?? [];
	if (number === undefined) return null;
	if (unit === "") return Number(number);
	return Object.hasOwn(units, unit) ? Number(number) * units[unit] : null;
}
