import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../client.ts";
import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, pathOf, say, table } from "../command.ts";
import { askDevelopment } from "../development.ts";

/** How often it is looked what has become of an invocation. */
const LOOK_MS = 200;

/** What comes with an event, by the flags of a command. */
interface Payload {
	data?: string;
	file?: string;
	contentType?: string;
}

interface InvokeOptions extends ClientOptions, Payload {
	path?: string;
	delay?: number;
	at?: string;
	retries?: number;
	onSuccess?: string;
	onFailure?: string;
	key?: string;
	wait?: boolean;
}

interface TriggerOptions extends ClientOptions, Payload {
	cron?: string;
	queue?: string;
	type?: string;
	source?: string;
	dev?: number;
}

/** An invocation as the API tells of it. */
interface InvocationInfo {
	id: string;
	state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
	attempts: number;
	status: number;
	error: string | null;
	result: string;
}

/** `atoll invoke` */
export async function invoke(name: string, options: InvokeOptions): Promise<void> {
	const { path, delay, at, retries, onSuccess, onFailure, key, wait } = options;
	const client = clientOf(options);
	const id = await submit(client, name, options, { path, delay, at, retries, onSuccess, onFailure, key });
	if (!wait) say(options, { id }, () => id);
	else await tell(options, await ended(client, `${pathOf(options, name)}/invocations/${id}`));
}

/** `atoll trigger`: calls a handler now, once, and tells what came of it. */
export async function trigger(what: string, name: string, options: TriggerOptions): Promise<void> {
	const { cron, queue, type, source, dev } = options;
	if (what === "queue" && queue === undefined)
		throw new ClientError("which queue is the message of? --queue NAME", Exit.usage);
	if (what === "event" && type === undefined) throw new ClientError("what type has the event? --type TYPE", Exit.usage);
	const event = what === "cron" ? "scheduled" : what;
	if (dev !== undefined) return triggerInDevelopment(name, { ...options, event, dev });
	const client = clientOf(options);
	const id = await submit(client, name, options, { event, cron, queue, type, source, retries: 0 });
	await tell(options, await ended(client, `${pathOf(options, name)}/invocations/${id}`));
}

/** Asks for an invocation. Gives its id. */
async function submit(
	client: Client,
	name: string,
	options: ClientOptions & Payload,
	said: Record<string, string | number | undefined>,
): Promise<string> {
	const given = Object.entries(said).filter(([, value]) => value !== undefined);
	const query = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
	const body = await payloadOf(options);
	const headers = { "content-type": typeOf(options, body) };
	const response = await client.send("POST", `${pathOf(options, name)}/invocations?${query}`, { body, headers });
	return ((await response.json()) as { id: string }).id;
}

async function ended(client: Client, path: string): Promise<InvocationInfo> {
	for (;;) {
		const one = await client.get<InvocationInfo>(path);
		if (one.state !== "queued" && one.state !== "running") return one;
		await sleep(LOOK_MS);
	}
}

async function tell(options: ClientOptions, one: InvocationInfo): Promise<void> {
	say(options, one, () =>
		table([
			["invocation", one.id],
			["state", one.state],
			["attempts", String(one.attempts)],
			...(one.status === 0 ? [] : [["status", String(one.status)]]),
			...(one.error === null ? [] : [["error", one.error]]),
			...(one.result === "" ? [] : [["result", one.result]]),
		]),
	);
	if (one.state !== "succeeded") process.exitCode = Exit.refused;
}

async function payloadOf({ data, file }: Payload): Promise<Buffer<ArrayBuffer>> {
	if (data !== undefined && file !== undefined)
		throw new ClientError("--data and --file: one of them says what is sent", Exit.usage);
	if (file === undefined) return Buffer.from(data ?? "");
	try {
		return Buffer.from(file === "-" ? await buffer(process.stdin) : readFileSync(file));
	} catch (error) {
		throw new ClientError(`${file} cannot be read: ${(error as Error).message}`, Exit.usage);
	}
}

/** What is JSON is taken for it, where nobody says what it is. */
function typeOf({ contentType }: Payload, body: Buffer): string {
	if (contentType !== undefined) return contentType;
	try {
		JSON.parse(body.toString());
		return "application/json";
	} catch {
		return body.length === 0 ? "application/octet-stream" : "text/plain";
	}
}

/** The same at an `atoll dev` on this machine, at a port. */
async function triggerInDevelopment(name: string, options: TriggerOptions & { event: string; dev: number }) {
	const { event, cron, queue, type, source, dev } = options;
	const given = Object.entries({ cron, queue, type, source }).filter(([, value]) => value !== undefined);
	const query = new URLSearchParams(given as [string, string][]);
	const body = await payloadOf(options);
	const headers = { "content-type": typeOf(options, body), "content-length": body.length };
	const asked = { method: "POST", path: `/cdn-cgi/handler/${event}?${query}`, headers, body };
	const { status, told } = await askDevelopment(dev, name, asked);
	say(options, told.startsWith("{") ? JSON.parse(told) : { told }, () => told.trimEnd());
	if (status !== 200) process.exitCode = Exit.refused;
}
