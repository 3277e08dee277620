import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Sent } from "../../bindings/queue/tenant-queue.ts";
import type { Control } from "../control.ts";
import type { Pulled } from "../queues.ts";
import { traceSent } from "../sent-trace.ts";
import type { QueueDocument } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall, type Call } from "./calls.ts";
import * as shapes from "./shapes.ts";

type Message = z.infer<typeof shapes.messagesRequest>["messages"][number];

const QUEUE = "/tenants/{tenant}/queues/{queue}";
const MESSAGES = `${QUEUE}/messages`;

/** The calls for a tenant's queues. Which function consumes one is said of the function. */
export function addQueueCalls(app: OpenAPIHono<Authenticated>, { queues, feed }: Control): void {
	const call = <Body>(one: Call<Body>) => addCall(app, one);
	const param = (c: Context, name: string) => c.req.param(name) as string;
	const queueOf = (c: Context) => [param(c, "tenant"), param(c, "queue")] as const;

	call({
		method: "get",
		path: "/tenants/{tenant}/queues",
		summary: "A tenant's queues: those that its functions are bound to or consume, and those that somebody has made",
		scope: "read",
		result: z.array(shapes.queueShape),
		perform: async (c) => (await queues.list(param(c, "tenant"))).map(toldOf),
	});
	call({
		method: "patch",
		path: QUEUE,
		summary: "Has a queue's messages be taken over HTTP, or by nobody",
		scope: "deploy",
		body: shapes.queuePatch,
		result: shapes.queueShape,
		perform: async (c, { pull, paused }) => {
			const actor = c.get("bearer").label;
			if (pull !== undefined) await queues.setPull(actor, ...queueOf(c), pull);
			if (paused !== undefined) await feed.served(await queues.setPaused(actor, ...queueOf(c), paused));
			return toldOf((await queues.find(...queueOf(c))).value);
		},
	});
	call({
		method: "delete",
		path: QUEUE,
		summary: "Removes a queue with its messages, once no function needs it",
		scope: "deploy",
		perform: (c) => queues.remove(c.get("bearer").label, ...queueOf(c)),
	});
	call({
		method: "post",
		path: MESSAGES,
		summary: "Sends messages to a queue",
		scope: "deploy",
		body: shapes.messagesRequest,
		perform: async (c, { messages }) => {
			const bodies = messages.map(bytesOf);
			const sent = messages.map(
				({ contentType: type, delaySeconds }, i): Sent => ({ type, size: bodies[i].byteLength, delaySeconds }),
			);
			const trace = traceSent(c);
			await queues.send(...queueOf(c), { messages: sent, bytes: Buffer.concat(bodies), trace });
		},
	});
	call({
		method: "get",
		path: MESSAGES,
		summary: "How many messages a queue has",
		scope: "read",
		result: shapes.queueCountShape,
		perform: (c) => queues.count(...queueOf(c)),
	});
	call({
		method: "delete",
		path: MESSAGES,
		summary: "Removes all messages of a queue",
		scope: "deploy",
		perform: (c) => queues.purge(...queueOf(c)),
	});
	call({
		method: "post",
		path: `${MESSAGES}/pull`,
		summary: "Takes messages of a queue that is consumed over HTTP; those that are not acknowledged in time come again",
		scope: "deploy",
		body: shapes.pullRequest,
		result: shapes.pulledShape,
		perform: async (c, asked) => (await queues.pull(...queueOf(c), asked)).map(pulledOf),
	});
	call({
		method: "post",
		path: `${MESSAGES}/ack`,
		summary:
			"Says what becomes of messages that were taken, and is told which leases were over, so that nothing was done",
		scope: "deploy",
		body: shapes.ackRequest,
		result: z.object({ over: z.array(z.string()) }),
		perform: async (c, settling) => ({ over: await queues.settle(...queueOf(c), settling) }),
	});
}

const toldOf = ({ name, consumer, pull, paused, created }: QueueDocument) => ({
	name,
	consumer,
	pull,
	paused,
	created,
});

function pulledOf({ id, leaseId, sent, attempts, type, body: bytes }: Pulled) {
	const text = Buffer.from(bytes).toString(type === "bytes" ? "base64" : "utf8");
	const body = type === "json" ? JSON.parse(text) : text;
	return { id: String(id), leaseId, sent, attempts, contentType: type, body };
}

/** A message's body as it is kept. */
function bytesOf({ contentType, body }: Message): Buffer {
	if (contentType === "json") return Buffer.from(JSON.stringify(body));
	return Buffer.from(body as string, contentType === "bytes" ? "base64" : "utf8");
}
