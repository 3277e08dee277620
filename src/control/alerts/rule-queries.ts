import type { LogQuery, LogResult } from "../../logs/calls.ts";
import { parseQuery } from "../../logs/query/parser.ts";
import type { TenantName } from "../../names.ts";
import type { Count, Milliseconds } from "../../units.ts";
import type { Clock } from "./clock.ts";
import { codeOf, type Rule, type Sample, windowOf } from "./rule.ts";

/** A query is asked again after a twentieth of its window. */
const PART = 20;
/** So many are asked at a time, one of each tenant and one of the operator. */
const MOST_ASKED = 4;
/** So many groups are looked at for the largest. */
const MOST_ROWS = 1000;
const UNKNOWN: Sample = { value: null, requests: null, whole: false };

/** What the log is asked; `null` where there is none. */
export type Ask = ((query: LogQuery) => Promise<LogResult>) | null;

/** A rule's query, and what was answered last. */
interface Asked {
	tenant: TenantName | "";
	rule: Rule;
	/** When it was asked last. */
	asked: Milliseconds;
	/** When that was asked which was answered last; without an answer, when the rule came to be known. */
	answered: Milliseconds;
	sample: Sample;
	problem: string | null;
}

/** What the queries of rules give: asked beside the evaluation, which goes by what was answered last. */
export class RuleQueries {
	readonly #ask: Ask;
	readonly #clock: Clock;
	#all = new Map<string, Asked>();
	readonly #asking = new Set<TenantName | "">();
	/** When a tenant was asked for last. */
	readonly #turns = new Map<TenantName | "", Milliseconds>();
	/** When the rules were told last, and the time before. */
	#refreshed: [before: Milliseconds, last: Milliseconds] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
	#stopped = false;

	constructor(ask: Ask, clock: Clock) {
		this.#ask = ask;
		this.#clock = clock;
	}

	/** Whether an answer is older than its window; that of the evaluation before never is. */
	#isOld({ answered, rule }: Asked): boolean {
		return answered < this.#refreshed[0] && this.#clock.monotonic() - answered > windowOf(rule);
	}

	/** What was answered last; unknown where that is older than the rule's window. */
	sample(tenant: TenantName | "", rule: Rule): Sample {
		const one = this.#all.get(keyOf(tenant, rule));
		return one === undefined || this.#isOld(one) ? UNKNOWN : one.sample;
	}

	/** Why nothing is known, or `null`. */
	problemOf(tenant: TenantName | "", rule: Rule): string | null {
		const one = this.#all.get(keyOf(tenant, rule));
		if (one === undefined || one.problem !== null || !this.#isOld(one)) return one?.problem ?? null;
		return `its query has had no answer for longer than ${rule.window}: there are too many queries, or they take too long`;
	}

	/** Has queries be asked for these rules, by whose they are, and forgets all others. */
	refresh(rules: ReadonlyMap<TenantName | "", readonly Rule[]>): void {
		const all = new Map<string, Asked>();
		const never = Number.NEGATIVE_INFINITY;
		for (const [tenant, own] of rules)
			for (const rule of own) {
				if (rule.query === undefined || !rule.enabled) continue;
				const key = keyOf(tenant, rule);
				const known = this.#all.get(key);
				const fresh = { asked: never, answered: this.#clock.monotonic(), sample: UNKNOWN, problem: null };
				if (known !== undefined && queryOf(known.rule) === queryOf(rule)) all.set(key, known);
				else all.set(key, { tenant, rule, ...fresh });
			}
		this.#all = all;
		this.#refreshed = [this.#refreshed[1], this.#clock.monotonic()];
		for (const tenant of this.#turns.keys()) if (!rules.has(tenant)) this.#turns.delete(tenant);
		this.#fill();
	}

	/**
	 * Asks what is due, as much as there is room for: the operator's first, which is one at a time, then that of the
	 * tenant whose turn was the longest ago; of each the most overdue.
	 */
	#fill(): void {
		if (this.#stopped) return;
		const now = this.#clock.monotonic();
		const dueOf = ({ asked, rule }: Asked) => asked + windowOf(rule) / PART;
		const most = new Map<TenantName | "", Asked>();
		for (const one of this.#all.values()) {
			if (this.#asking.has(one.tenant) || dueOf(one) > now) continue;
			const other = most.get(one.tenant);
			if (other === undefined || dueOf(one) < dueOf(other)) most.set(one.tenant, one);
		}
		const never = Number.NEGATIVE_INFINITY;
		const turnOf = ({ tenant }: Asked) => (tenant === "" ? never : (this.#turns.get(tenant) ?? never));
		const next = [...most.values()].sort((a, b) => compared(turnOf(a), turnOf(b)) || compared(a.tenant, b.tenant));
		for (const one of next.slice(0, MOST_ASKED - this.#asking.size)) this.#start(one, now);
	}

	#start(one: Asked, now: Milliseconds): void {
		one.asked = now;
		this.#turns.set(one.tenant, now);
		this.#asking.add(one.tenant);
		const keep = (sample: Sample, problem: string | null) => {
			Object.assign(one, { answered: now, sample, problem });
			this.#asking.delete(one.tenant);
			this.#fill();
		};
		this.ask(one.tenant, one.rule).then(
			(sample) => keep(sample, null),
			(error: Error) => keep(UNKNOWN, error.message.slice(0, 500)),
		);
	}

	/** Asks nothing any more. */
	stop(): void {
		this.#stopped = true;
	}

	/** What a rule's query gives now. */
	async ask(tenant: TenantName | "", rule: Rule): Promise<Sample> {
		if (this.#ask === null) throw new Error("there is no log to ask");
		const until = this.#clock.wall();
		const { rows, whole } = await this.#ask({
			...{ query: counting(rule.query as string), tenant: tenant === "" ? null : tenant, functions: null },
			...{ since: until - windowOf(rule), until, limit: MOST_ROWS, cursor: null },
		});
		const largest = rows.map(numberIn).reduce((most, number) => Math.max(most, number), Number.NEGATIVE_INFINITY);
		return { value: rows.length === 0 ? 0 : largest, requests: null, whole };
	}
}

const compared = <T extends string | number>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);
const keyOf = (tenant: TenantName | "", rule: Rule) => `${tenant}/${codeOf(rule)}`;
const queryOf = (rule: Rule) => `${rule.window} ${rule.query}`;

/** The last number of a row. */
function numberIn(row: readonly (string | number | null)[]): Count {
	return (row.findLast((cell) => typeof cell === "number") as number | undefined) ?? 0;
}

/** A query that groups is asked as it is, and of any other one how much it finds. */
function counting(query: string): string {
	return parseQuery(query).grouping === null ? `${query} | count` : query;
}
