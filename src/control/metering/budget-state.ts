import type { PriceList } from "../../config/pricing.ts";
import { COUNTS, type Counts, type Day } from "../../feed/usage.ts";
import type { RefusedTenant } from "../../limits/refusals.ts";
import type { BalanceDocument, BudgetDocument } from "../store/documents.ts";
import { amountOf, type Micros, microsOf } from "./money.ts";
import { daysOf, type Month, monthFrom, monthOf } from "./months.ts";
import { costOf } from "./prices.ts";

export const BUDGETS = [
	...(["requestsPerDay", "requestsPerMonth", "cpuMsPerDay", "cpuMsPerMonth"] as const),
	...(["amountPerMonth", "balance"] as const),
] as const;

/** How much of a budget is gone. */
export interface BudgetState {
	budget: (typeof BUDGETS)[number];
	/** The day or month that it is for; for a balance what was credited by then. */
	period: string;
	/** Money as a decimal, else a number. */
	limit: number | string;
	used: number | string;
	/** The part of it that is used; 1 for all of it. */
	ratio: number;
	state: "ok" | "warned" | "exhausted";
}

/** What a tenant may use, and what it has used. */
export interface BudgetUse {
	budget: BudgetDocument | null;
	balance: BalanceDocument | null;
	/** `null` where nothing has a price. */
	prices: PriceList | null;
	today: Day;
	/** What was used from a day to another one. */
	total: (from: Day, to: Day) => Counts;
}

const WARN_AT = 0.8;

/** How much of each of a tenant's budgets is gone. */
export function statesOf({ budget, balance, prices, today, total }: BudgetUse): BudgetState[] {
	const month = monthOf(today);
	const days = daysOf(month);
	const warnAt = budget?.warnAt ?? WARN_AT;
	const state = (ratio: number) => (ratio >= 1 ? "exhausted" : ratio >= warnAt ? "warned" : "ok");
	const states: BudgetState[] = [];
	const count = (name: BudgetState["budget"], limit: number | null | undefined, period: string, used: () => number) => {
		if (limit === null || limit === undefined) return;
		const now = used();
		const ratio = limit === 0 ? 1 : now / limit;
		states.push({ budget: name, period, limit, used: now, ratio, state: state(ratio) });
	};
	const money = (name: BudgetState["budget"], limit: Micros, period: string, used: Micros) => {
		const ratio = used >= limit ? Math.max(1, ratioOf(used, limit)) : ratioOf(used, limit);
		const told = { limit: amountOf(limit), used: amountOf(used) };
		states.push({ budget: name, period, ...told, ratio, state: state(ratio) });
	};
	const requests = (from: Day, to: Day) => total(from, to)[COUNTS.indexOf("requests")];
	const cpuMs = (from: Day, to: Day) => total(from, to)[COUNTS.indexOf("cpuUs")] / 1000;
	count("requestsPerDay", budget?.requestsPerDay, today, () => requests(today, today));
	count("requestsPerMonth", budget?.requestsPerMonth, month, () => requests(days.from, days.to));
	count("cpuMsPerDay", budget?.cpuMsPerDay, today, () => cpuMs(today, today));
	count("cpuMsPerMonth", budget?.cpuMsPerMonth, month, () => cpuMs(days.from, days.to));
	if (prices === null) return states;
	const { amountPerMonth = null } = budget ?? {};
	if (amountPerMonth !== null)
		money("amountPerMonth", microsOf(amountPerMonth), month, costOf(total(days.from, days.to), prices));
	if (balance !== null)
		money("balance", microsOf(balance.credited), balance.credited, spentOf(balance, prices, month, total));
	return states;
}

const ratioOf = (used: Micros, limit: Micros) => (limit === 0n ? 1 : Number(used) / Number(limit));

/** What of a balance is gone. */
export function spentOf(
	{ spent, month: first }: BalanceDocument,
	prices: PriceList,
	month: Month,
	total: BudgetUse["total"],
): Micros {
	let micros = microsOf(spent);
	for (let one = first; one <= month; one = monthFrom(one, 1)) {
		const { from, to } = daysOf(one);
		micros += costOf(total(from, to), prices);
	}
	return micros;
}

/** Why a tenant is refused, and until when: by what lasts longest; `null` where it is not. */
export function refusalOf(tenant: string, states: readonly BudgetState[]): RefusedTenant | null {
	let refused: RefusedTenant | null = null;
	for (const { budget, period, state } of states) {
		if (state !== "exhausted") continue;
		const code = budget === "balance" || budget === "amountPerMonth" ? "budget_exhausted" : "quota_exceeded";
		const until = budget === "balance" ? null : endOf(period);
		if (refused === null || until === null || (refused.until !== null && until > refused.until))
			refused = { tenant, code, until };
	}
	return refused;
}

/** When a day or a month is over. */
function endOf(period: string): number {
	const DAY_MS = 24 * 3600_000;
	return period.length > 7 ? Date.parse(period) + DAY_MS : Date.parse(`${monthFrom(period, 1)}-01`);
}
