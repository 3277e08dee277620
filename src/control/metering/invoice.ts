import type { PricedUnit, PriceList } from "../../config/pricing.ts";
import { addCounts, type Counts, noCounts } from "../../feed/usage.ts";
import type { FunctionName } from "../../names.ts";
import type { Micros } from "./money.ts";
import { apportioned, type Line, linesOf, quantityOf } from "./prices.ts";

/** What a tenant's month costs: the same sum by unit and tier, and by function. */
export interface Invoice {
	lines: Line[];
	functions: { name: FunctionName; counts: Counts; micros: Micros }[];
	total: Micros;
}

/**
 * A tenant's tiers and what is free count for all of its functions together; each unit's cost is then divided among
 * them by what they have used of it.
 */
export function invoiceOf(used: ReadonlyMap<FunctionName, Counts>, list: PriceList): Invoice {
	const names = [...used.keys()].sort();
	const all = noCounts();
	for (const counts of used.values()) addCounts(all, counts);
	const lines = linesOf(all, list);
	const costs = new Map<PricedUnit, Micros>();
	for (const { unit, micros } of lines) costs.set(unit, (costs.get(unit) ?? 0n) + micros);
	const functions = names.map((name) => ({ name, counts: used.get(name) as Counts, micros: 0n }));
	for (const [unit, micros] of costs) {
		const parts = apportioned(
			micros,
			functions.map(({ counts }) => quantityOf(counts, unit)),
		);
		for (const [i, part] of parts.entries()) functions[i].micros += part;
	}
	return { lines, functions, total: lines.reduce((sum, { micros }) => sum + micros, 0n) };
}
