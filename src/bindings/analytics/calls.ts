import type { Milliseconds } from "../../units.ts";

/** Points that are written together; those themselves come one behind the other, as lines. */
export interface AnalyticsWrite {
	tenant: string;
	/** Of each line, in their order. */
	points: { dataset: string; time: Milliseconds }[];
	/** How many were left out since the last time, of each dataset. */
	dropped: Record<string, number>;
}

/** What is known of a dataset. */
export interface AnalyticsDataset {
	name: string;
	points: number;
	bytes: number;
	/** How many were left out. */
	dropped: number;
}

/** What a query gives: its columns, and rows of their values. */
export interface AnalyticsResult {
	columns: { name: string; type: string }[];
	rows: unknown[][];
	format: "JSON" | "JSONEachRow" | "TabSeparated";
}

/** How far a query is; `result` once it is done. */
export interface AnalyticsStep {
	query: string;
	result: AnalyticsResult | null;
}
