import type { Day } from "../../feed/usage.ts";

/** A month of UTC, as `2026-12`. */
export type Month = string;

export const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

export const monthOf = (day: Day): Month => day.slice(0, 7);

/** The month that is so many after another one, or before it for less than nothing. */
export function monthFrom(month: Month, count: number): Month {
	const [year, number] = month.split("-").map(Number);
	return new Date(Date.UTC(year, number - 1 + count)).toISOString().slice(0, 7);
}

/** The first and the last day of a month; there may be fewer. */
export const daysOf = (month: Month): { from: Day; to: Day } => ({ from: `${month}-01`, to: `${month}-31` });
