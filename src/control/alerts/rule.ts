import { z } from "zod";
import { labelName } from "../../config/alert-receivers.ts";
import { duration, millisecondsOf } from "../../config/durations.ts";
import type { TenantName } from "../../names.ts";
import type { Count, Milliseconds } from "../../units.ts";
import { isLike } from "./matcher.ts";
import { isServerMetric, isTenantMetric, METRICS } from "./metrics.ts";

/** They are few, since each is a sum of its own for each function. */
const WINDOWS = ["1m", "2m", "5m", "10m", "15m", "30m", "1h", "2h", "6h", "12h", "24h"] as const;
/** Labels that alerts have without their rules having said so. */
export const RESERVED = ["alertname", "severity", "tenant", "function"];

const pattern = z
	.string()
	.regex(/^[\w.*-]{1,63}$/, "must be a name, in which * stands for anything")
	.default("*");
const texts = (most: number) =>
	z
		.record(labelName, z.string().max(most))
		.refine((record) => Object.keys(record).length <= 10, { error: "must be 10 at most" })
		.refine((record) => Object.values(record).join("").length <= 2 * most, {
			error: `must be ${2 * most} letters at most`,
		})
		.default({});

/** When there is an alert, as the API takes it. */
export const ruleSchema = z
	.strictObject({
		metric: z
			.enum(METRICS as [string, ...string[]])
			.optional()
			.meta({
				description: "What is measured: docs/observability.md has all of them.",
			}),
		query: z.string().min(1).max(1000).optional().meta({
			description: "Or a query over the log, of which the invocations that it finds within the window are counted.",
		}),
		functions: pattern.meta({ description: "The functions that are looked at; * stands for anything." }),
		tenants: pattern.meta({ description: "Of the operator's rules: the tenants that are." }),
		per: z.enum(["function", "tenant"]).default("function").meta({
			description: "Whether each function has alerts of its own, or the tenant has one for all of them together.",
		}),
		window: z.enum(WINDOWS).default("5m").meta({ description: "It is what was within so long." }),
		above: z.number().optional().meta({ description: "There is an alert where it is more than this." }),
		below: z.number().optional().meta({ description: "Or where it is less than this." }),
		clear: z.number().optional().meta({
			description: "The alert is over once it is no more than this, or of below no less. Default: the same number.",
		}),
		for: duration("0s", "1d").default("0s").meta({ description: "It has to be so for so long." }),
		minRequests: z.number().int().min(0).max(1_000_000).default(0).meta({
			description: "With fewer invocations within the window there is no alert.",
		}),
		noData: z.enum(["ok", "fire", "keep"]).default("ok").meta({
			description: "Where there is nothing to measure: no alert, an alert, or what there was.",
		}),
		severity: z.enum(["info", "warning", "critical"]).default("warning"),
		labels: texts(200).meta({ description: "Further labels of its alerts." }),
		annotations: texts(1000).meta({
			description: "Text for people; {value}, {tenant} and {function} stand for what they say.",
		}),
		enabled: z.boolean().default(true),
	})
	.superRefine((rule, { addIssue }) => {
		const wrong = (path: string, message: string) => addIssue({ code: "custom", path: [path], message });
		const { metric, query, above, below, clear } = rule;
		if ((metric === undefined) === (query === undefined)) wrong("metric", "a rule has a metric or a query");
		if ((above === undefined) === (below === undefined)) wrong("above", "a rule has above or below");
		if (clear !== undefined && above !== undefined && clear > above) wrong("clear", "must not be more than above");
		if (clear !== undefined && below !== undefined && clear < below) wrong("clear", "must not be less than below");
		if (query !== undefined && rule.functions !== "*") wrong("functions", "a query says itself of which functions");
		if (query !== undefined && rule.minRequests > 0) wrong("minRequests", "is for metrics of functions");
		for (const label of Object.keys(rule.labels))
			if (RESERVED.includes(label)) wrong("labels", `${label} is a label that every alert has`);
	});

/** A rule, checked. */
export type RuleSettings = z.output<typeof ruleSchema>;

/** Who has made a rule. */
export type Origin = "default" | "operator" | "tenant";

/** A rule as it is evaluated for a tenant. */
export interface Rule extends RuleSettings {
	name: string;
	origin: Origin;
}

/** What a rule is told apart by: one of a tenant's own may be called as one of the operator's is. */
export const codeOf = ({ name, origin }: Pick<Rule, "name" | "origin">) => (origin === "tenant" ? `own:${name}` : name);

/** What a rule looks at: each of a tenant's functions, a tenant as a whole, or the server. */
export type Scope = "function" | "tenant" | "server";

export function scopeOf({ metric, query, per, origin }: Rule): Scope {
	if (isServerMetric(metric)) return "server";
	// An operator's query asks for all tenants at once.
	if (query !== undefined) return origin === "tenant" ? "tenant" : "server";
	return isTenantMetric(metric) ? "tenant" : per;
}

/** Whether a rule is for a tenant at all. */
export const isForTenant = ({ tenants }: RuleSettings, tenant: TenantName) => isLike(tenant, tenants);

export const windowOf = ({ window }: RuleSettings): Milliseconds => millisecondsOf(window);

/** What was measured of something at a time. */
export interface Sample {
	/** `null` where there was nothing to measure. */
	value: number | null;
	/** How many invocations that is from; `null` where it is from none. */
	requests: Count | null;
	/** Whether all that was within the window is known. */
	whole: boolean;
}

/** What a rule has to say of a sample. `between` is past its end and short of its beginning. */
export type Verdict = "breached" | "between" | "calm" | "unknown";

export function judge(rule: RuleSettings, { value, requests, whole }: Sample): Verdict {
	const verdict = judgeWhole(rule, value, requests);
	if (whole) return verdict;
	// What is not known yet can make more of it, and never less.
	return verdict === "breached" && rule.above !== undefined && value !== null ? verdict : "unknown";
}

function judgeWhole(
	{ above, below, clear, minRequests, noData }: RuleSettings,
	value: number | null,
	requests: Count | null,
): Verdict {
	if (value === null || Number.isNaN(value))
		return ({ ok: "calm", fire: "breached", keep: "unknown" } as const)[noData];
	if (requests !== null && requests < minRequests) return noData === "keep" ? "unknown" : "calm";
	if (above !== undefined) return value > above ? "breached" : value <= (clear ?? above) ? "calm" : "between";
	const least = below as number;
	return value < least ? "breached" : value >= (clear ?? least) ? "calm" : "between";
}

/** What a rule is exceeded at, for people; and where an alert is over at another number, at which. */
export function thresholdOf({ above, below, clear }: RuleSettings): string {
	const exceeded = above !== undefined ? `> ${above}` : `< ${below}`;
	return clear === undefined || clear === (above ?? below) ? exceeded : `${exceeded}, over at ${clear}`;
}
