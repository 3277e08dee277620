import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { encoded } from "../analytics.ts";
import type { Control } from "../control.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall, storedTenantOf } from "./calls.ts";

const queryRequest = z.strictObject({
	sql: z
		.string()
		.max(10_000)
		.openapi({ description: "A query as docs/bindings.md has it, without FORMAT or with it." }),
});
const datasetShape = z.object({
	name: z.string(),
	points: z.number(),
	bytes: z.number(),
	dropped: z.number().openapi({ description: "How many points were left out, since there were too many." }),
});

/** The calls for the data points that functions write. */
export function addAnalyticsCalls(app: OpenAPIHono<Authenticated>, { analytics }: Control): void {
	addCall(app, {
		method: "get",
		path: "/tenants/{tenant}/analytics",
		summary: "The datasets that a tenant's functions have written to",
		scope: "read",
		result: z.array(datasetShape),
		perform: (c) => analytics.datasets(storedTenantOf(c, "read")),
	});
	addCall(app, {
		method: "post",
		path: "/tenants/{tenant}/analytics/query",
		summary: "What a query over a dataset gives",
		scope: "read",
		body: queryRequest,
		result: z.object({
			meta: z.array(z.object({ name: z.string(), type: z.string() })),
			data: z.array(z.record(z.string(), z.any())),
			rows: z.number(),
		}),
		perform: async (c, { sql }) => {
			const { text, type } = encoded(await analytics.query(storedTenantOf(c, "read"), sql));
			return new Response(text, { headers: { "content-type": type } });
		},
	});
}
