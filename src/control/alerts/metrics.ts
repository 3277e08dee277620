import type { Count, Milliseconds } from "../../units.ts";
import type { Counts } from "./windows.ts";

const percent = (part: number, all: number) => (all === 0 ? null : (100 * part) / all);

/** What is measured of functions, from what was counted within a rule's window; `null` where there was nothing. */
export const FUNCTION_METRICS: Readonly<Record<string, (counts: Counts, window: Milliseconds) => number | null>> = {
	errorPercent: (counts) => percent(counts.get("errors"), counts.get("requests")),
	errors: (counts) => counts.get("errors"),
	requests: (counts) => counts.get("requests"),
	requestsPerSecond: (counts, window) => counts.get("requests") / (window / 1000),
	wallMsP50: (counts) => counts.quantile("wall", 0.5),
	wallMsP99: (counts) => counts.quantile("wall", 0.99),
	cpuMsP50: (counts) => counts.quantile("cpu", 0.5),
	cpuMsP99: (counts) => counts.quantile("cpu", 0.99),
	startMsP99: (counts) => counts.quantile("start", 0.99),
	coldStartPercent: (counts) => percent(counts.coldStarts, counts.get("requests")),
	throttled: (counts) => counts.get("throttled"),
	throttledPercent: (counts) => percent(counts.get("throttled"), counts.get("requests")),
	cpuLimitHits: (counts) => counts.get("cpuLimit"),
	memoryLimitHits: (counts) => counts.get("memoryLimit"),
	timeouts: (counts) => counts.get("timeouts"),
	quarantined: (counts) => counts.get("quarantined"),
	memoryMb: (counts) => (counts.memoryBytes === 0 ? null : counts.memoryBytes / 2 ** 20),
};

/** Those that are no more than what was counted: of a part of a window they say less than of all of it. */
const SUMS: ReadonlySet<string> = new Set([
	...["errors", "requests", "requestsPerSecond", "throttled"],
	...["cpuLimitHits", "memoryLimitHits", "timeouts", "quarantined"],
]);
/** From so many invocations on a part of a window tells how all of it is. */
const ENOUGH = 20;

/** Whether what is known of a window that is not whole yet, as after a start, says as much as all of it would. */
export function isEnough(metric: string, requests: Count, least: Count): boolean {
	return !SUMS.has(metric) && requests >= Math.max(ENOUGH, least);
}

/** What is measured of tenants as a whole. */
const TENANT_METRICS = ["budgetPercent", "receiversFailing"] as const;

/** What is measured of the server, which is the operator's alone. */
const SERVER_METRICS = [
	"edges",
	"edgeLoopDelayMs",
	"edgeFaults",
	"sandboxRestarts",
	"diskUsedPercent",
	"logEntriesLost",
	"operatorReceiversFailing",
] as const;

export type TenantMetric = (typeof TENANT_METRICS)[number];
export type ServerMetric = (typeof SERVER_METRICS)[number];

export const METRICS: readonly string[] = [...Object.keys(FUNCTION_METRICS), ...TENANT_METRICS, ...SERVER_METRICS];

export const isServerMetric = (metric: string | undefined): metric is ServerMetric =>
	SERVER_METRICS.some((one) => one === metric);
export const isTenantMetric = (metric: string | undefined): metric is TenantMetric =>
	TENANT_METRICS.some((one) => one === metric);
