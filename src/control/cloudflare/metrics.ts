import { Hono } from "hono";
import { z } from "zod";
import type { Control } from "../control.ts";
import type { Authenticated } from "../tokens.ts";
import { bodyOf } from "./request.ts";

const R2_METRICS = "getR2StorageMetrics";

const schema = z.looseObject({
	operationName: z.string().optional(),
	variables: z
		.looseObject({
			accountTag: z.string().default(""),
			filter: z.looseObject({ bucketName: z.string().default("") }).prefault({}),
		})
		.prefault({}),
});

/** The one question by GraphQL that wrangler asks of what is there: how much is in a bucket. */
export function metrics({ buckets }: Control): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	app.post("/", async (c) => {
		const { operationName, variables } = await bodyOf(c, schema);
		if (operationName !== R2_METRICS)
			return c.json({ data: null, errors: [{ message: `atoll has ${R2_METRICS} alone of this API` }] });
		const { accountTag, filter } = variables;
		c.get("bearer").requireStored("read", accountTag);
		const { objects: objectCount, bytes: payloadSize } = await buckets.count(accountTag, filter.bucketName);
		const max = { objectCount, payloadSize, metadataSize: 0 };
		const group = { max, dimensions: { datetime: new Date().toISOString() } };
		return c.json({ data: { viewer: { accounts: [{ r2StorageAdaptiveGroups: [group] }] } }, errors: null });
	});
	return app;
}
