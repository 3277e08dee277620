import { z } from "zod";
import type { EventHead } from "../../link/event-head.ts";
import type { Verdict } from "../../link/verdicts.ts";
import { type TraceContext, traceOf } from "../../observe/trace-context.ts";
import { type EncodedEvent, type EventType, eventPart } from "../event-type.ts";

/** Names of attributes, as CloudEvents has them; those that are an event's own say what it is. */
const ATTRIBUTE = /^[a-z0-9]{1,40}$/;
const MOST_ATTRIBUTES = 60;

/** An event that came from elsewhere: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export interface CloudEvent {
	type: "event";
	/** Its attributes and its extensions', by their names in lower case; the first four have to be there. */
	attributes: {
		specversion: "1.0";
		id: string;
		source: string;
		type: string;
		[attribute: string]: string | number | boolean;
	};
	/** What it says: a value as JSON, in UTF-8; text, or bytes. Default: nothing. */
	data?: { kind: "json" | "text" | "bytes"; bytes: Uint8Array };
	/** How often it was dispatched, this time included. */
	attempts: number;
}

/** What came of it. */
export interface CloudEventResult {
	/** Whether it may be dispatched again: its handler has failed, and has not called `noRetry()`. */
	retry: boolean;
}

const text = z.string().min(1).max(2048);
export const attributesSchema = z
	.looseObject({ specversion: z.literal("1.0"), id: text, source: text, type: text })
	.catchall(z.union([z.string().max(8192), z.number().int(), z.boolean()], "must be a string, an integer or a boolean"))
	.refine((all) => Object.keys(all).length <= MOST_ATTRIBUTES, `must be ${MOST_ATTRIBUTES} at most`)
	.refine((all) => Object.keys(all).every((name) => ATTRIBUTE.test(name) && name !== "data"), {
		error: "must have names of up to 40 lower-case letters and digits, and none the name data",
	});

export const event: EventType<CloudEvent, CloudEventResult> = {
	input: z.strictObject({
		type: z.literal("event"),
		attributes: attributesSchema,
		data: z.strictObject({ kind: z.enum(["json", "text", "bytes"]), bytes: z.instanceof(Uint8Array) }).optional(),
		attempts: z.number().int().min(1).max(1_000_000),
	}),
	encode({ attributes, data, attempts }: CloudEvent): EncodedEvent {
		// Attributes have no capitals, so that what stands beside them has some.
		const argument = eventPart({ fields: { ...attributes, attemptNumber: attempts }, methods: ["noRetry"] });
		if (data?.kind === "text") argument.fields.data = Buffer.from(data.bytes).toString();
		else if (data !== undefined) argument[data.kind].data = [0, data.bytes.byteLength];
		const bytes = data === undefined || data.kind === "text" ? null : data.bytes;
		const head: EventHead = { type: "event", handler: "event", argument, list: "", parts: [] };
		return { head, data: bytes, trace: traceNamedBy(attributes) };
	},
	decode: (_event: CloudEvent, verdicts: Verdict[], ok: boolean) => ({ retry: !ok && verdicts.length === 0 }),
};

/** https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md */
function traceNamedBy({ traceparent, tracestate = "" }: CloudEvent["attributes"]): TraceContext | null {
	return traceparent === undefined ? null : traceOf(String(traceparent), String(tracestate));
}

/** An event whose data is kept as bytes. */
export function eventOf(
	attributes: CloudEvent["attributes"],
	{ kind, bytes, attempts }: { kind: "json" | "text" | "bytes" | "none"; bytes: Uint8Array; attempts: number },
): CloudEvent {
	return { type: "event", attributes, attempts, ...(kind !== "none" && { data: { kind, bytes } }) };
}
