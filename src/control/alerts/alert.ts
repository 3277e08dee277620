import type { FunctionName, TenantName } from "../../names.ts";
import type { EpochMs, Milliseconds } from "../../units.ts";
import type { Clock } from "./clock.ts";
import type { Labels } from "./matcher.ts";
import { codeOf, type Origin, type Rule, thresholdOf, type Verdict } from "./rule.ts";

/** What a rule has found of a function, a tenant or the server. */
export interface Alert {
	/** `<rule>/<tenant>/<function>`, and of a tenant's own rule `own:<rule>/…`: there is one at a time. */
	id: string;
	rule: string;
	origin: Origin;
	/** Empty where it is of the server; and where it is of a tenant as a whole. */
	tenant: TenantName | "";
	function: FunctionName | "";
	state: "pending" | "firing" | "resolved";
	/** Since when it has been so without a break, by the clock of a start of the machine. */
	since: Milliseconds;
	boot: string;
	/** When it came to be so, and since it fires when it did; and when that was over. */
	startsAt: EpochMs;
	endsAt: EpochMs | null;
	/** As it was measured last; `null` where there was nothing to measure. */
	value: number | null;
	threshold: string;
	severity: Rule["severity"];
	labels: Labels;
	annotations: Record<string, string>;
}

/** What has become of an alert: `null` where nothing has. */
export type Transition = "pending" | "firing" | "resolved" | "dropped" | null;

export const idOf = (rule: Rule, tenant: string, name: string) => `${codeOf(rule)}/${tenant}/${name}`;

/** An alert as it is after a rule was evaluated; `null` for none. */
export function step(
	before: Alert | null,
	verdict: Verdict,
	{
		rule,
		of,
		value,
		forMs,
		clock,
	}: {
		rule: Rule;
		of: { tenant: TenantName; function: FunctionName };
		value: number | null;
		forMs: Milliseconds;
		clock: Clock;
	},
): { after: Alert | null; transition: Transition } {
	const current = before === null || before.state === "resolved" ? null : before;
	if (verdict === "unknown" || (verdict === "between" && current?.state === "firing")) {
		return { after: current === null ? before : { ...current, value: value ?? current.value }, transition: null };
	}
	if (verdict !== "breached") {
		if (current === null) return { after: before, transition: null };
		if (current.state === "pending") return { after: null, transition: "dropped" };
		return { after: { ...current, value, state: "resolved", endsAt: clock.wall() }, transition: "resolved" };
	}
	const told = { ...about(rule, of, value), id: idOf(rule, of.tenant, of.function) };
	const isHeld = current !== null && current.boot === clock.boot && current.since <= clock.monotonic();
	const since = isHeld ? current.since : clock.monotonic();
	const fires = current?.state === "firing" || clock.monotonic() - since >= forMs;
	const began = { since, boot: clock.boot, endsAt: null };
	if (current?.state === "firing") return { after: { ...current, ...told, ...began }, transition: null };
	const startsAt = fires || current === null ? clock.wall() : current.startsAt;
	const after: Alert = { ...told, ...began, startsAt, state: fires ? "firing" : "pending" };
	return { after, transition: after.state === current?.state ? null : after.state };
}

function about(
	rule: Rule,
	{ tenant, function: name }: { tenant: TenantName; function: FunctionName },
	value: number | null,
) {
	const labels: Record<string, string> = { ...rule.labels, alertname: rule.name, severity: rule.severity };
	if (tenant !== "") labels.tenant = tenant;
	if (name !== "") labels.function = name;
	const filled = (text: string) =>
		text
			.replaceAll("{value}", shown(value))
			.replaceAll("{tenant}", tenant)
			.replaceAll("{function}", name === "" ? "the tenant's functions" : name);
	return {
		rule: rule.name,
		origin: rule.origin,
		tenant,
		function: name,
		value,
		threshold: thresholdOf(rule),
		severity: rule.severity,
		labels,
		annotations: Object.fromEntries(Object.entries(rule.annotations).map(([key, text]) => [key, filled(text)])),
	};
}

/** A number as a person reads it. */
export function shown(value: number | null): string {
	return value === null ? "nothing" : String(Number(value.toPrecision(4)));
}
