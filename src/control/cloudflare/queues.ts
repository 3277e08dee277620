import { type Context, Hono } from "hono";
import { z } from "zod";
import { keyOf, type TenantName } from "../../names.ts";
import {
	type ConsumerSettings,
	consumerSchema,
	type PullSettings,
	pullSchema,
} from "../../triggers/trigger-settings.ts";
import type { QueueUsers } from "../catalog/queue-policy.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import type { QueueDocument, Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { ok } from "./envelope.ts";
import { messageCalls } from "./queue-messages.ts";
import { bodyOf } from "./request.ts";
import { idOf } from "./shapes.ts";

type C = Context<Authenticated>;

const listSchema = z.object({
	page: z.coerce.number().int().min(1).default(1),
	per_page: z.coerce.number().int().min(1).max(1000).default(100),
});
const queueSchema = z.looseObject({
	queue_name: z.string().optional(),
	settings: z
		.looseObject({
			delivery_delay: z.number().optional(),
			delivery_paused: z.boolean().optional(),
			message_retention_period: z.number().optional(),
		})
		.optional(),
});
const { maxBatchSize, maxRetries, retryDelay, maxConcurrency, deadLetterQueue } = consumerSchema.shape;
const pullRequest = z.looseObject({
	dead_letter_queue: deadLetterQueue,
	settings: z.preprocess(
		withoutNulls,
		z.looseObject({
			batch_size: pullSchema.shape.maxBatchSize,
			visibility_timeout_ms: pullSchema.shape.visibilityTimeoutMs,
			max_retries: maxRetries,
			retry_delay: pullSchema.shape.retryDelay,
		}),
	),
});
const consumerRequest = z.looseObject({
	type: z.string().default("worker"),
	script_name: z.string().optional(),
	dead_letter_queue: deadLetterQueue,
	settings: z.preprocess(
		withoutNulls,
		z.looseObject({
			batch_size: maxBatchSize,
			max_wait_time_ms: z.number().min(0).max(60_000).default(5000),
			max_retries: maxRetries,
			max_concurrency: maxConcurrency,
			retry_delay: retryDelay,
		}),
	),
});

/** The calls for queues: `/accounts/:account/queues`. */
export function queueCalls({ catalog, queues, feed }: Control): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	const actorOf = (c: C) => c.get("bearer").label;
	/** The tenant of a request's path, once it is sure that the caller may. */
	const tenantOf = (c: C, scope: Scope): TenantName => {
		const tenant = c.req.param("account") as string;
		c.get("bearer").require(scope, tenant);
		return tenant;
	};
	/** The queue of a request's path. */
	const queueOf = async (tenant: TenantName, c: C): Promise<QueueDocument> => {
		const id = c.req.param("queue") as string;
		const found = (await queues.list(tenant)).find((one) => one.id === id);
		if (found === undefined) throw new ControlError("not_found", `the tenant ${tenant} has no queue with the id ${id}`);
		return found;
	};
	const consumersOf = async (queue: QueueDocument): Promise<object[]> => {
		const { tenant, name, consumer, created, pull } = queue;
		if (pull !== null) return [pullShape(queue, pull)];
		if (consumer === null) return [];
		const id = { tenant, name: consumer };
		const settings = (await catalog.find(id)).value.consumers.find(({ queue }) => queue === name);
		return settings === undefined ? [] : [consumerShape(id, settings, created)];
	};
	const shapeOf = async (queue: QueueDocument, users: QueueUsers) =>
		queueShape(queue, users.senders.get(queue.name) ?? [], await consumersOf(queue));

	app.get("/", async (c) => {
		const tenant = tenantOf(c, "read");
		const { page, per_page: size } = checked(listSchema, c.req.query());
		const names = c.req.queries("name");
		const all = (await queues.list(tenant)).filter(({ name }) => names === undefined || names.includes(name));
		const shown = all.slice((page - 1) * size, page * size);
		const users = await catalog.queues.users(tenant);
		const counts = { count: shown.length, total_count: all.length, total_pages: Math.ceil(all.length / size) };
		const told = await Promise.all(shown.map((queue) => shapeOf(queue, users)));
		return ok(c, told, { page, per_page: size, ...counts });
	});
	app.post("/", async (c) => {
		const tenant = tenantOf(c, "deploy");
		const { queue_name: name = "", settings = {} } = await bodyOf(c, queueSchema);
		refuseSettings(settings);
		return ok(c, queueShape(await queues.create(actorOf(c), tenant, name), [], []));
	});
	app.get("/:queue", async (c) => {
		const tenant = tenantOf(c, "read");
		return ok(c, await shapeOf(await queueOf(tenant, c), await catalog.queues.users(tenant)));
	});
	app.on(["PUT", "PATCH"], "/:queue", async (c) => {
		const tenant = tenantOf(c, "deploy");
		const queue = await queueOf(tenant, c);
		const { queue_name: name = queue.name, settings: given = {} } = await bodyOf(c, queueSchema);
		const { delivery_paused: paused = queue.paused, ...settings } = given;
		if (name !== queue.name)
			throw new ControlError("not_supported", `the queue ${queue.name} keeps its name: create another one`);
		refuseSettings(settings);
		await feed.served(await queues.setPaused(actorOf(c), tenant, queue.name, paused));
		return ok(c, await shapeOf({ ...queue, paused }, await catalog.queues.users(tenant)));
	});
	app.delete("/:queue", async (c) => {
		const tenant = tenantOf(c, "deploy");
		await queues.remove(actorOf(c), tenant, (await queueOf(tenant, c)).name);
		return ok(c, null);
	});

	app.get("/:queue/purge", async (c) => {
		await queueOf(tenantOf(c, "read"), c);
		// Who asked for one was answered when it was done.
		return ok(c, { completed: "true", started_at: null });
	});
	app.post("/:queue/purge", async (c) => {
		const tenant = tenantOf(c, "deploy");
		const queue = await queueOf(tenant, c);
		await queues.purge(tenant, queue.name);
		return ok(c, await shapeOf(queue, await catalog.queues.users(tenant)));
	});

	/** Has a queue's messages be pulled. */
	const consumeByPull = async (c: C, queue: QueueDocument, said: object, isKnown: boolean): Promise<Response> => {
		const { tenant, name } = queue;
		c.get("bearer").require("deploy", tenant);
		if (isKnown) refuseUnlessPulled(queue, c);
		else if (queue.pull !== null)
			throw new ControlError("conflict", `the queue ${name} has a consumer of the type http_pull already`);
		const { settings, dead_letter_queue } = checked(pullRequest, said);
		const pull: PullSettings = {
			maxBatchSize: settings.batch_size,
			visibilityTimeoutMs: settings.visibility_timeout_ms,
			maxRetries: settings.max_retries,
			retryDelay: settings.retry_delay,
			deadLetterQueue: dead_letter_queue,
		};
		await queues.setPull(actorOf(c), tenant, name, pull);
		return ok(c, pullShape(queue, pull));
	};
	/** Has the function that a request names consume its queue. */
	const consume = async (c: C, isKnown: boolean): Promise<Response> => {
		const tenant = tenantOf(c, "read");
		const bearer = c.get("bearer");
		const queue = await queueOf(tenant, c);
		const said = await bodyOf(c, z.looseObject({ type: z.string().default("worker") }));
		if (said.type === "http_pull") return consumeByPull(c, queue, said, isKnown);
		if (said.type !== "worker")
			throw new ControlError("not_supported", `a consumer of the type ${said.type}: there are worker and http_pull`);
		const { script_name: given, settings, dead_letter_queue } = checked(consumerRequest, said);
		const name = given ?? (isKnown ? queue.consumer : null);
		if (name === null || name === undefined)
			throw new ControlError("invalid", "script_name: it must name the function that consumes the queue");
		bearer.require("deploy", tenant, name);
		if (isKnown) refuseUnlessConsumer(queue, c);
		else if (queue.consumer === name)
			throw new ControlError("conflict", `${name} consumes the queue ${queue.name} already: change that by PUT`);
		const consumer: ConsumerSettings = {
			queue: queue.name,
			maxBatchSize: settings.batch_size,
			maxBatchTimeout: settings.max_wait_time_ms / 1000,
			maxRetries: settings.max_retries,
			retryDelay: settings.retry_delay,
			deadLetterQueue: dead_letter_queue,
			maxConcurrency: settings.max_concurrency,
		};
		const id = { tenant, name };
		await feed.served(await catalog.setConsumer(bearer.label, id, queue.name, consumer));
		return ok(c, consumerShape(id, consumer, queue.created));
	};
	app.get("/:queue/consumers", async (c) => ok(c, await consumersOf(await queueOf(tenantOf(c, "read"), c))));
	app.post("/:queue/consumers", (c) => consume(c, false));
	app.get("/:queue/consumers/:consumer", async (c) => {
		const queue = await queueOf(tenantOf(c, "read"), c);
		if (queue.pull === null) refuseUnlessConsumer(queue, c);
		else refuseUnlessPulled(queue, c);
		return ok(c, (await consumersOf(queue))[0]);
	});
	app.put("/:queue/consumers/:consumer", (c) => consume(c, true));
	app.delete("/:queue/consumers/:consumer", async (c) => {
		const tenant = tenantOf(c, "read");
		const bearer = c.get("bearer");
		const queue = await queueOf(tenant, c);
		if (queue.pull !== null) {
			bearer.require("deploy", tenant);
			refuseUnlessPulled(queue, c);
			await queues.setPull(actorOf(c), tenant, queue.name, null);
			return ok(c, null);
		}
		const name = refuseUnlessConsumer(queue, c);
		bearer.require("deploy", tenant, name);
		await feed.served(await catalog.setConsumer(bearer.label, { tenant, name }, queue.name, null));
		return ok(c, null);
	});
	app.route(
		"/:queue/messages",
		messageCalls(queues, (c, scope) => queueOf(tenantOf(c, scope), c)),
	);
	return app;
}

const consumerId = ({ tenant, name }: { tenant: TenantName; name: string }, queue: string) =>
	idOf(`${keyOf({ tenant, name })}/${queue}`);

/** Who consumes a queue, once it is sure that a request's path names that. Throws ControlError `not_found`. */
function refuseUnlessConsumer({ tenant, name, consumer }: QueueDocument, c: C): string {
	if (consumer !== null && consumerId({ tenant, name: consumer }, name) === c.req.param("consumer")) return consumer;
	throw new ControlError("not_found", `the queue ${name} has no consumer with the id ${c.req.param("consumer")}`);
}

const pullId = ({ tenant, name }: QueueDocument) => idOf(`${tenant}/${name}/http_pull`);

/** Throws ControlError `not_found` where a request's path names another consumer than the one by HTTP. */
function refuseUnlessPulled(queue: QueueDocument, c: C): void {
	if (queue.pull === null || pullId(queue) !== c.req.param("consumer"))
		throw new ControlError(
			"not_found",
			`the queue ${queue.name} has no consumer with the id ${c.req.param("consumer")}`,
		);
}

/** What a queue would have of itself elsewhere. */
function refuseSettings(settings: NonNullable<z.infer<typeof queueSchema>["settings"]>): void {
	const instead = {
		delivery_delay: "say delivery_delay with the producer, or delaySeconds with a message",
		message_retention_period: "a message is kept until it is consumed or given up",
	};
	for (const [key, what] of Object.entries(instead))
		if (settings[key]) throw new ControlError("not_supported", `${key}: a queue has no setting for that; ${what}`);
}

/** Settings that are `null` are not said. */
function withoutNulls(given: unknown): unknown {
	if (given === undefined || given === null) return {};
	if (typeof given !== "object") return given;
	return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

function queueShape(
	{ id, name, created, paused }: QueueDocument,
	senders: readonly string[],
	consumers: object[],
): object {
	return {
		queue_id: id,
		queue_name: name,
		created_on: created,
		modified_on: created,
		settings: { delivery_delay: 0, delivery_paused: paused },
		producers_total_count: senders.length,
		producers: senders.map((script) => ({ type: "worker", script })),
		consumers_total_count: consumers.length,
		consumers,
	};
}

function pullShape(queue: QueueDocument, settings: PullSettings): object {
	const { name, created } = queue;
	const { deadLetterQueue: dead } = settings;
	return {
		consumer_id: pullId(queue),
		queue_name: name,
		type: "http_pull",
		created_on: created,
		...(dead !== null && { dead_letter_queue: dead }),
		settings: {
			batch_size: settings.maxBatchSize,
			max_retries: settings.maxRetries,
			visibility_timeout_ms: settings.visibilityTimeoutMs,
			retry_delay: settings.retryDelay,
		},
	};
}

function consumerShape(id: { tenant: TenantName; name: string }, settings: ConsumerSettings, created: string): object {
	const { queue, deadLetterQueue: dead } = settings;
	return {
		consumer_id: consumerId(id, queue),
		queue_name: queue,
		type: "worker",
		script: id.name,
		script_name: id.name,
		environment: "production",
		created_on: created,
		...(dead !== null && { dead_letter_queue: dead }),
		settings: {
			batch_size: settings.maxBatchSize,
			max_retries: settings.maxRetries,
			max_wait_time_ms: settings.maxBatchTimeout * 1000,
			max_concurrency: settings.maxConcurrency,
			...(settings.retryDelay !== null && { retry_delay: settings.retryDelay }),
		},
	};
}
