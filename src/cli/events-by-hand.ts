import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { UsageError } from "../errors.ts";
import type { CloudEvent } from "../invocation/events/event.ts";
import type { QueueEvent } from "../invocation/events/queue.ts";
import type { ScheduledEvent } from "../invocation/events/scheduled.ts";
import type { StorageChange, StorageEvent } from "../invocation/events/storage.ts";
import type { Runtime } from "../runtime.ts";
import type { Handlers } from "../server/http-server.ts";
import { readRequest } from "../server/node-request.ts";
import type { Bytes } from "../units.ts";
import { PROFILE_PATH, profileByHand } from "./profile-by-hand.ts";

/** As wrangler has it: https://developers.cloudflare.com/workers/runtime-apis/handlers/scheduled/#test-cron-triggers */
const PATH = "/cdn-cgi/handler/";
const MOST_BODY: Bytes = 128_000;

/** A runtime's handlers for a developer, who sends functions events by requests below a path. */
export function eventsByHand(runtime: Runtime): Handlers {
	return {
		nodeHandler(req, res) {
			if (req.url?.startsWith(PATH)) void answer(runtime, req, res);
			else if (req.url?.startsWith(PROFILE_PATH)) void profileByHand(runtime, req, res);
			else runtime.nodeHandler(req, res);
		},
		continueHandler: runtime.continueHandler,
		upgradeHandler: runtime.upgradeHandler,
		closeWebSockets: () => runtime.closeWebSockets(),
		refuse: (error, answered) => runtime.refuse(error, answered),
		guard: runtime.guard,
		unfinished: runtime.unfinished,
	};
}

async function answer(runtime: Runtime, req: IncomingMessage, res: ServerResponse): Promise<void> {
	try {
		const { hostname } = readRequest(req);
		const found = runtime.at(hostname);
		if (found === null) throw new UsageError(`no function is served at ${hostname}`);
		const to = { tenant: found.tenant, name: found.name };
		const { pathname, searchParams } = new URL(req.url ?? "", "http://localhost");
		const event = eventOf(pathname.slice(PATH.length), searchParams, await textOf(req));
		const { outcome, error, result } = await (event.type === "scheduled"
			? runtime.dispatch(to, event)
			: event.type === "event"
				? runtime.dispatch(to, event)
				: runtime.dispatch(to, event));
		end(res, outcome === "ok" ? 200 : 500, { outcome, error, ...result });
	} catch (error) {
		end(res, 400, { error: (error as Error).message });
	}
}

/** What a request asks for. Throws UsageError where that is nothing that there is. */
function eventOf(
	type: string,
	said: URLSearchParams,
	body: string,
): ScheduledEvent | QueueEvent | StorageEvent | CloudEvent {
	switch (type) {
		case "scheduled": {
			const scheduledTime = Number(said.get("time") ?? Date.now());
			return { type, cron: said.get("cron") ?? "* * * * *", scheduledTime };
		}
		case "queue": {
			const message = { id: "1", timestamp: Date.now(), attempts: 1 } as const;
			return { type, queue: said.get("queue") ?? "", messages: [{ ...message, ...bodyOf(body) }] };
		}
		case "storage":
			return { type, changes: [{ id: "1", attempts: 1, ...changeOf(said) }] };
		case "event": {
			const { contentType, body: value } = bodyOf(body);
			const json = contentType === "json";
			const about = { time: new Date().toISOString(), datacontenttype: json ? "application/json" : "text/plain" };
			const source = said.get("source") ?? "/manual";
			const attributes = {
				specversion: "1.0",
				id: randomUUID(),
				source,
				type: said.get("type") ?? "",
				...about,
			} as const;
			const data = { kind: contentType, bytes: Buffer.from(json ? JSON.stringify(value) : body) };
			return { type, attributes, ...(body !== "" && { data }), attempts: 1 };
		}
		default:
			throw new UsageError(
				`there is no ${PATH}${type}: there are ${PATH}scheduled?cron=…, ${PATH}queue?queue=…, ${PATH}storage?bucket=…&key=… and ${PATH}event?type=…`,
			);
	}
}

/** A change of a bucket or, by `kv`, of a namespace. What the action may be is checked when it is dispatched. */
function changeOf(said: URLSearchParams): StorageChange {
	const about = { account: said.get("account") ?? "default", eventTime: new Date().toISOString() };
	const key = said.get("key") ?? "";
	const size = said.has("size") ? Number(said.get("size")) : undefined;
	const namespace = said.get("kv");
	if (namespace !== null) {
		const action = (said.get("action") ?? "PutKey") as "PutKey";
		return { ...about, action, namespace, key, size };
	}
	const action = (said.get("action") ?? "PutObject") as "PutObject";
	const object = { key, size, eTag: said.get("eTag") ?? undefined };
	return { ...about, action, bucket: said.get("bucket") ?? "", object };
}

function bodyOf(text: string): { contentType: "json"; body: unknown } | { contentType: "text"; body: string } {
	try {
		return { contentType: "json", body: JSON.parse(text) };
	} catch {
		return { contentType: "text", body: text };
	}
}

async function textOf(req: IncomingMessage): Promise<string> {
	const parts: Buffer[] = [];
	let bytes = 0;
	for await (const part of req as AsyncIterable<Buffer>) {
		bytes += part.length;
		if (bytes > MOST_BODY) throw new UsageError(`a message has up to ${MOST_BODY} bytes`);
		parts.push(part);
	}
	return Buffer.concat(parts).toString();
}

function end(res: ServerResponse, status: number, said: object): void {
	const text = `${JSON.stringify(said)}\n`;
	res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
	res.end(text);
}
