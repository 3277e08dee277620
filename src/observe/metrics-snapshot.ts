import type { EpochMs } from "../units.ts";
import type { Attributes } from "./span.ts";
import type { Tally } from "./tally.ts";

/** One figure of the platform itself, as it is now. */
export interface Figure {
	/** As Prometheus has it: `atoll_edge_cpu_seconds_total`. */
	name: string;
	help: string;
	type: "gauge" | "counter";
	values: { attributes: Attributes; value: number }[];
}

/** All that is counted, as it is exported. */
export interface MetricsSnapshot {
	/** Since when what functions do is counted, and as of when it is told. */
	since: EpochMs;
	at: EpochMs;
	tallies: Tally[];
	/** Counters of these are counted since `since`, or since their edge began. */
	figures: Figure[];
}
