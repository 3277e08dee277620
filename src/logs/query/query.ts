import type { Count, EpochMs, Milliseconds } from "../../units.ts";
import type { Field, Level } from "./fields.ts";

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

/** Which entries a query is of. */
export type Filter =
	| { kind: "and" | "or"; parts: Filter[] }
	| { kind: "not"; part: Filter }
	/** The text stands in the URL, or in what was logged; upper and lower case are one. */
	| { kind: "text"; text: string; where: "anywhere" | "message" }
	| { kind: "compare"; field: Field; comparison: Comparison; value: string | number }
	| { kind: "begins"; field: Field; prefix: string }
	/** A limit was exceeded; any where it is empty. */
	| { kind: "exceeded"; limit: string }
	| { kind: "level"; level: Level }
	| { kind: "time"; comparison: Comparison; time: TimeGiven };

/** A time as it was written: so long before the query is asked, or since 1970. */
export type TimeGiven = { ago: Milliseconds } | { at: EpochMs };

/** What is told of a group. */
export type Measure =
	| { kind: "count" }
	| { kind: "min" | "max" | "avg" | "sum"; field: Field }
	| { kind: "quantile"; share: number; field: Field };

/** What entries are grouped by; at most one is a step of time or a histogram. */
export type Key =
	| { kind: "field"; field: Field }
	| { kind: "step"; ms: Milliseconds }
	| { kind: "buckets"; field: Field };

/** What a column is called, and what is in it. */
export interface Column<What> {
	name: string;
	what: What;
}

export interface Grouping {
	keys: Column<Key>[];
	measures: Column<Measure>[];
	/** The largest first by one column, and so many at most; `null` where the keys order rows, or the first measure. */
	top: { count: Count; column: string } | null;
}

/** A query that makes sense. */
export interface Query {
	/** `null` where it is of all entries. */
	filter: Filter | null;
	/** `null` where it asks for the entries themselves. */
	grouping: Grouping | null;
}
