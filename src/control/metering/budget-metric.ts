import { Gauge, type Registry } from "prom-client";
import type { Budgets } from "./budgets.ts";

/** So many budgets are told, those first that are used most. */
const MOST_SERIES = 1000;

/** Has a registry tell how much of their budgets tenants have used. */
export function addBudgetMetric(registry: Registry, budgets: Budgets): void {
	new Gauge({
		name: "atoll_budget_used_ratio",
		help: "The part of a tenant's budget that is used; 1 for all of it.",
		labelNames: ["atoll_tenant", "budget"],
		registers: [registry],
		collect() {
			this.reset();
			for (const { tenant, budget, ratio } of budgets.ratios(MOST_SERIES))
				this.set({ atoll_tenant: tenant, budget }, ratio);
		},
	});
}
