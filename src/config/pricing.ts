import { z } from "zod";
import { tenantName } from "../names.ts";

/** What has a price. */
export const PRICED = [
	...(["requests", "cpuMs", "gbSeconds", "provisionedGbSeconds"] as const),
	...(["gbOut", "bindingCalls", "coldStarts"] as const),
] as const;
export type PricedUnit = (typeof PRICED)[number];

/** An amount of money, as a decimal: `"0.30"`. */
export const amount = z
	.string()
	.regex(/^\d{1,9}(\.\d{1,6})?$/, 'must be an amount with up to six decimals in quotes, as "0.30"');

/** Processes are given their settings as one argument, which has its bounds. */
const MOST_LISTS = 100;

const quantity = z.number().int().min(0).max(1e12);

/** What one unit costs: nothing up to so much a month, and then by the tier that a month's use has come to. */
const unitPrice = z
	.strictObject({
		price: amount.optional().meta({ description: "What `per` of it cost." }),
		per: z.number().int().min(1).max(1e9).default(1).meta({ description: "How many the price is for." }),
		free: quantity.default(0).meta({ description: "So many in a month cost nothing." }),
		tiers: z
			.array(z.strictObject({ upTo: quantity.optional(), price: amount }))
			.min(1)
			.max(20)
			.optional()
			.meta({
				description: "In place of price: up to so many in a month, the free ones among them; the last has no end.",
			}),
	})
	.refine(({ price, tiers }) => (price === undefined) !== (tiers === undefined), "needs either a price or tiers")
	.refine(
		({ free, tiers = [] }) =>
			tiers.every(({ upTo }, i) =>
				i === tiers.length - 1
					? upTo === undefined
					: upTo !== undefined && upTo > (i === 0 ? free : (tiers[i - 1].upTo ?? 0)),
			),
		"needs tiers that rise from what is free, of which the last alone has no upTo",
	);

const priceList = z.partialRecord(z.enum(PRICED), unitPrice);

export const pricingSchema = z.strictObject({
	currency: z
		.string()
		.regex(/^[A-Z]{3}$/, "must be a currency's code, as EUR")
		.meta({ description: "As ISO 4217 has it." }),
	prices: priceList.meta({ description: "What is used costs so much; what is left out costs nothing." }),
	tenants: z
		.record(tenantName, priceList)
		.refine((all) => Object.keys(all).length <= MOST_LISTS, `may have ${MOST_LISTS} lists at most`)
		.default({})
		.meta({ description: "Tenants with a list of their own, which takes the place of the other one." }),
});

export type UnitPrice = z.infer<typeof unitPrice>;
export type PriceList = z.infer<typeof priceList>;
export type Pricing = z.infer<typeof pricingSchema>;
