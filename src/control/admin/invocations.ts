import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { functionName, queueName } from "../../names.ts";
import type { Destination, InvocationState, InvokedEvent } from "../../triggers/invocation-calls.ts";
import { cronsSchema } from "../../triggers/trigger-settings.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { type Asked, kindOf, LONGEST_DELAY } from "../invocations.ts";
import { checked } from "../json.ts";
import { traceSent } from "../sent-trace.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall, type Call } from "./calls.ts";

type C = Context<Authenticated>;

const INVOCATIONS = "/tenants/{tenant}/functions/{name}/invocations";
const ONE = `${INVOCATIONS}/{id}`;

const number = (most: number) => z.coerce.number().int().min(0).max(most);
const destination = z.string().transform((text, { addIssue }): Destination => {
	const [, kind, name] = /^(queue|function):(.+)$/s.exec(text) ?? [];
	if (kind === "queue" && queueName.safeParse(name).success) return { queue: name };
	if (kind === "function" && functionName.safeParse(name).success) return { function: name };
	addIssue({ code: "custom", message: "must be queue:NAME or function:NAME" });
	return z.NEVER;
});

const query = z.strictObject({
	event: z.enum(["fetch", "scheduled", "queue", "event"]).default("fetch").openapi({
		description: "Which handler is called. fetch gets a POST with the body.",
	}),
	path: z
		.string()
		.regex(/^\/[\x21-\x7e]{0,2000}$/, "must be a path, as /orders?new")
		.default("/")
		.openapi({ description: "Of fetch: the path of the request, and its query." }),
	cron: z.string().default("* * * * *").openapi({ description: "Of scheduled: what the time came of." }),
	queue: queueName.optional().openapi({ description: "Of queue: which one the message is of." }),
	type: z.string().min(1).max(2048).optional().openapi({ description: "Of event: its type." }),
	source: z.string().min(1).max(2048).default("/manual").openapi({ description: "Of event: its source." }),
	delay: number(LONGEST_DELAY).optional().openapi({ description: "In how many seconds, up to 12 hours." }),
	at: z.iso.datetime({ offset: true }).optional().openapi({ description: "Or when, up to 12 hours from now." }),
	retries: number(100).default(3).openapi({
		description: "How often it is tried again: after a second, and each time twice as long.",
	}),
	onSuccess: destination
		.optional()
		.openapi({ type: "string", description: "Who is told: queue:NAME or function:NAME." }),
	onFailure: destination.optional().openapi({ type: "string", description: "The same for what has failed at last." }),
	key: z.string().min(1).max(256).optional().openapi({
		description:
			"Who asks again under it within three days is given the first invocation. The header Idempotency-Key says it, too.",
	}),
});
type Query = z.infer<typeof query>;

const time = z.iso.datetime().nullable();
const stateShape = z
	.object({
		id: z.uuid(),
		function: z.string(),
		event: z.string(),
		state: z.enum(["queued", "running", "succeeded", "failed", "cancelled"]),
		attempts: z.number().int(),
		created: z.iso.datetime(),
		due: time.openapi({ description: "When it is tried next." }),
		ended: time,
		status: z.number().int().openapi({ description: "Of the last response; 0 where there was none." }),
		error: z.string().nullable().openapi({ description: "What went wrong last." }),
	})
	.openapi("Invocation");
const resultShape = stateShape.extend({
	result: z.string().openapi({ description: "The first 64 KB of the response's body, as text." }),
});

/** The calls for events that a function is called with later. */
export function addInvocationCalls(app: OpenAPIHono<Authenticated>, { invocations }: Control): void {
	const call = <Body>(one: Call<Body>) => addCall(app, one);
	const idOf = (c: C) => ({ tenant: c.req.param("tenant") as string, name: c.req.param("name") as string });
	const own = (c: C) => c.req.param("id") as string;

	call({
		method: "post",
		path: INVOCATIONS,
		summary:
			"Has a function called with what the body is, once or later, and answers 202 when that is on the disk: it is done at least once",
		scope: "deploy",
		query,
		result: z.object({ id: z.uuid(), repeated: z.boolean() }),
		perform: async (c) => {
			const asked = askedIn(checked(query, c.req.query()), c);
			requireDestinations(c, asked);
			const { id, repeated } = await invocations.submit(idOf(c), asked, new Uint8Array(await c.req.arrayBuffer()));
			return c.json({ id, repeated }, 202, { location: `${new URL(c.req.url).pathname}/${id}` });
		},
	});
	call({
		method: "get",
		path: INVOCATIONS,
		summary: "A function's latest invocations, up to 100, the last one first",
		scope: "read",
		result: z.array(stateShape),
		perform: async (c) => (await invocations.list(idOf(c))).map(told),
	});
	call({
		method: "get",
		path: ONE,
		summary: "What has become of an invocation; it is known for three days, and a tenant's last 10,000",
		scope: "read",
		result: resultShape,
		perform: async (c) => {
			const { result, ...state } = await invocations.state(idOf(c), own(c));
			return { ...told(state), result: Buffer.from(result).toString() };
		},
	});
	call({
		method: "delete",
		path: ONE,
		summary: "Cancels an invocation that nobody performs yet",
		scope: "deploy",
		perform: (c) => invocations.cancel(idOf(c), own(c)),
	});
}

function askedIn(said: Query, c: C): Asked {
	const { delay, at, retries, onSuccess = null, onFailure = null } = said;
	const key = said.key ?? c.req.header("idempotency-key") ?? "";
	if (key.length > 256) throw new ControlError("invalid", "Idempotency-Key: it may have 256 letters");
	if (at !== undefined && delay !== undefined) throw new ControlError("invalid", "delay and at: one of them says when");
	const seconds = at === undefined ? (delay ?? 0) : Math.max(0, Math.ceil((Date.parse(at) - Date.now()) / 1000));
	if (seconds > LONGEST_DELAY) throw new ControlError("invalid", "at: it may be up to 12 hours from now");
	const trace = traceSent(c);
	return { event: eventIn(said, c), delay: seconds, retries, onSuccess, onFailure, trace, key };
}

function eventIn({ event, path, cron, queue, type, source }: Query, c: C): InvokedEvent {
	const contentType = c.req.header("content-type") ?? "application/octet-stream";
	if (event === "fetch") return { type: event, path, contentType };
	if (event === "scheduled") {
		checked(cronsSchema, [cron], "cron");
		return { type: event, cron };
	}
	if (event === "queue") {
		if (queue === undefined) throw new ControlError("invalid", "queue: it must name the queue");
		return { type: event, queue, contentType: kindOf(contentType) };
	}
	if (type === undefined) throw new ControlError("invalid", "type: it must say the event's type");
	const id = crypto.randomUUID();
	const now = new Date().toISOString();
	const attributes = { specversion: "1.0" as const, id, source, type, time: now, datacontenttype: contentType };
	return { type: event, attributes, data: kindOf(contentType) };
}

/** Who may have one function called may not have every other called by that. */
function requireDestinations(c: C, { onSuccess, onFailure }: Asked): void {
	const tenant = c.req.param("tenant") as string;
	for (const to of [onSuccess, onFailure])
		if (to !== null) c.get("bearer").require("deploy", tenant, "queue" in to ? null : to.function);
}

const timeOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

function told({ created, due, ended, ...rest }: InvocationState) {
	return { ...rest, created: timeOf(created), due: timeOf(due), ended: timeOf(ended) };
}
