import { PRICED, type PricedUnit, type PriceList, type UnitPrice } from "../../config/pricing.ts";
import { COUNTS, type Counts } from "../../feed/usage.ts";
import { type Micros, microsOf } from "./money.ts";

/** Which counter a priced unit is counted by, and how many of the counter's one unit is. */
const UNITS: Record<PricedUnit, { count: (typeof COUNTS)[number]; size: bigint }> = {
	requests: { count: "requests", size: 1n },
	cpuMs: { count: "cpuUs", size: 1000n },
	gbSeconds: { count: "memoryMbMs", size: 1_024_000n },
	provisionedGbSeconds: { count: "provisionedMbMs", size: 1_024_000n },
	gbOut: { count: "bytesOut", size: 1_000_000_000n },
	bindingCalls: { count: "bindingCalls", size: 1n },
	coldStarts: { count: "coldStarts", size: 1n },
};

/** What a part of a month's use costs: that of one unit within one tier. */
export interface Line {
	unit: PricedUnit;
	/** The tier's beginning and its end, in units; `null` for none. */
	from: number;
	upTo: number | null;
	/** In units. */
	quantity: number;
	/** What `per` units cost. */
	price: Micros;
	per: number;
	micros: Micros;
}

/** A tier in what its unit is counted by. */
interface Tier {
	from: bigint;
	upTo: bigint | null;
	price: Micros;
}

function tiersOf({ price, free, tiers }: UnitPrice, size: bigint): Tier[] {
	const all: Tier[] = [];
	let from = 0n;
	const add = (upTo: number | null, micros: Micros) => {
		const end = upTo === null ? null : BigInt(upTo) * size;
		all.push({ from, upTo: end, price: micros });
		from = end ?? from;
	};
	if (free > 0) add(free, 0n);
	for (const tier of tiers ?? []) add(tier.upTo ?? null, microsOf(tier.price));
	if (price !== undefined) add(null, microsOf(price));
	return all;
}

/** The nearest whole number; half of one is one more. */
const divided = (dividend: bigint, divisor: bigint) => (2n * dividend + divisor) / (2n * divisor);

export const quantityOf = (counts: Counts, unit: PricedUnit): bigint =>
	BigInt(counts[COUNTS.indexOf(UNITS[unit].count)]);

/** Counted units as a person reads them. */
const inUnits = (counted: bigint, unit: PricedUnit): number => Number(counted) / Number(UNITS[unit].size);

/** What a month's use of a tenant costs, by unit and tier. */
export function linesOf(counts: Counts, list: PriceList): Line[] {
	const lines: Line[] = [];
	for (const unit of PRICED) {
		const price = list[unit];
		const used = quantityOf(counts, unit);
		if (price === undefined || used === 0n) continue;
		const { size } = UNITS[unit];
		for (const { from, upTo, price: micros } of tiersOf(price, size)) {
			if (used <= from) break;
			const within = (upTo !== null && upTo < used ? upTo : used) - from;
			lines.push({
				unit,
				from: inUnits(from, unit),
				upTo: upTo === null ? null : inUnits(upTo, unit),
				quantity: inUnits(within, unit),
				price: micros,
				per: price.per,
				micros: divided(within * micros, BigInt(price.per) * size),
			});
		}
	}
	return lines;
}

/** What it costs in all. */
export const costOf = (counts: Counts, list: PriceList): Micros =>
	linesOf(counts, list).reduce((sum, { micros }) => sum + micros, 0n);

/** An amount divided by weights, whole and with nothing left over: the largest remainders get what is left. */
export function apportioned(amount: Micros, weights: readonly bigint[]): Micros[] {
	const whole = weights.reduce((sum, weight) => sum + weight, 0n);
	if (whole === 0n) return weights.map(() => 0n);
	const parts = weights.map((weight) => (amount * weight) / whole);
	const left = Number(amount - parts.reduce((sum, part) => sum + part, 0n));
	const byRemainder = weights
		.map((weight, i) => ({ i, remainder: (amount * weight) % whole }))
		.sort((a, b) => (a.remainder === b.remainder ? a.i - b.i : a.remainder > b.remainder ? -1 : 1));
	for (const { i } of byRemainder.slice(0, left)) parts[i]++;
	return parts;
}
