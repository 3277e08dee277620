import type { InvocationRecord, LogLine } from "../../observe/record.ts";
import type { EpochMs } from "../../units.ts";
import type { LogEntry } from "../calls.ts";
import { LEVELS } from "../query/fields.ts";
import { messagesIn } from "./messages.ts";
import { RECORD_COLUMNS } from "./new-entry.ts";

/** A row of an entry, by its columns. */
export type EntryRow = Record<string, string | number | null>;

/** Whose an entry is. */
interface Whose {
	tenant: string;
	function: string;
	version: string;
}

/** An entry as it was stored. */
export function entryOf(row: EntryRow, whose: Whose): LogEntry {
	const time = row.time as EpochMs;
	return { time, record: row.outcome === null ? null : recordOf(row, whose), lines: linesOf(row, whose) };
}

function recordOf(row: EntryRow, { tenant, function: name, version }: Whose): InvocationRecord {
	const fields = Object.fromEntries(RECORD_COLUMNS.map((column) => [column, textOf(row[column])]));
	return {
		time: isoOf(row.time as EpochMs),
		requestId: textOf(row.requestId),
		tenant,
		function: name,
		version,
		...fields,
		cold: row.cold === 1,
		exceeded: row.exceeded === null ? {} : JSON.parse(row.exceeded as string),
		bindingCalls: {},
		...(row.more === null ? {} : JSON.parse(row.more as string)),
	} as InvocationRecord;
}

const textOf = (value: string | number | null) => (typeof value === "string" ? messagesIn(value)[0] : value);

export function linesOf(row: EntryRow, { tenant, function: name, version }: Whose): LogLine[] {
	if (row.text === null || row.marks === null) return [];
	const marks = JSON.parse(row.marks as string) as number[];
	return messagesIn(row.text as string).map((message, i) => ({
		time: isoOf((row.time as EpochMs) + (marks[2 * i + 1] ?? 0)),
		level: LEVELS[marks[2 * i] ?? 0],
		tenant,
		function: name,
		version,
		requestId: textOf(row.requestId) as string,
		message,
	}));
}

/** What no calendar has is told as the first moment that one has. */
function isoOf(time: EpochMs): string {
	const date = new Date(time);
	return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}
