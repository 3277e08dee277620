import { type Rule, ruleSchema } from "./rule.ts";

/** What is watched without anybody having said so. A document of the same name takes the place of one. */
const DEFAULTS: Readonly<Record<string, object>> = {
	"error-rate": {
		...{ metric: "errorPercent", above: 5, clear: 4, minRequests: 20, window: "5m", severity: "critical" },
		annotations: { summary: "{value} % of the requests to {function} fail" },
	},
	latency: {
		...{ metric: "wallMsP99", above: 5000, clear: 4000, minRequests: 20, window: "5m", for: "5m" },
		annotations: { summary: "one in a hundred requests to {function} takes {value} ms or longer" },
	},
	"cpu-limit": {
		...{ metric: "cpuLimitHits", above: 5, clear: 0, window: "5m" },
		annotations: { summary: "{function} was ended for its processor time {value} times" },
	},
	"memory-limit": {
		...{ metric: "memoryLimitHits", above: 2, clear: 0, window: "5m" },
		annotations: { summary: "{function} was ended for its memory {value} times" },
	},
	throttled: {
		...{ metric: "throttledPercent", above: 5, clear: 1, minRequests: 20, window: "5m" },
		annotations: { summary: "{value} % of the requests to {function} are refused, since there are too many" },
	},
	quarantined: {
		...{ metric: "quarantined", above: 0, window: "5m", severity: "critical" },
		annotations: { summary: "{function} costs sandboxes and is put aside" },
	},
	budget: {
		...{ metric: "budgetPercent", above: 90, clear: 85 },
		annotations: { summary: "{tenant} has used {value} % of its budget" },
	},
	"receiver-failing": {
		...{ metric: "receiversFailing", above: 0, for: "5m" },
		annotations: { summary: "{value} receivers of {tenant} cannot be told of alerts" },
	},
	"no-edge": {
		...{ metric: "edges", below: 1, for: "30s", noData: "fire", severity: "critical" },
		annotations: { summary: "no edge is at work: nobody's functions are served" },
	},
	"edge-loop-delay": {
		...{ metric: "edgeLoopDelayMs", above: 100, clear: 50, window: "5m" },
		annotations: { summary: "the edge's event loop is {value} ms late" },
	},
	"edge-faults": {
		...{ metric: "edgeFaults", above: 0, window: "1h" },
		annotations: { summary: "the edge has made {value} mistakes of its own; its log has each with a stack" },
	},
	"sandbox-restarts": {
		...{ metric: "sandboxRestarts", above: 60, clear: 30, window: "5m" },
		annotations: { summary: "{value} sandboxes were lost and replaced" },
	},
	"disk-nearly-full": {
		...{ metric: "diskUsedPercent", above: 90, clear: 88, window: "1m", noData: "keep", severity: "critical" },
		annotations: { summary: "the disk of the data folder is {value} % full" },
	},
	"log-entries-lost": {
		...{ metric: "logEntriesLost", above: 0, window: "5m", noData: "keep" },
		annotations: { summary: "{value} records and lines were lost before they were stored" },
	},
	"operator-receiver-failing": {
		...{ metric: "operatorReceiversFailing", above: 0, for: "5m" },
		annotations: { summary: "{value} receivers of the operator's cannot be told of alerts" },
	},
};

export const DEFAULT_RULES: ReadonlyMap<string, Rule> = new Map(
	Object.entries(DEFAULTS).map(([name, given]) => [name, { ...ruleSchema.parse(given), name, origin: "default" }]),
);
