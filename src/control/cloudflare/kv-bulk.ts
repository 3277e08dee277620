import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Namespace } from "../../bindings/kv/namespace.ts";
import { parseJson } from "../json.ts";
import type { Authenticated } from "../tokens.ts";
import { failed, ok } from "./envelope.ts";
import type { OpenNamespace } from "./kv-entries.ts";
import { entryOf, metadataIn, streamOf, toldOf } from "./kv-shapes.ts";
import { bodyOf } from "./request.ts";

/** https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/ */
const MOST_IN_BULK = 10_000;
const MOST_GOT = 100;
/** So many keys are removed in one transaction, and so many values are on their way at a time. */
const REMOVED_AT_ONCE = 100;
const PUT_AT_ONCE = 8;

const time = z.number().int().nullish();
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

/** The calls for many entries of a KV namespace: `/accounts/:account/storage/kv/namespaces/:namespace/bulk`. */
export function kvBulk(open: OpenNamespace): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	app.onError((error, c) => failed(c, toldOf(error)));

	app.put("/", async (c) => {
		const namespace = await open(c, "deploy");
		const stored = await putAll(namespace, await bodyOf(c, bulkSchema));
		return ok(c, { successful_key_count: stored, unsuccessful_keys: [] });
	});
	const remove = async (c: Context<Authenticated>) => {
		const namespace = await open(c, "deploy");
		const keys = await bodyOf(c, removedSchema);
		for (let at = 0; at < keys.length; at += REMOVED_AT_ONCE)
			await namespace.delete(keys.slice(at, at + REMOVED_AT_ONCE));
		return ok(c, { successful_key_count: keys.length, unsuccessful_keys: [] });
	};
	app.delete("/", remove);
	app.post("/delete", remove);
	app.post("/get", async (c) => {
		const namespace = await open(c, "read");
		return ok(c, { values: await getAll(namespace, await bodyOf(c, gotSchema)) });
	});
	return app;
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
