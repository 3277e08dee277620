import { randomUUID } from "node:crypto";
import { type TraceContext, writtenTrace } from "../observe/trace-context.ts";
import type { StoredData } from "../stores/data-process.ts";
import { invocationQueue, type NewInvocation, type TakeIn, type TakenIn } from "../triggers/invocation-calls.ts";
import type { Bytes } from "../units.ts";
import type { Received } from "./scheme.ts";
import { isFor, type Source } from "./source-settings.ts";

export interface DeliveryParts {
	data: StoredData;
	/** How much a tenant may store. */
	storedBytes: Bytes;
	/** A queue has messages, or a function invocations. */
	queued: (tenant: string, queue: string) => void;
}

/**
 * Takes an event in, which its request sent from a place in a trace, or from none, for all whom its source's rules name, or
 * for nobody: once this resolves it is on the disk. One that was taken in before is not again.
 */
export async function deliver(
	{ data: process, storedBytes, queued }: DeliveryParts,
	{ tenant, name, rules }: Source,
	received: Received & { trace: TraceContext | null },
): Promise<void> {
	const { attributes, data, key, trace } = received;
	const wanted = rules.filter((rule) => isFor(rule, attributes.type));
	const invocations: NewInvocation[] = [];
	const messages: TakeIn["messages"] = [];
	const bodies: Uint8Array[] = [];
	for (const { function: to, retries, deadLetterQueue: dead } of wanted) {
		if (to === undefined) continue;
		const event = { type: "event", attributes, data: data.kind } as const;
		const onFailure = dead === null ? null : { queue: dead };
		const size = data.bytes.byteLength;
		invocations.push({ id: randomUUID(), function: to, delayMs: 0, size, event, retries, onSuccess: null, onFailure });
		bodies.push(data.bytes);
	}
	for (const { queue } of wanted) {
		if (queue === undefined) continue;
		const body = inJson(received);
		messages.push({ queue, type: "json", size: body.byteLength });
		bodies.push(body);
	}
	if (wanted.length === 0) return;
	const once = key === "" ? null : { scope: `source/${name}`, key };
	const said: TakeIn = {
		tenant,
		once,
		invocations,
		messages,
		trace: writtenTrace(trace),
		mostBytes: storedBytes,
	};
	const call = { store: "invocations", operation: "take", said, bytes: Buffer.concat(bodies) };
	const taken = (await process.ask(tenant, call)).said as TakenIn;
	if (taken.repeated) return;
	for (const { function: to } of invocations) queued(tenant, invocationQueue(to));
	for (const { queue } of messages) queued(tenant, queue);
}

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md */
function inJson({ attributes, data }: Received): Buffer {
	const head = JSON.stringify(attributes).slice(0, -1);
	if (data.kind === "none") return Buffer.from(`${head}}`);
	// What is JSON already was checked, and is not read again.
	if (data.kind === "json") return Buffer.concat([Buffer.from(`${head},"data":`), data.bytes, Buffer.from("}")]);
	const bytes = Buffer.from(data.bytes);
	const [name, text] = data.kind === "text" ? ["data", bytes.toString()] : ["data_base64", bytes.toString("base64")];
	return Buffer.from(`${head},"${name}":${JSON.stringify(text)}}`);
}
