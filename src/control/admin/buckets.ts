import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Control } from "../control.ts";
import type { BucketDocument, Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall, type Call, storedTenantOf } from "./calls.ts";
import * as shapes from "./shapes.ts";

const BUCKET = "/tenants/{tenant}/buckets/{bucket}";

/** The calls for a tenant's buckets. */
export function addBucketCalls(app: OpenAPIHono<Authenticated>, { buckets }: Control): void {
	const call = <Body>(one: Call<Body>) => addCall(app, one);
	const bucketOf = (c: Context<Authenticated>, scope: Scope) =>
		[storedTenantOf(c, scope), c.req.param("bucket") as string] as const;
	const told = async ({ tenant, name, created }: BucketDocument) => ({
		...{ name, created },
		...(await buckets.count(tenant, name)),
	});

	call({
		method: "get",
		path: "/tenants/{tenant}/buckets",
		summary: "A tenant's buckets: those that its functions are bound to, and those that somebody has made",
		scope: "read",
		result: z.array(shapes.bucketShape),
		perform: async (c) => Promise.all((await buckets.list(storedTenantOf(c, "read"))).map(told)),
	});
	call({
		method: "put",
		path: BUCKET,
		summary: "Makes a bucket",
		scope: "deploy",
		result: shapes.bucketShape,
		perform: async (c) => told(await buckets.create(c.get("bearer").label, ...bucketOf(c, "deploy"))),
	});
	call({
		method: "get",
		path: BUCKET,
		summary: "One bucket",
		scope: "read",
		result: shapes.bucketShape,
		perform: async (c) => told((await buckets.find(...bucketOf(c, "read"))).value),
	});
	call({
		method: "delete",
		path: BUCKET,
		summary: "Removes a bucket that is empty, once no function needs it",
		scope: "deploy",
		perform: (c) => buckets.remove(c.get("bearer").label, ...bucketOf(c, "deploy")),
	});
}
