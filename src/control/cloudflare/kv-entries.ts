import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Content } from "../../bindings/binding.ts";
import type { Namespace } from "../../bindings/kv/namespace.ts";
import { ControlError } from "../control-error.ts";
import { checked, parseJson } from "../json.ts";
import type { Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { readForm } from "../uploads/module-files.ts";
import { CloudflareError, Code, failed, ok } from "./envelope.ts";
import { kvBulk } from "./kv-bulk.ts";
import { entryOf, metadataIn, streamOf, toldOf } from "./kv-shapes.ts";

const listSchema = z.object({
	prefix: z.string().default(""),
	cursor: z.string().default(""),
	limit: z.coerce.number().int().min(1).max(1000).default(1000),
});
const timesSchema = z.object({
	expiration: z.coerce.number().int().optional(),
	expiration_ttl: z.coerce.number().int().optional(),
});

type C = Context<Authenticated>;
/** The namespace of a request's path, once it is sure that the caller may. */
export type OpenNamespace = (c: C, scope: Scope) => Promise<Namespace>;

/** The calls for what is in a KV namespace: `/accounts/:account/storage/kv/namespaces/:namespace`. */
export function kvEntries(open: OpenNamespace): Hono<Authenticated> {
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
	app.route("/bulk", kvBulk(open));
	return app;
}

function noKey(): CloudflareError {
	return new CloudflareError(404, Code.noKey, "get: 'key not found'");
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
