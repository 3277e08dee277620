import { z } from "zod";
import type { Milliseconds } from "../units.ts";

const UNITS: Readonly<Record<string, Milliseconds>> = { s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 };

/** What a duration such as `90s`, `5m`, `4h` or `7d` is. It has been checked. */
export function millisecondsOf(duration: string): Milliseconds {
	return Number(duration.slice(0, -1)) * UNITS[duration.slice(-1)];
}

/** A duration as it is written, within bounds. */
export const duration = (least: string, most: string) =>
	z
		.string()
		.regex(/^\d{1,6}[smhd]$/, "must be a number with s, m, h or d, as 90s or 5m")
		.refine((text) => millisecondsOf(text) >= millisecondsOf(least) && millisecondsOf(text) <= millisecondsOf(most), {
			error: `must be from ${least} to ${most}`,
		});
