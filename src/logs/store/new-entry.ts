import { countsAsJson, type InvocationRecord, type LogLine } from "../../observe/record.ts";
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

/** The columns of a record in the order in which they are stored. */
export const RECORD_COLUMNS = [
	...["outcome", "status", "cpuMs", "wallMs", "startMs", "cold", "requestBytes", "responseBytes", "subrequests"],
	...["memoryBytes", "attempts", "event", "trigger", "method", "hostname", "url", "traceId", "spanId"],
] as const;

export const ENTRY_COLUMNS = [
	...["grp", "time", "id", "size", "requestId", "levels", "exceeded"],
	...RECORD_COLUMNS,
	...["more", "marks", "text"],
] as const;

type Value = string | number | null;

/** An entry as a row, and how large it is. Every request has one, so that no name is looked up. */
export function rowOf(entry: NewEntry, group: number, id: number): { row: Value[]; size: Bytes } {
	const { record, lines, time } = entry;
	let levels = 0;
	const marks: number[] = [];
	for (const line of lines) {
		const level = Math.max(0, LEVELS.indexOf(line.level));
		levels |= 1 << level;
		marks.push(level, timeOf(line.time, time) - time);
	}
	const text = lines.length === 0 ? null : storedMessages(lines.map(({ message }) => message));
	const markText = lines.length === 0 ? null : JSON.stringify(marks);
	const row: Value[] = [group, time, id, 0, storedText(entry.requestId), levels];
	if (record === null) row.push(...NO_RECORD);
	else {
		row.push(countsAsJson(record.exceeded));
		pushRecord(row, record);
		const calls = countsAsJson(record.bindingCalls);
		row.push(calls === null ? null : `{"bindingCalls":${calls}}`);
	}
	row.push(markText, text);
	let size = ENTRY_BYTES;
	for (const value of row) if (typeof value === "string") size += Buffer.byteLength(value);
	row[SIZE] = size;
	return { row, size };
}

/** Where in a row its size stands. */
const SIZE = ENTRY_COLUMNS.indexOf("size");
/** What an entry without a record has for it: `exceeded`, the record's columns, and `more`. */
const NO_RECORD: readonly null[] = Array.from({ length: RECORD_COLUMNS.length + 2 }, () => null);

/** A record's columns, in the order of `RECORD_COLUMNS`. */
function pushRecord(row: Value[], record: InvocationRecord): void {
	row.push(storedText(record.outcome), record.status, record.cpuMs, record.wallMs, record.startMs, record.cold ? 1 : 0);
	row.push(record.requestBytes, record.responseBytes, record.subrequests, record.memoryBytes, record.attempts);
	row.push(storedText(record.event), storedText(record.trigger), storedText(record.method));
	row.push(storedText(record.hostname), storedText(record.url), storedText(record.traceId), storedText(record.spanId));
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
