import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { attributesSchema } from "../../invocation/events/event.ts";
import type { EventAttributes } from "../../triggers/invocation-calls.ts";
import { headerOf, jsonIn, Malformed, type Received, type Scheme } from "../scheme.ts";
import { isOneOf } from "../signatures.ts";

const MOST_EVENTS = 100;
const JSON_TYPE = /^(?:application|text)\/(?:[^;]+\+)?json *(?:;|$)/i;
const NOTHING = Buffer.alloc(0);

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#context-attributes */
const checkedAttributes = attributesSchema.and(
	z.looseObject({
		source: z.string().regex(/^[\x21-\x7e]+$/, "must be a URI reference"),
		time: z.iso.datetime({ offset: true }).optional(),
		subject: z.string().min(1).optional(),
		datacontenttype: z
			.string()
			.regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+ *(?:;.*)?$/, "must be a media type")
			.optional(),
		dataschema: z
			.string()
			.regex(/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i, "must be a URI")
			.optional(),
	}),
);

/**
 * Events of any sender that shows a secret: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md
 */
export const cloudevents: Scheme = ({ headers, secrets }) => {
	const [, token] = /^bearer +([\x21-\x7e]+)$/i.exec(headerOf(headers, "authorization", 1024) ?? "") ?? [];
	if (token === undefined || !isOneOf(token, secrets)) return null;
	return (body) => eventsIn(headers, body);
};

/** The events of a request: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md */
function eventsIn(headers: IncomingHttpHeaders, body: Buffer): Received[] {
	const contentType = headerOf(headers, "content-type", 1024) ?? "";
	const [, format] = /^application\/(cloudevents(?:-batch)?(?:\+[\w.-]+)?) *(?:;|$)/i.exec(contentType) ?? [];
	switch (format?.toLowerCase()) {
		case undefined:
			return [binary(headers, contentType, body)];
		case "cloudevents+json":
			return [structured(parsed(body))];
		case "cloudevents-batch+json": {
			const all = parsed(body);
			if (!Array.isArray(all)) throw new Malformed("a batch of events must be an array");
			if (all.length > MOST_EVENTS) throw new Malformed(`a batch has up to ${MOST_EVENTS} events`);
			return all.map(structured);
		}
		default:
			throw new Malformed(`events come in JSON, and not as application/${format}`, 415);
	}
}

function parsed(body: Buffer): unknown {
	const value = jsonIn(body);
	if (value === undefined) throw new Malformed("the body is no JSON");
	return value;
}

function binary(headers: IncomingHttpHeaders, contentType: string, body: Buffer): Received {
	const given: [string, unknown][] = [];
	for (const [name, value] of Object.entries(headers))
		if (name.startsWith("ce-")) given.push([name.slice("ce-".length), decoded(String(value))]);
	if (given.length === 0)
		throw new Malformed("it is no event: it has neither ce- headers nor a type application/cloudevents+json", 415);
	if (contentType !== "") given.push(["datacontenttype", contentType]);
	const isJson = JSON_TYPE.test(contentType);
	if (isJson && body.length > 0) parsed(body);
	const kind = body.length === 0 ? "none" : isJson ? "json" : /^text\//i.test(contentType) ? "text" : "bytes";
	return received(Object.fromEntries(given), { kind, bytes: body });
}

/** Values in headers are percent-encoded UTF-8. */
function decoded(value: string): string {
	try {
		return decodeURIComponent(value);
	} catch {
		return value;
	}
}

function structured(value: unknown): Received {
	if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Malformed("an event is an object");
	const { data, data_base64: base64, ...rest } = value as Record<string, unknown>;
	if (data !== undefined && base64 !== undefined) throw new Malformed("an event has data or data_base64, and not both");
	const attributes = Object.fromEntries(Object.entries(rest).filter(([, one]) => one !== null));
	if (base64 !== undefined) {
		if (typeof base64 !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
			throw new Malformed("data_base64: it must be bytes in base64");
		return received(attributes, { kind: "bytes", bytes: Buffer.from(base64, "base64") });
	}
	if (data === undefined) return received(attributes, { kind: "none", bytes: NOTHING });
	const { datacontenttype = "application/json" } = attributes;
	if (typeof data === "string" && !JSON_TYPE.test(String(datacontenttype)))
		return received(attributes, { kind: "text", bytes: Buffer.from(data) });
	return received({ ...attributes, datacontenttype }, { kind: "json", bytes: written(data) });
}

function written(data: unknown): Buffer {
	try {
		return Buffer.from(JSON.stringify(data));
	} catch {
		throw new Malformed("data: it is nested too deep");
	}
}

function received(given: object, data: Received["data"]): Received {
	const { success, data: attributes, error } = checkedAttributes.safeParse(given);
	if (!success) {
		const [{ path, message }] = error.issues;
		throw new Malformed(`${path.join(".") || "its attributes"}: ${message}`);
	}
	const { source, id } = attributes;
	// An event is known by both: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#id
	const key = createHash("sha256").update(`${source}\n${id}`).digest("base64");
	return { attributes: attributes as EventAttributes, data, key };
}
