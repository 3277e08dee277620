import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { cacheOf, TenantCache } from "../../bindings/caches/tenant-cache.ts";
import type { Control } from "../control.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall } from "./calls.ts";

const MOST_NAMED = 100;
const named = (what: string) =>
	z.array(z.string().min(1).max(16_384)).max(MOST_NAMED).default([]).openapi({ description: what });

const purgeRequest = z
	.strictObject({
		cache: z
			.string()
			.max(1024)
			.nullable()
			.default(null)
			.openapi({ description: "A cache by its name; null for the function's default one." }),
		urls: named("What is kept at these, whatever it varies by."),
		tags: named("What has one of these in its Cache-Tag header."),
		all: z.boolean().default(false).openapi({ description: "All that the cache holds." }),
	})
	.refine(
		({ urls, tags, all }) => (all ? urls.length + tags.length === 0 : urls.length + tags.length > 0),
		"it must name urls or tags, or else all",
	);

/** The call for what functions keep in their caches. */
export function addCacheCalls(app: OpenAPIHono<Authenticated>, { catalog, data }: Control): void {
	addCall(app, {
		method: "post",
		path: "/tenants/{tenant}/functions/{name}/cache/purge",
		summary: "Removes responses from a cache of a function",
		scope: "deploy",
		body: purgeRequest,
		result: z.object({ removed: z.number().openapi({ description: "How many responses." }) }),
		perform: async (c, { cache, ...what }) => {
			const id = { tenant: c.req.param("tenant") as string, name: c.req.param("name") as string };
			await catalog.find(id);
			return { removed: await new TenantCache(data, cacheOf(id, cache), 0).purge(what) };
		},
	});
}
