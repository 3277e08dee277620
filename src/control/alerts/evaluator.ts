import { millisecondsOf } from "../../config/durations.ts";
import { type FunctionName, type TenantName, tenantOfKey } from "../../names.ts";
import type { Count, Milliseconds } from "../../units.ts";
import { type Alert, idOf, step, type Transition } from "./alert.ts";
import type { Book } from "./book.ts";
import type { Clock } from "./clock.ts";
import { isLike } from "./matcher.ts";
import { FUNCTION_METRICS, isEnough, isServerMetric } from "./metrics.ts";
import { codeOf, judge, type Rule, type Sample, scopeOf, type Verdict, windowOf } from "./rule.ts";
import type { RuleQueries } from "./rule-queries.ts";
import type { ServerMeasures } from "./server-measures.ts";
import { Slice } from "./slice.ts";
import type { Windows } from "./windows.ts";

/** A tenant has so many alerts at a time; and so many that are over are known. */
const MOST_ALERTS = 1000;
/** So much of a tenant is evaluated at a time; the rest comes with the next times. */
const MOST_STEPS = 20_000;
/** What is over is known for so long. */
const REMEMBERED_MS: Milliseconds = 90_000_000;

export interface EvaluatorParts {
	clock: Clock;
	book: Book;
	windows: Windows;
	server: ServerMeasures;
	queries: RuleQueries;
	/** How many receivers of a tenant fail, and how much of its budget it has used. */
	ofTenant: (metric: "receiversFailing" | "budgetPercent", tenant: TenantName) => number | null;
	/** Tenants of which more is known than what functions do. */
	others: () => Iterable<TenantName>;
	onTransition: (alert: Alert, transition: Transition) => void;
}

/** What a rule has to say of one function, tenant or the server now. */
export interface Evaluation {
	tenant: TenantName | "";
	function: FunctionName | "";
	value: number | null;
	requests: Count | null;
	verdict: Verdict;
}

/** Evaluates all rules for all that they look at, and knows the alerts that come of it. */
export class Evaluator {
	readonly #parts: EvaluatorParts;
	/** By tenant, and by what they are about; those of the server are of the empty one. */
	readonly #alerts = new Map<TenantName | "", Map<string, Alert>>();
	/** What rules could not be evaluated for, by `<tenant>/<code of the rule>`. */
	readonly #problems = new Map<string, string>();
	/** Who comes first is another one each time. */
	#times = 0;

	constructor(parts: EvaluatorParts, kept: ReadonlyMap<string, Alert>) {
		this.#parts = parts;
		for (const alert of kept.values()) this.#put(alert.tenant, alert.id, alert);
	}

	/** A tenant's alerts, or those of the server. */
	of(tenant: TenantName | ""): Iterable<Alert> {
		return this.#alerts.get(tenant)?.values() ?? [];
	}

	*all(): Generator<Alert> {
		for (const alerts of this.#alerts.values()) yield* alerts.values();
	}

	/** Why a rule could not be evaluated last time, or `null`. */
	problemOf(owner: TenantName | "", rule: Rule): string | null {
		return this.#problems.get(`${owner}/${codeOf(rule)}`) ?? null;
	}

	/** Forgets what rules have said that are no more. */
	forget(): void {
		const { book } = this.#parts;
		const has = (tenant: TenantName | "", code: string) => book.rulesOf(tenant).some((rule) => codeOf(rule) === code);
		for (const key of this.#problems.keys()) {
			const tenant = tenantOfKey(key);
			if (!has(tenant, key.slice(tenant.length + 1))) this.#problems.delete(key);
		}
	}

	async evaluate(): Promise<void> {
		const { book, windows, queries } = this.#parts;
		const slice = new Slice();
		const all = new Set(["", ...windows.tenants(), ...this.#alerts.keys(), ...book.ruling(), ...this.#parts.others()]);
		if (book.operatorRules().some(isForAbsent)) for (const tenant of book.tenants()) all.add(tenant);
		queries.refresh(new Map(["", ...book.ruling()].map((owner) => [owner, book.rulesOf(owner)])));
		for (const tenant of turned([...all], this.#times++)) {
			let room = MOST_STEPS;
			const rules = book.rulesOf(tenant);
			for (const rule of turned(rules, this.#times)) {
				const key = `${tenant}/${codeOf(rule)}`;
				try {
					const names = this.#looksAt(rule, tenant);
					const problem = queries.problemOf(tenant, rule);
					if (problem === null) this.#problems.delete(key);
					else this.#problems.set(key, problem);
					for (const name of names) {
						if (slice.isOver) await slice.pass();
						if (--room < 0) break;
						this.#step(rule, tenant, name);
					}
				} catch (error) {
					this.#problems.set(key, (error as Error).message.slice(0, 500));
				}
				if (room < 0) {
					this.#problems.set(key, "there are too many functions and rules to look at all of them at once");
					break;
				}
			}
			this.#tidy(tenant, rules);
			if (slice.isOver) await slice.pass();
		}
		windows.sweep();
	}

	/** What a rule says now, for whoever tries it out. Asks the log anew. */
	async test(rule: Rule, tenant: TenantName | ""): Promise<Evaluation[]> {
		const sample = rule.query === undefined ? null : await this.#parts.queries.ask(tenant, rule);
		const slice = new Slice();
		const found: Evaluation[] = [];
		for (const name of this.#looksAt(rule, tenant)) {
			const of = sample ?? this.#sample(rule, tenant, name);
			found.push({ tenant, function: name, value: of.value, requests: of.requests, verdict: judge(rule, of) });
			if (slice.isOver) await slice.pass();
		}
		return found;
	}

	/** The functions that a rule is evaluated for; an empty name is the tenant as a whole, or the server. */
	#looksAt(rule: Rule, tenant: TenantName | ""): FunctionName[] {
		if (!rule.enabled) return [];
		if (scopeOf(rule) !== "function") return [""];
		const { book, windows } = this.#parts;
		const known = [...this.of(tenant)].filter(
			(alert) => alert.id === idOf(rule, tenant, alert.function) && alert.function !== "",
		);
		const names = new Set([
			...windows.functionsOf(tenant),
			...known.map((alert) => alert.function),
			...(isForAbsent(rule) ? book.functionsOf(tenant) : []),
		]);
		const all = [...names].filter((name) => isLike(name, rule.functions) && book.hasFunction(tenant, name));
		return turned(all, this.#times * 97);
	}

	#sample(rule: Rule, tenant: TenantName | "", name: FunctionName): Sample {
		const { windows, server, ofTenant, book, queries } = this.#parts;
		const { metric } = rule;
		const window = windowOf(rule);
		if (rule.query !== undefined) return queries.sample(tenant, rule);
		if (isServerMetric(metric)) return server.read(metric, window);
		if (metric === "receiversFailing" || metric === "budgetPercent")
			return { value: ofTenant(metric, tenant), requests: null, whole: true };
		const names = name === "" ? windows.functionsOf(tenant).filter((one) => isLike(one, rule.functions)) : [name];
		const counts = windows.counts(
			tenant,
			names.filter((one) => book.hasFunction(tenant, one)),
			window,
		);
		const value = FUNCTION_METRICS[metric as string](counts, window);
		const requests = counts.get("requests");
		// That there was no request is what some rules are for, and for others nothing to go by.
		const isNothing = requests === 0 && rule.noData !== "ok" && rule.below === undefined;
		// What is younger than the window could not do more in it.
		const isYoung = name !== "" && this.#parts.clock.wall() - book.createdAt(tenant, name) < window;
		const isKnown = windows.covers(window) && !(isYoung && rule.below !== undefined);
		const whole = isKnown || isEnough(metric as string, requests, rule.minRequests);
		return { value: isNothing ? null : value, requests, whole };
	}

	#step(rule: Rule, tenant: TenantName | "", name: FunctionName): void {
		const { clock } = this.#parts;
		const id = idOf(rule, tenant, name);
		const before = this.#alerts.get(tenant)?.get(id) ?? null;
		const sample = this.#sample(rule, tenant, name);
		const verdict = judge(rule, sample);
		if (before === null && verdict !== "breached") return;
		if (before === null && (this.#alerts.get(tenant)?.size ?? 0) >= 2 * MOST_ALERTS) {
			this.#problems.set(`${tenant}/${codeOf(rule)}`, `there are ${MOST_ALERTS} alerts at most: no more are told`);
			return;
		}
		const of = { tenant, function: name };
		const { after, transition } = step(before, verdict, {
			rule,
			of,
			value: sample.value,
			forMs: millisecondsOf(rule.for),
			clock,
		});
		this.#put(tenant, id, after);
		if (transition !== null) this.#parts.onTransition((after ?? before) as Alert, transition);
	}

	#put(tenant: TenantName | "", id: string, alert: Alert | null): void {
		const own = this.#alerts.get(tenant) ?? new Map<string, Alert>();
		if (alert === null) own.delete(id);
		else own.set(id, alert);
		if (own.size === 0) this.#alerts.delete(tenant);
		else this.#alerts.set(tenant, own);
	}

	/** Ends alerts whose rule or function is no more, and forgets what has been over for long. */
	#tidy(tenant: TenantName | "", rules: readonly Rule[]): void {
		const { book, clock, onTransition } = this.#parts;
		const byCode = new Map(rules.map((rule) => [codeOf(rule), rule]));
		const over: Alert[] = [];
		for (const alert of [...this.of(tenant)]) {
			if (alert.state === "resolved") {
				over.push(alert);
				continue;
			}
			const rule = byCode.get(alert.id.slice(0, alert.id.indexOf("/")));
			const { function: name } = alert;
			const isOfFunction = name !== "";
			const isMeant =
				rule?.enabled === true &&
				(scopeOf(rule) === "function") === isOfFunction &&
				(!isOfFunction || (isLike(name, rule.functions) && book.hasFunction(tenant, name)));
			if (isMeant) continue;
			const isFiring = alert.state === "firing";
			const after: Alert | null = isFiring ? { ...alert, state: "resolved", endsAt: clock.wall() } : null;
			this.#put(tenant, alert.id, after);
			onTransition(after ?? alert, isFiring ? "resolved" : "dropped");
		}
		over.sort((a, b) => (b.endsAt ?? 0) - (a.endsAt ?? 0));
		for (const [at, alert] of over.entries()) {
			if (at < MOST_ALERTS && clock.wall() - (alert.endsAt ?? 0) < REMEMBERED_MS) continue;
			this.#put(tenant, alert.id, null);
			onTransition(alert, "dropped");
		}
	}
}

/** Whether a rule looks at functions that do nothing, too. */
function isForAbsent(rule: Rule): boolean {
	return rule.enabled && scopeOf(rule) !== "server" && (rule.below !== undefined || rule.noData === "fire");
}

/** A list that begins with another of its elements each time. */
function turned<T>(all: readonly T[], times: Count): T[] {
	const at = all.length === 0 ? 0 : times % all.length;
	return [...all.slice(at), ...all.slice(0, at)];
}
