import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Sent } from "../../bindings/queue/tenant-queue.ts";
import { pullSchema } from "../../triggers/trigger-settings.ts";
import { ControlError } from "../control-error.ts";
import type { Pulled, Queues } from "../queues.ts";
import { traceSent } from "../sent-trace.ts";
import type { QueueDocument, Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { ok } from "./envelope.ts";
import { bodyOf } from "./request.ts";

type C = Context<Authenticated>;

const delay = z.number().int().nullable().default(null);
const messageSchema = z.looseObject({
	body: z.json(),
	content_type: z.enum(["json", "text"]).default("json"),
	delay_seconds: delay,
});
type Message = z.output<typeof messageSchema>;
const batchSchema = z.looseObject({ messages: z.array(messageSchema).min(1), delay_seconds: delay });
type Batch = z.output<typeof batchSchema>;
const pullSchemaOfCall = z.looseObject({
	batch_size: pullSchema.shape.maxBatchSize.unwrap().optional(),
	visibility_timeout_ms: pullSchema.shape.visibilityTimeoutMs.unwrap().optional(),
});
const lease = z.looseObject({ lease_id: z.string() });
const ackSchema = z.looseObject({
	acks: z.array(lease).max(100).default([]),
	retries: z
		.array(lease.extend({ delay_seconds: z.number().int().min(0).max(43_200).nullable().default(null) }))
		.max(100)
		.default([]),
});

/** The calls for a queue's messages: `/accounts/:account/queues/:queue/messages`. `queueOf` finds the queue of a request. */
export function messageCalls(
	queues: Queues,
	queueOf: (c: C, scope: Scope) => Promise<QueueDocument>,
): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	const send = async (c: C, { tenant, name }: QueueDocument, { messages, delay_seconds: delaySeconds }: Batch) => {
		const bodies = messages.map(bytesOf);
		const sent = messages.map(
			({ content_type: type, delay_seconds: own }, i): Sent => ({
				...{ type, size: bodies[i].byteLength, delaySeconds: own ?? delaySeconds },
			}),
		);
		const trace = traceSent(c);
		await queues.send(tenant, name, { messages: sent, bytes: Buffer.concat(bodies), trace });
	};
	app.post("/", async (c) => {
		const queue = await queueOf(c, "deploy");
		await send(c, queue, { messages: [await bodyOf(c, messageSchema)], delay_seconds: null });
		return ok(c, {});
	});
	app.post("/batch", async (c) => {
		const queue = await queueOf(c, "deploy");
		await send(c, queue, await bodyOf(c, batchSchema));
		return ok(c, {});
	});
	app.post("/pull", async (c) => {
		const { tenant, name } = await queueOf(c, "deploy");
		const { batch_size: maxBatchSize, visibility_timeout_ms: visibilityTimeoutMs } = await bodyOf(c, pullSchemaOfCall);
		const asked = {
			...(maxBatchSize !== undefined && { maxBatchSize }),
			...(visibilityTimeoutMs !== undefined && { visibilityTimeoutMs }),
		};
		return ok(c, { messages: (await queues.pull(tenant, name, asked)).map(pulledShape) });
	});
	app.post("/ack", async (c) => {
		const { tenant, name } = await queueOf(c, "deploy");
		const { acks, retries } = await bodyOf(c, ackSchema);
		const settling = {
			acks: acks.map(({ lease_id }) => lease_id),
			retries: retries.map(({ lease_id: leaseId, delay_seconds: delaySeconds }) => ({ leaseId, delaySeconds })),
		};
		const over = new Set(await queues.settle(tenant, name, settling));
		return ok(c, {
			ackCount: settling.acks.filter((id) => !over.has(id)).length,
			retryCount: settling.retries.filter(({ leaseId }) => !over.has(leaseId)).length,
			warnings: Object.fromEntries([...over].map((id) => [id, "the lease is over, or was never there"])),
		});
	});
	return app;
}

function bytesOf({ body, content_type: type }: Message): Buffer {
	if (type === "json") return Buffer.from(JSON.stringify(body));
	if (typeof body !== "string") throw new ControlError("invalid", "body: of the content type text it must be a string");
	return Buffer.from(body);
}

/** https://developers.cloudflare.com/queues/configuration/pull-consumers/#content-types */
function pulledShape({ id, leaseId, sent, attempts, type, body }: Pulled): object {
	return {
		id: String(id),
		timestamp_ms: sent,
		attempts,
		lease_id: leaseId,
		body: Buffer.from(body).toString(type === "text" ? "utf8" : "base64"),
		metadata: { "CF-Content-Type": type },
	};
}
