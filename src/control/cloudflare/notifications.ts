import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { z } from "zod";
import { BUCKET_ACTIONS, type BucketRule } from "../../stores/storage-rule.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { checked, parseBody } from "../json.ts";
import type { QueueDocument, Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { failed, ok } from "./envelope.ts";
import { toldOf } from "./object-shapes.ts";
import { bodyOf, storedTenantOf } from "./request.ts";

const affix = z.string().max(256).nullish();
const rulesSchema = z.looseObject({
	rules: z
		.array(
			z.looseObject({
				prefix: affix,
				suffix: affix,
				actions: z.array(z.enum(BUCKET_ACTIONS)).min(1),
				description: z.string().max(1000).optional(),
			}),
		)
		.min(1)
		.max(100),
});
const idsSchema = z.looseObject({ ruleIds: z.array(z.string()).max(1000).optional() });

type C = Context<Authenticated>;

/** The calls by which buckets tell queues of their changes: `/accounts/:account/event_notifications/r2`. */
export function notifications({ buckets, queues }: Control): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	app.onError((error, c) => failed(c, toldOf(error)));
	/** The tenant and the bucket of a request's path, once it is sure that the caller may. */
	const opened = async (c: C, scope: Scope) => {
		const tenant = storedTenantOf(c, scope);
		const name = c.req.param("bucket") as string;
		return { tenant, name, bucket: await buckets.open(tenant, name, "read") };
	};
	const queueOf = async (tenant: string, c: C): Promise<QueueDocument> => {
		const id = c.req.param("queue") as string;
		const found = (await queues.list(tenant)).find((one) => one.id === id);
		if (found === undefined) throw new ControlError("not_found", `the tenant ${tenant} has no queue with the id ${id}`);
		return found;
	};

	app.get("/:bucket/configuration", async (c) => {
		const { tenant, name, bucket } = await opened(c, "read");
		const rules = await bucket.rules();
		const told = (await queues.list(tenant)).filter((queue) => rules.some((rule) => rule.queue === queue.name));
		return ok(c, { bucketName: name, queues: told.map((queue) => queueShape(queue, rules)) });
	});
	app.get("/:bucket/configuration/queues/:queue", async (c) => {
		const { tenant, bucket } = await opened(c, "read");
		return ok(c, queueShape(await queueOf(tenant, c), await bucket.rules()));
	});
	app.put("/:bucket/configuration/queues/:queue", async (c) => {
		const { tenant, bucket } = await opened(c, "deploy");
		const { name: queue } = await queueOf(tenant, c);
		for (const { prefix, suffix, actions, description } of (await bodyOf(c, rulesSchema)).rules) {
			const rule: BucketRule = {
				prefix: prefix ?? "",
				suffix: suffix ?? "",
				actions,
				queue,
				description,
				...newRule(),
			};
			await bucket.addRule(rule);
		}
		return ok(c, {});
	});
	app.delete("/:bucket/configuration/queues/:queue", async (c) => {
		const { tenant, bucket } = await opened(c, "deploy");
		const { name } = await queueOf(tenant, c);
		const text = await c.req.text();
		const { ruleIds } = checked(idsSchema, text === "" ? {} : parseBody(text));
		const own = (await bucket.rules()).filter(({ queue, id }) => queue === name && (ruleIds?.includes(id) ?? true));
		if (own.length === 0) throw new ControlError("not_found", `the bucket has no such rule for the queue ${name}`);
		await bucket.removeRules(own.map(({ id }) => id));
		return ok(c, {});
	});
	return app;
}

const newRule = () => ({ id: randomUUID().replaceAll("-", ""), created: Date.now() });

function queueShape({ id, name }: QueueDocument, rules: readonly BucketRule[]): object {
	const own = rules.filter(({ queue }) => queue === name);
	return { queueId: id, queueName: name, rules: own.map(ruleShape) };
}

function ruleShape({ id: ruleId, prefix, suffix, actions, created, description }: BucketRule): object {
	const createdAt = new Date(created).toISOString();
	return { ruleId, prefix, suffix, actions, createdAt, ...(description !== undefined && { description }) };
}
