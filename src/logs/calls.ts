import type { FunctionName, TenantName } from "../names.ts";
import type { InvocationRecord, LogLine } from "../observe/record.ts";
import type { Sums } from "../observe/tally.ts";
import type { Bytes, Count, EpochMs, Milliseconds } from "../units.ts";

/** What is asked of the log. */
export interface LogQuery {
	/** In the language of docs/observability.md; empty for all that there is. */
	query: string;
	/** Whose it is; `null` for all tenants. */
	tenant: TenantName | null;
	/** The functions of the tenant that the asker may see; `null` for all. */
	functions: FunctionName[] | null;
	/**
	 * From this time on, and up to but not including that one. What is asked up to now, or later, has entries of a clock
	 * that was ahead as well.
	 */
	since: EpochMs;
	until: EpochMs;
	/** So many entries or rows at most. */
	limit: Count;
	/** Where the page before has ended; `null` for the first one. It has that one's times with it. */
	cursor: string | null;
}

/** An invocation with the lines that it logged, or lines that belong to none that is known. */
export interface LogEntry {
	/** When the invocation's event arrived, or the first line was written. */
	time: EpochMs;
	record: InvocationRecord | null;
	lines: LogLine[];
}

/** What a query has found. */
export interface LogResult {
	/** The latest first; empty where the query groups. */
	entries: LogEntry[];
	/** The names of a group's fields and numbers; empty where it does not group. */
	columns: string[];
	rows: (string | number | null)[][];
	/** What the next page is asked for with; `null` where there is none. */
	cursor: string | null;
	/** `false` where the query was ended at its bounds: the cursor goes on from there, and groups are of a part. */
	whole: boolean;
	/** What was read to find it. */
	read: { segments: Count; entries: Count; bytes: Bytes };
	/** How many records and lines within the time were lost before they were stored. */
	lost: Count;
}

/** What one version did within a step of time. */
export interface Rollup extends Sums {
	/** When the step begins, and how long it is. */
	time: EpochMs;
	step: Milliseconds;
	/** Both are empty where no function serves the hostname, or all are taken together. */
	tenant: TenantName | "";
	function: FunctionName | "";
	/** Empty where versions are taken together. */
	version: string;
}

/** Which rollups are asked for. */
export interface RollupQuery {
	/** `null` for all tenants, and for all functions. */
	tenant: TenantName | null;
	functions: FunctionName[] | null;
	since: EpochMs;
	until: EpochMs;
	/** 10 s, 1 min or 1 h: each is kept for longer than the one before. */
	step: 10_000 | 60_000 | 3_600_000;
	/** What is told apart. */
	by: "total" | "function" | "version";
}
