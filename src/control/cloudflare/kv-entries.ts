import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Content } from "../../bindings/binding.ts";
import type { Entry, Namespace } from "../../bindings/kv/namespace.ts";
import { ControlError } from "../control-error.ts";
import { checked, parseJson } from "../json.ts";
import type { Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { readForm } from "../uploads/module-files.ts";
import { CloudflareError, Code, failed, ok } from "./envelope.ts";
import { bodyOf } from "./request.ts";

/** https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/ */
const MOST_IN_BULK = 10_000;
const MOST_GOT = 100;
/** So many keys are removed in one transaction, and so many values are on their way at a time. */
const REMOVED_AT_ONCE = 100;
const PUT_AT_ONCE = 8;

const listSchema = z.object({
	prefix: z.string().default(""),
	cursor: z.string().default(""),
	limit: z.coerce.number().int().min(1).max(1000).default(1000),
});
const time = z.number().int().nullish();
const timesSchema = z.object({
	expiration: z.coerce.number().int().optional(),
	expiration_ttl: z.coerce.number().int().optional(),
});
const bulkSchema = z
	.array(
		z.looseObject({
			key: z.string(),
			value: z.string(),
			base64: z.boolean().nullish(),
			metadata: z.json().optional(),
			expiration: time,
			expiration_ttl: time,
		}),
	)
	.max(MOST_IN_BULK);
type BulkEntry = z.infer<typeof bulkSchema>[number];
const removedSchema = z
	.array(z.union([z.string(), z.looseObject({ name: z.string() }).transform(({ name }) => name)]))
	.max(MOST_IN_BULK);
const gotSchema = z.looseObject({
	keys: z.array(z.string()).min(1).max(MOST_GOT),
	type: z.enum(["text", "json"]).default("text"),
	withMetadata: z.boolean().default(false),
});

type C = Context<Authenticated>;
/** The namespace of a request's path, once it is sure that the caller may. */
type Open = (c: C, scope: Scope) => Promise<Namespace>;

/** The calls for what is in a KV namespace: `/accounts/:account/storage/kv/namespaces/:namespace`. */
export function kvEntries(open: Open): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	app.onError((error, c) => failed(c, toldOf(error)));
	const keyOf = (c: C) => c.req.param("key") as string;

	app.get("/keys", async (c) => {
		const namespace = await open(c, "read");
		const { keys, cursor } = await namespace.list(checked(listSchema, c.req.query()));
		const told = keys.map(({ key: name, expires, metadata }) => ({
			name,
			...(expires !== null && { expiration: expires }),
			...(metadata !== null && { metadata: metadataIn(metadata) }),
		}));
		return ok(c, told, { count: told.length, cursor: cursor ?? "" });
	});
	app.get("/metadata/:key", async (c) => {
		// The first key that begins with another is that itself, if it is there.
		const { keys } = await (await open(c, "read")).list({ prefix: keyOf(c), cursor: "", limit: 1 });
		if (keys[0]?.key !== keyOf(c)) throw noKey();
		return ok(c, metadataIn(keys[0].metadata));
	});
	app.get("/values/:key", async (c) => {
		const { found, values } = await (await open(c, "read")).get([keyOf(c)]);
		const [one] = found;
		if (one === null) throw noKey();
		const { size, expires } = one;
		return new Response(streamOf(values), {
			headers: {
				"content-type": "application/octet-stream",
				"content-length": String(size),
				"x-content-type-options": "nosniff",
				...(expires !== null && { expiration: String(expires) }),
			},
		});
	});
	app.put("/values/:key", async (c) => {
		const namespace = await open(c, "deploy");
		const times = checked(timesSchema, c.req.query());
		const { value, metadata } = await readValue(c);
		await namespace.put(entryOf({ key: keyOf(c), metadata, ...times }), value);
		return ok(c, null);
	});
	app.delete("/values/:key", async (c) => {
		await (await open(c, "deploy")).delete([keyOf(c)]);
		return ok(c, null);
	});

	app.put("/bulk", async (c) => {
		const namespace = await open(c, "deploy");
		const stored = await putAll(namespace, await bodyOf(c, bulkSchema));
		return ok(c, { successful_key_count: stored, unsuccessful_keys: [] });
	});
	const remove = async (c: C) => {
		const namespace = await open(c, "deploy");
		const keys = await bodyOf(c, removedSchema);
		for (let at = 0; at < keys.length; at += REMOVED_AT_ONCE)
			await namespace.delete(keys.slice(at, at + REMOVED_AT_ONCE));
		return ok(c, { successful_key_count: keys.length, unsuccessful_keys: [] });
	};
	app.delete("/bulk", remove);
	app.post("/bulk/delete", remove);
	app.post("/bulk/get", async (c) => {
		const namespace = await open(c, "read");
		return ok(c, { values: await getAll(namespace, await bodyOf(c, gotSchema)) });
	});
	return app;
}

function noKey(): CloudflareError {
	return new CloudflareError(404, Code.noKey, "get: 'key not found'");
}

/** What a namespace refuses begins with an HTTP status. */
function toldOf(error: Error): Error {
	const [, status, why] = /^([45]\d\d) (.+)$/s.exec(error.message) ?? [];
	return status === undefined ? error : new CloudflareError(Number(status), Code.invalid, why);
}

/** What a sandbox has put there as metadata is JSON, as long as it is an honest one. */
function metadataIn(text: string | null): unknown {
	try {
		return text === null ? null : (JSON.parse(text) as unknown);
	} catch {
		return text;
	}
}

function streamOf(content: Content): ReadableStream | Uint8Array<ArrayBuffer> | null {
	if (content === null || content instanceof Uint8Array) return content as Uint8Array<ArrayBuffer> | null;
	return ReadableStream.from(content) as ReadableStream;
}

function entryOf(given: {
	key: string;
	metadata: string | null;
	expiration?: number | null | undefined;
	expiration_ttl?: number | null | undefined;
}): Entry {
	const { key, metadata, expiration = null, expiration_ttl: expirationTtl = null } = given;
	return { key, metadata, expiration, expirationTtl };
}

/** A value as it comes; or, with metadata, from a form. */
async function readValue(c: C): Promise<{ value: Exclude<Content, null>; metadata: string | null }> {
	if (!/^multipart\/form-data\b/i.test(c.req.header("content-type") ?? ""))
		return { value: c.req.raw.body ?? new Uint8Array(0), metadata: null };
	const form = await readForm(c.req);
	const [value, metadata] = [form.get("value"), form.get("metadata")];
	if (value === null) throw new ControlError("invalid", "the part value is missing");
	if (metadata !== null && typeof metadata !== "string")
		throw new ControlError("invalid", "the part metadata must be JSON, and no file");
	return {
		value: typeof value === "string" ? Buffer.from(value) : value.stream(),
		metadata: metadata === null ? null : JSON.stringify(parseJson(metadata, "the part metadata")),
	};
}

/** Of entries with the same key the last one counts. Gives how many there were. */
async function putAll(namespace: Namespace, given: readonly BulkEntry[]): Promise<number> {
	const entries = new Map(given.map((one) => [one.key, one]));
	const left = entries.values();
	const refusals: Error[] = [];
	let stored = 0;
	const putSome = async () => {
		for (const one of left) {
			if (refusals.length > 0) return;
			const { key, value, base64, metadata = null, expiration, expiration_ttl } = one;
			const text = metadata === null ? null : JSON.stringify(metadata);
			try {
				const entry = entryOf({ key, metadata: text, expiration, expiration_ttl });
				await namespace.put(entry, Buffer.from(value, base64 ? "base64" : "utf8"));
				stored++;
			} catch (error) {
				const why = toldOf(error as Error);
				why.message = `${JSON.stringify(key)}: ${why.message}`;
				refusals.push(why);
			}
		}
	};
	await Promise.all(Array.from({ length: PUT_AT_ONCE }, putSome));
	if (refusals.length === 0) return stored;
	refusals[0].message += ` (${stored} of ${entries.size} were stored)`;
	throw refusals[0];
}

/** The values of keys, each once; `null` for one that is not there. */
async function getAll(
	namespace: Namespace,
	{ keys: given, type, withMetadata }: z.infer<typeof gotSchema>,
): Promise<Record<string, unknown>> {
	const keys = [...new Set(given)];
	const { found, values } = await namespace.get(keys);
	const bytes = values === null ? Buffer.alloc(0) : Buffer.from(await new Response(streamOf(values)).arrayBuffer());
	let at = 0;
	const told = found.map((one, i): [string, unknown] => {
		if (one === null) return [keys[i], null];
		const text = bytes.toString("utf8", at, at + one.size);
		at += one.size;
		const value = type === "json" ? parseJson(text, `the value of ${JSON.stringify(keys[i])}`) : text;
		if (!withMetadata) return [keys[i], value];
		const { expires, metadata } = one;
		return [keys[i], { value, metadata: metadataIn(metadata), ...(expires !== null && { expiration: expires }) }];
	});
	return Object.fromEntries(told);
}
