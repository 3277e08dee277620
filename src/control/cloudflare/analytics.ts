import { type Context, Hono } from "hono";
import { encoded } from "../analytics.ts";
import type { Control } from "../control.ts";
import type { Authenticated } from "../tokens.ts";
import { storedTenantOf } from "./request.ts";

/** Queries over datasets: `/accounts/:account/analytics_engine/sql`. */
export function analyticsCalls({ analytics }: Control): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	const answer = async (c: Context<Authenticated>, sql: string) => {
		const { text, type } = encoded(await analytics.query(storedTenantOf(c, "read"), sql));
		return c.body(text, 200, { "content-type": type });
	};
	app.get("/", (c) => answer(c, c.req.query("query") ?? ""));
	app.post("/", async (c) => answer(c, await c.req.text()));
	return app;
}
