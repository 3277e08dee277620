import type { Seconds } from "../units.ts";

/** What a handler has said of its argument, or of one part of its list: the first thing that it said, which counts. */
export interface Verdict {
	/** 0 for the argument itself, and from 1 on for the parts of its list. */
	part: number;
	/** The method by which it was said. */
	method: string;
	/** What it gave as `delaySeconds`; `null` for nothing. */
	delaySeconds: Seconds | null;
}

/** The longest delay that may be asked for: https://developers.cloudflare.com/queues/platform/limits/ */
export const MAX_DELAY: Seconds = 12 * 3600;

/** More letters than the verdicts of any batch come to. */
const MAX_VERDICTS = 64 * 1024;
// Sticky, so that each line is looked at once.
const LINE = /(0|[1-9]\d{0,4}) ([A-Za-z]{1,32}) (-|0|[1-9]\d{0,4})(?:\n|$)/y;

/** One verdict as a line; those of an event are joined by line feeds. */
export function encodeVerdict({ part, method, delaySeconds }: Verdict): string {
	return `${part} ${method} ${delaySeconds === null ? "-" : delaySeconds}`;
}

/** The verdicts of an event, by their parts; `null` for what are none. */
export function decodeVerdicts(text: string): Verdict[] | null {
	if (text.length > MAX_VERDICTS) return null;
	const verdicts: Verdict[] = [];
	let last = -1;
	for (LINE.lastIndex = 0; LINE.lastIndex < text.length; ) {
		const line = LINE.exec(text);
		if (line === null) return null;
		const verdict = { part: Number(line[1]), method: line[2], delaySeconds: line[3] === "-" ? null : Number(line[3]) };
		if (verdict.part <= last || (verdict.delaySeconds ?? 0) > MAX_DELAY) return null;
		last = verdict.part;
		verdicts.push(verdict);
	}
	return text.endsWith("\n") ? null : verdicts;
}
