import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { dayOf } from "../../feed/usage.ts";
import type { TenantName } from "../../names.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import { daysOf, monthOf } from "../metering/months.ts";
import { csvOf, GROUPINGS, type UsageQuery, usageReport } from "../metering/usage-report.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall } from "./calls.ts";
import { isCsvAsked } from "./csv.ts";

type C = Context<Authenticated>;

const MOST_ROWS = 10_000;
const COLUMNS = [
	...["key", "requests", "cpuMs", "gbSeconds", "provisionedGbSeconds"],
	...["bytesOut", "bindingCalls", "coldStarts"],
] as const;

const isDay = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && dayOf(Date.parse(text) || 0) === text;
const day = z.string().refine(isDay, "must be a day, as 2026-12-01");
/** What stands behind a question mark is there any number of times; the last one counts. */
const last = <T extends z.ZodType<unknown, string>>(one: T) =>
	z
		.array(z.string())
		.transform((all) => all.at(-1))
		.pipe(one);

const usageQuery = z.object({
	from: last(day).optional().openapi({ description: "The first day, of UTC. Default: the first of this month." }),
	to: last(day).optional().openapi({ description: "The last day. Default: today." }),
	by: last(z.enum(GROUPINGS)).optional().openapi({ description: "What it is added up by. Default: day." }),
	format: last(z.enum(["json", "csv"]))
		.optional()
		.openapi({ description: "Default: csv where `Accept` is text/csv, else json." }),
	after: last(z.string().max(200)).optional().openapi({ description: "The key that rows come after." }),
	limit: last(z.string().regex(/^[1-9]\d{0,4}$/))
		.transform(Number)
		.refine((n) => n <= MOST_ROWS, `must be ${MOST_ROWS} at most`)
		.optional()
		.openapi({ description: `So many rows at most. Default and most: ${MOST_ROWS}.` }),
});

const usageShape = z.object({
	from: z.string(),
	to: z.string(),
	by: z.enum(GROUPINGS),
	rows: z.array(
		z.object({
			key: z.string().openapi({ description: "A day, a month, TENANT/FUNCTION or a tenant." }),
			requests: z.number().openapi({ description: "Invocations that ran." }),
			cpuMs: z.number(),
			gbSeconds: z.number().openapi({ description: "Memory limits over the time of invocations." }),
			provisionedGbSeconds: z.number().openapi({ description: "Memory limits of instances that were held ready." }),
			bytesOut: z.number(),
			bindingCalls: z.number(),
			coldStarts: z.number(),
		}),
	),
	more: z.boolean().openapi({ description: "Whether there are rows after these." }),
});

/** The calls that tell what functions have used. */
export function addUsageCalls(app: OpenAPIHono<Authenticated>, { metering }: Control): void {
	const report = async (c: C, tenant: TenantName | null) => {
		const given = checked(usageQuery, c.req.queries());
		const today = dayOf(Date.now());
		const { from = daysOf(monthOf(today)).from, to = today, by = "day", after = "", limit: most = MOST_ROWS } = given;
		const { functions } = c.get("bearer").grant;
		if (functions !== null && by !== "function")
			throw new ControlError(
				"forbidden",
				"the token is for some functions alone: ask for their usage with by=function",
			);
		if (from > to) throw new ControlError("invalid", `from: ${from} comes after ${to}`);
		const query: UsageQuery = { tenant, from, to, by, functions, after, most };
		// What edges have told up to now is in it.
		await metering.fresh();
		const read = () => usageReport(metering.store, query);
		const { rows, more } = await metering.reports.make(c.get("bearer").tenant, read);
		if (!isCsvAsked(c, given.format)) return { from, to, by, rows, more };
		const headers: Record<string, string> = { "content-type": "text/csv; charset=utf-8" };
		if (more) headers["x-atoll-after"] = rows.at(-1)?.key ?? "";
		return c.body(csvOf(rows, COLUMNS), 200, headers);
	};
	addCall(app, {
		method: "get",
		path: "/usage",
		summary: "What all tenants' functions have used",
		scope: "read",
		query: usageQuery,
		result: usageShape,
		perform: (c) => report(c, null),
	});
	addCall(app, {
		method: "get",
		path: "/tenants/{tenant}/usage",
		summary: "What a tenant's functions have used",
		scope: "read",
		query: usageQuery,
		result: usageShape,
		perform: (c) => report(c, c.req.param("tenant") as string),
	});
}
