import type { IncomingMessage } from "node:http";
import { FunctionError } from "../errors.ts";

/** What frameworks leave of a body that they have read: all of its bytes, or what a parser made of them. */
interface Leftovers {
	rawBody?: unknown;
	body?: unknown;
}

/** Whether somebody has read of a request's body before: the rest alone would be another body. */
export function isConsumed({ readableDidRead, readableEnded }: IncomingMessage): boolean {
	return readableDidRead || readableEnded;
}

/**
 * A body that a framework has read, from what it left of it: its bytes where they are there, and else what a parser
 * made of JSON or of a form, written out again. Throws FunctionError `body_consumed` where neither is there.
 */
export function consumedBody(req: IncomingMessage): Uint8Array {
	const { rawBody, body } = req as Leftovers;
	const bytes = bytesOf(rawBody) ?? bytesOf(body) ?? written(body, mediaTypeOf(req));
	if (bytes === null) throw new FunctionError("body_consumed");
	return bytes;
}

function bytesOf(value: unknown): Uint8Array | null {
	if (typeof value === "string") return Buffer.from(value);
	return value instanceof Uint8Array ? value : null;
}

function mediaTypeOf({ headers }: IncomingMessage): string {
	return (headers["content-type"] ?? "").split(";", 1)[0].trim().toLowerCase();
}

function written(body: unknown, mediaType: string): Uint8Array | null {
	if (body === undefined) return null;
	if (/^application\/(?:.+\+)?json$/.test(mediaType)) return Buffer.from(JSON.stringify(body));
	if (mediaType !== "application/x-www-form-urlencoded" || typeof body !== "object" || body === null) return null;
	const fields = new URLSearchParams();
	for (const [name, value] of Object.entries(body)) appendField(fields, name, value);
	return Buffer.from(fields.toString());
}

/** A field as parsers of forms understand it: `name=a&name=b` for a list, `name[key]=value` for an object. */
function appendField(fields: URLSearchParams, name: string, value: unknown): void {
	if (Array.isArray(value)) for (const item of value) appendField(fields, name, item);
	else if (typeof value === "object" && value !== null)
		for (const [key, inner] of Object.entries(value)) appendField(fields, `${name}[${key}]`, inner);
	else fields.append(name, String(value));
}
