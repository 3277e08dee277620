import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { check } from "../../../src/config/check.ts";
import { type PriceList, type Pricing, pricingSchema } from "../../../src/config/pricing.ts";
import { invoiceOf } from "../../../src/control/metering/invoice.ts";
import { amountOf, microsOf } from "../../../src/control/metering/money.ts";
import { apportioned, costOf, linesOf } from "../../../src/control/metering/prices.ts";
import { COUNTS, type Counts } from "../../../src/feed/usage.ts";

const listOf = (prices: object): PriceList => check<Pricing>(pricingSchema, { currency: "EUR", prices }, "here").prices;
const used = (counts: Partial<Record<(typeof COUNTS)[number], number>>): Counts =>
	COUNTS.map((name) => counts[name] ?? 0);

test("a month's use is priced by its tiers, of which the first may be free", () => {
	const list = listOf({
		requests: { per: 1_000_000, free: 1_000_000, tiers: [{ upTo: 10_000_000, price: "0.30" }, { price: "0.20" }] },
		cpuMs: { per: 1_000_000, price: "0.02" },
		gbOut: { price: "0.09" },
	});
	const lines = linesOf(used({ requests: 12_500_000, cpuUs: 1_500_000_000, bytesOut: 2_500_000_000 }), list);
	assert.deepEqual(
		lines.map(({ unit, from, upTo, quantity, micros }) => [unit, from, upTo, quantity, amountOf(micros)]),
		[
			["requests", 0, 1_000_000, 1_000_000, "0.00"],
			["requests", 1_000_000, 10_000_000, 9_000_000, "2.70"],
			["requests", 10_000_000, null, 2_500_000, "0.50"],
			["cpuMs", 0, null, 1_500_000, "0.03"],
			["gbOut", 0, null, 2.5, "0.225"],
		],
	);
	assert.equal(amountOf(costOf(used({}), list)), "0.00");
	// As AWS has it: a GB for a second, and what is held ready at a price of its own.
	const memory = listOf({
		gbSeconds: { per: 1000, price: "0.016667" },
		provisionedGbSeconds: { per: 1000, price: "0.004167" },
	});
	const gb = { memoryMbMs: 1024 * 1000 * 1000, provisionedMbMs: 1024 * 1000 * 1000 };
	assert.equal(amountOf(costOf(used(gb), memory)), "0.020834");
});

test("money is whole, however it is written", () => {
	fc.assert(fc.property(fc.bigInt(-(10n ** 15n), 10n ** 15n), (micros) => microsOf(amountOf(micros)) === micros));
	assert.equal(amountOf(-1_500_000n), "-1.50");
});

const counts = fc.tuple(...COUNTS.map(() => fc.integer({ min: 0, max: 1e12 }))).map((all): Counts => [...all]);
const price = fc.integer({ min: 0, max: 1e8 }).map((micros) => amountOf(BigInt(micros)));
const tiers = fc
	.record({
		free: fc.integer({ min: 0, max: 1e6 }),
		steps: fc.array(fc.tuple(fc.integer({ min: 1, max: 1e6 }), price)),
		last: price,
		per: fc.integer({ min: 1, max: 1e6 }),
	})
	.map(({ free, steps, last, per }) => {
		let end = free;
		const all = steps.slice(0, 10).map(([more, of]) => {
			end += more;
			return { upTo: end, price: of };
		});
		return { per, free, tiers: [...all, { price: last }] };
	});
const lists = fc.record({ requests: tiers, cpuMs: tiers, gbSeconds: tiers, gbOut: tiers }).map(listOf);

test("an invoice's lines add up to its total, and so do its functions' parts", () => {
	fc.assert(
		fc.property(fc.dictionary(fc.string({ minLength: 1 }), counts), lists, (byFunction, list) => {
			const invoice = invoiceOf(new Map(Object.entries(byFunction)), list);
			const sum = (all: { micros: bigint }[]) => all.reduce((whole, { micros }) => whole + micros, 0n);
			assert.equal(sum(invoice.lines), invoice.total);
			assert.equal(sum(invoice.functions), invoice.total);
			assert.ok(invoice.functions.every(({ micros }) => micros >= 0n));
		}),
	);
});

test("tiers are continuous: one unit more costs one unit's price more, and never less than before", () => {
	fc.assert(
		fc.property(lists, fc.integer({ min: 0, max: 2e7 }), (list, requests) => {
			const [before, after] = [requests, requests + 1].map((n) => costOf(used({ requests: n }), list));
			const { tiers: all = [], per } = list.requests as NonNullable<PriceList["requests"]>;
			const dearest = all.reduce((most, { price: of }) => (microsOf(of) > most ? microsOf(of) : most), 0n);
			// A line is rounded to a millionth, at either end of a tier.
			assert.ok(after >= before && after - before <= dearest / BigInt(per) + 2n, `${before} ${after}`);
		}),
	);
});

test("what is divided is divided as a whole, and by weight", () => {
	fc.assert(
		fc.property(fc.bigInt(0n, 10n ** 12n), fc.array(fc.bigInt(0n, 10n ** 12n), { minLength: 1 }), (amount, weights) => {
			const parts = apportioned(amount, weights);
			const whole = weights.reduce((sum, one) => sum + one, 0n);
			assert.equal(
				parts.reduce((sum, one) => sum + one, 0n),
				whole === 0n ? 0n : amount,
			);
			for (const [i, part] of parts.entries())
				if (whole > 0n) assert.ok(part >= (amount * weights[i]) / whole && part <= (amount * weights[i]) / whole + 1n);
		}),
	);
});

test("a price list that makes no sense is refused", () => {
	const refused = (requests: object) => assert.throws(() => listOf({ requests }), /prices\.requests|tiers|price/);
	refused({});
	refused({ price: "1", tiers: [{ price: "1" }] });
	refused({ price: "-1" });
	refused({ price: "0.1234567" });
	refused({ tiers: [{ upTo: 10, price: "1" }] });
	refused({ tiers: [{ upTo: 10, price: "1" }, { upTo: 10, price: "1" }, { price: "1" }] });
	refused({ free: 20, tiers: [{ upTo: 10, price: "1" }, { price: "1" }] });
	assert.throws(() => listOf({ unicorns: { price: "1" } }), /prices/);
});
