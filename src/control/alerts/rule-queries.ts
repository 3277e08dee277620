import type { LogQuery, LogResult } from "../../logs/calls.ts";
import { parseQuery } from "../../logs/query/parser.ts";
import type { TenantName } from "../../names.ts";
import type { Count, Milliseconds } from "../../units.ts";
import type { Clock } from "./clock.ts";
import { type Rule, type Sample, windowOf } from "./rule.ts";

/** A query is asked again after a twentieth of its window. */
const PART = 20;
/** So many are asked at a time, one of each tenant. */
const MOST_ASKED = 4;
/** So many groups are looked at for the largest. */
const MOST_ROWS = 1000;
const UNKNOWN: Sample = { value: null, requests: null, whole: false };

/** What the log is asked; `null` where there is none. */
export type Ask = ((query: LogQuery) => Promise<LogResult>) | null;

interface Answer {
	/** What was asked, and when. */
	query: string;
	asked: Milliseconds;
	sample: Sample;
	problem: string | null;
}

/** What the queries of rules give: asked beside the evaluation, which goes by what was answered last. */
export class RuleQueries {
	readonly #ask: Ask;
	readonly #clock: Clock;
	readonly #answers = new Map<string, Answer>();
	readonly #asking = new Set<TenantName | "">();

	constructor(ask: Ask, clock: Clock) {
		this.#ask = ask;
		this.#clock = clock;
	}

	#answer(tenant: TenantName | "", rule: Rule): Answer | null {
		const answer = this.#answers.get(`${tenant}/${rule.name}`);
		return answer?.query === queryOf(rule) ? answer : null;
	}

	sample(tenant: TenantName | "", rule: Rule): Sample {
		return this.#answer(tenant, rule)?.sample ?? UNKNOWN;
	}

	/** Why there was no answer last time, or `null`. */
	problemOf(tenant: TenantName | "", rule: Rule): string | null {
		return this.#answer(tenant, rule)?.problem ?? null;
	}

	/** Asks anew for that of a tenant's rules which was not asked for the longest, where it is time and there is room. */
	refresh(tenant: TenantName | "", rules: readonly Rule[]): void {
		if (this.#asking.size >= MOST_ASKED || this.#asking.has(tenant)) return;
		const asked = this.#clock.monotonic();
		const ageOf = (rule: Rule) => asked - (this.#answer(tenant, rule)?.asked ?? Number.NEGATIVE_INFINITY);
		const due = rules.filter(
			(rule) => rule.query !== undefined && rule.enabled && ageOf(rule) >= windowOf(rule) / PART,
		);
		if (due.length === 0) return;
		const rule = due.reduce((oldest, one) => (ageOf(one) > ageOf(oldest) ? one : oldest));
		this.#asking.add(tenant);
		const keep = (sample: Sample, problem: string | null) => {
			this.#asking.delete(tenant);
			this.#answers.set(`${tenant}/${rule.name}`, { query: queryOf(rule), asked, sample, problem });
		};
		this.ask(tenant, rule).then(
			(sample) => keep(sample, null),
			(error: Error) => keep(UNKNOWN, error.message.slice(0, 500)),
		);
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

	/** Forgets rules that are no more. */
	keep(has: (tenant: TenantName | "", rule: string) => boolean): void {
		for (const key of this.#answers.keys()) {
			const at = key.indexOf("/");
			if (!has(key.slice(0, at), key.slice(at + 1))) this.#answers.delete(key);
		}
	}
}

const queryOf = (rule: Rule) => `${rule.window} ${rule.query}`;

/** The last number of a row. */
function numberIn(row: readonly (string | number | null)[]): Count {
	return (row.findLast((cell) => typeof cell === "number") as number | undefined) ?? 0;
}

/** A query that groups is asked as it is, and of any other one how much it finds. */
function counting(query: string): string {
	return parseQuery(query).grouping === null ? `${query} | count` : query;
}
