import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { amount } from "../../config/pricing.ts";
import { dayOf } from "../../feed/usage.ts";
import type { TenantName } from "../../names.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import { BUDGETS } from "../metering/budget-state.ts";
import { invoiceOf } from "../metering/invoice.ts";
import { amountOf } from "../metering/money.ts";
import { daysOf, MONTH, monthOf } from "../metering/months.ts";
import { csvOf, usageOf, usageOfFunctions } from "../metering/usage-report.ts";
import type { BudgetDocument } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall, storedTenantOf } from "./calls.ts";
import { isCsvAsked } from "./csv.ts";

type C = Context<Authenticated>;

const TENANT = "/tenants/{tenant}";
const LINES = ["unit", "from", "upTo", "quantity", "price", "per", "amount"] as const;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullable().default(null);
const budgetRequest = z
	.strictObject({
		requestsPerDay: count,
		requestsPerMonth: count,
		cpuMsPerDay: count,
		cpuMsPerMonth: count,
		amountPerMonth: amount.nullable().default(null),
		warnAt: z.number().gt(0).max(1).default(0.8),
	})
	.openapi("Budget", { description: "null for as much as the tenant likes." });
const balanceRequest = z.strictObject({
	amount: z
		.string()
		.regex(/^-?\d{1,9}(\.\d{1,6})?$/, 'must be an amount with up to six decimals in quotes, as "10.00"')
		.openapi({ description: "What is added; less than nothing is taken away." }),
	reference: z
		.string()
		.min(1)
		.max(100)
		.optional()
		.openapi({ description: "An amount of one reference is added once." }),
});
const budgetShape = z.object({
	budget: budgetRequest.nullable(),
	balance: z.object({ credited: z.string(), spent: z.string(), left: z.string() }).nullable(),
	currency: z.string().nullable(),
	states: z.array(
		z.object({
			budget: z.enum(BUDGETS),
			period: z.string().openapi({ description: "The day or month; of a balance what was credited by then." }),
			limit: z.union([z.number(), z.string()]),
			used: z.union([z.number(), z.string()]),
			ratio: z.number(),
			state: z.enum(["ok", "warned", "exhausted"]),
			warned: z.string().nullable().openapi({ description: "When it was first warned of in this period." }),
		}),
	),
	refused: z
		.object({ tenant: z.string(), code: z.string(), until: z.number().nullable() })
		.nullable()
		.openapi({ description: "Why the tenant's functions do not run, and until when; null where they do." }),
});
const invoiceQuery = z.object({
	month: z.array(z.string().regex(MONTH, "must be a month, as 2026-12")).optional(),
	format: z.array(z.enum(["json", "csv"])).optional(),
});
const invoiceShape = z.object({
	tenant: z.string(),
	month: z.string(),
	currency: z.string(),
	lines: z.array(
		z.object({
			unit: z.string(),
			from: z.number(),
			upTo: z.number().nullable(),
			quantity: z.number(),
			price: z.string(),
			per: z.number().int(),
			amount: z.string(),
		}),
	),
	functions: z.array(z.looseObject({ name: z.string(), amount: z.string() })),
	total: z.string(),
});

/** The calls for what tenants may use, have paid and are to pay. */
export function addBudgetCalls(app: OpenAPIHono<Authenticated>, { budgets, metering, catalog }: Control): void {
	/** The operator's alone: no tenant says what it may use, whatever its token's scope. */
	const operated = async (c: C): Promise<TenantName> => {
		const tenant = c.req.param("tenant") as string;
		c.get("bearer").require("admin", null);
		if (!(await catalog.tenants()).includes(tenant))
			throw new ControlError("not_found", `there is no tenant ${tenant}: one is there from its first function on`);
		return tenant;
	};
	const actorOf = (c: C) => c.get("bearer").label;

	addCall(app, {
		method: "get",
		path: `${TENANT}/budget`,
		summary: "What a tenant may use, what of that is gone, and whether it is refused",
		scope: "read",
		result: budgetShape,
		perform: (c) => budgets.told(storedTenantOf(c, "read")),
	});
	addCall<BudgetDocument>(app, {
		method: "put",
		path: `${TENANT}/budget`,
		summary: "Says what a tenant may use, in place of what was said before; needs a token for all tenants",
		scope: "admin",
		body: budgetRequest,
		result: budgetShape,
		perform: async (c, given) => {
			const tenant = await operated(c);
			const { warnAt: _, ...limits } = given;
			if (given.amountPerMonth !== null) budgets.requirePrices(tenant);
			const isNone = Object.values(limits).every((limit) => limit === null);
			await budgets.set(actorOf(c), tenant, isNone ? null : given);
			return budgets.told(tenant);
		},
	});
	addCall(app, {
		method: "post",
		path: `${TENANT}/balance`,
		summary: "Adds to what a tenant has paid ahead; needs a token for all tenants",
		scope: "admin",
		body: balanceRequest,
		result: budgetShape,
		perform: async (c, given) => {
			const tenant = await operated(c);
			await budgets.credit(actorOf(c), tenant, given);
			return budgets.told(tenant);
		},
	});
	addCall(app, {
		method: "get",
		path: `${TENANT}/invoice`,
		summary: "What a tenant's month costs, by unit and tier, and by function; as CSV the lines alone",
		scope: "read",
		query: invoiceQuery,
		result: invoiceShape,
		perform: async (c) => {
			const tenant = storedTenantOf(c, "read");
			const { month: months, format } = checked(invoiceQuery, c.req.queries());
			const month = months?.at(-1) ?? monthOf(dayOf(Date.now()));
			const { prices, currency } = budgets.requirePrices(tenant);
			await metering.fresh();
			const read = () => usageOfFunctions(metering.store, tenant, daysOf(month));
			const invoice = invoiceOf(await metering.reports.make(c.get("bearer").tenant, read), prices);
			const lines = invoice.lines.map(({ micros, price, ...line }) => ({
				...{ ...line, price: amountOf(price), amount: amountOf(micros) },
			}));
			if (isCsvAsked(c, format?.at(-1))) {
				const total = { unit: "total", amount: amountOf(invoice.total) };
				return c.body(csvOf([...lines, total], LINES), 200, { "content-type": "text/csv; charset=utf-8" });
			}
			const functions = invoice.functions.map(({ name, counts, micros }) => ({
				...{ name, ...usageOf(counts), amount: amountOf(micros) },
			}));
			return { tenant, month, currency, lines, functions, total: amountOf(invoice.total) };
		},
	});
}
