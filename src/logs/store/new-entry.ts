import type { InvocationRecord, LogLine } from "../../observe/record.ts";
import type { Bytes, Count, EpochMs } from "../../units.ts";
import { LEVELS } from "../query/fields.ts";
import { storedMessages, storedText } from "./messages.ts";

/** An entry takes so much beside its texts. */
const ENTRY_BYTES: Bytes = 120;
/** What an entry's lines may take; the rest of them is left out, and counted. */
export const MOST_LINES_BYTES: Bytes = 2 * 2 ** 20;

/** An invocation with its lines, or lines alone, that is to be stored. */
export interface NewEntry {
	tenant: string;
	function: string;
	version: string;
	requestId: string;
	time: EpochMs;
	record: InvocationRecord | null;
	lines: LogLine[];
}

/** The columns of a record in the order in which they are stored; what else it has goes into `more`. */
export const RECORD_COLUMNS = [
	...["outcome", "status", "cpuMs", "wallMs", "startMs", "cold", "requestBytes", "responseBytes", "subrequests"],
	...["memoryBytes", "attempts", "event", "trigger", "method", "hostname", "url", "traceId", "spanId"],
] as const;
const ELSEWHERE = new Set<string>([
	...["time", "requestId", "tenant", "function", "version", "exceeded"],
	...RECORD_COLUMNS,
]);

export const ENTRY_COLUMNS = [
	...["grp", "time", "id", "size", "requestId", "levels", "exceeded"],
	...RECORD_COLUMNS,
	...["more", "marks", "text"],
] as const;

type Value = string | number | null;

/** An entry as a row, and how large it is. */
export function rowOf(entry: NewEntry, group: number, id: number): { row: Value[]; size: Bytes } {
	const { record, lines, time } = entry;
	const fields: Value[] = RECORD_COLUMNS.map((name) =>
		record === null ? null : stored(record[name as keyof typeof record]),
	);
	const exceeded = record === null || Object.keys(record.exceeded ?? {}).length === 0 ? null : stored(record.exceeded);
	const more = record === null ? null : moreOf(record);
	let levels = 0;
	const marks: number[] = [];
	for (const line of lines) {
		const level = Math.max(0, LEVELS.indexOf(line.level));
		levels |= 1 << level;
		marks.push(level, timeOf(line.time, time) - time);
	}
	const text = lines.length === 0 ? null : storedMessages(lines.map(({ message }) => String(message)));
	const markText = lines.length === 0 ? null : JSON.stringify(marks);
	const requestId = storedText(entry.requestId);
	let size = ENTRY_BYTES;
	for (const value of [...fields, requestId, exceeded, more, markText, text])
		if (typeof value === "string") size += Buffer.byteLength(value);
	return { row: [group, time, id, size, requestId, levels, exceeded, ...fields, more, markText, text], size };
}

function stored(value: unknown): Value {
	switch (typeof value) {
		case "string":
			return storedText(value);
		case "number":
			return Number.isFinite(value) ? value : 0;
		case "boolean":
			return value ? 1 : 0;
		case "undefined":
			return null;
		default:
			return JSON.stringify(value);
	}
}

/** What a record has beside the columns, as JSON; `null` where that is nothing. */
function moreOf(record: InvocationRecord): string | null {
	const rest = Object.entries(record).filter(([name]) => !ELSEWHERE.has(name));
	return rest.length === 0 ? null : JSON.stringify(Object.fromEntries(rest));
}

/** A time of a record or a line; the other one where it is none. */
export function timeOf(text: unknown, otherwise: EpochMs): EpochMs {
	const time = typeof text === "string" ? Date.parse(text) : Number.NaN;
	return Number.isNaN(time) ? otherwise : time;
}

/** What lines take, roughly. */
export function bytesOf({ message }: LogLine): Bytes {
	return message.length + ENTRY_BYTES;
}

export function countOf({ record, lines }: Pick<NewEntry, "record" | "lines">): Count {
	return lines.length + (record === null ? 0 : 1);
}
