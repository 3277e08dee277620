import { type Context, Hono } from "hono";
import { z } from "zod";
import { type Bucket, refusalOfKey, refusalOfMetadata } from "../../bindings/objects/bucket.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import { traceSent } from "../sent-trace.ts";
import type { BucketDocument, Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { CloudflareError, failed, ok } from "./envelope.ts";
import { streamOf } from "./kv-shapes.ts";
import { headersOf, metadataIn, objectShape, toldOf } from "./object-shapes.ts";
import { bodyOf, storedTenantOf } from "./request.ts";

const NO_OBJECT = 10007;

const createSchema = z.looseObject({
	name: z.string(),
	storageClass: z.string().default("Standard"),
	/** Where it is to be is where the server is. */
	locationHint: z.string().optional(),
});
const bucketsSchema = z.object({ name_contains: z.string().default("") });
const listSchema = z.object({
	prefix: z.string().default(""),
	delimiter: z.string().default(""),
	cursor: z.string().default(""),
	start_after: z.string().default(""),
	per_page: z.coerce.number().int().min(1).max(1000).default(20),
});

type C = Context<Authenticated>;

/** The calls for buckets and their objects: `/accounts/:account/r2/buckets`. */
export function bucketCalls({ buckets }: Control): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	app.onError((error, c) => failed(c, toldOf(error)));
	const nameOf = (c: C) => c.req.param("bucket") as string;
	/** The bucket and the key of a request's path. */
	const objectOf = async (c: C, scope: Scope): Promise<[Bucket, string]> => {
		const bucket = await buckets.open(storedTenantOf(c, scope), nameOf(c), scope, traceSent(c));
		const key = c.req.param("key") as string;
		refuse(refusalOfKey(key));
		return [bucket, key];
	};

	app.get("/", async (c) => {
		const { name_contains: part } = checked(bucketsSchema, c.req.query());
		const all = (await buckets.list(storedTenantOf(c, "read"))).filter(({ name }) => name.includes(part));
		return ok(c, { buckets: all.map(bucketShape) });
	});
	app.post("/", async (c) => {
		const tenant = storedTenantOf(c, "deploy");
		const jurisdiction = c.req.header("cf-r2-jurisdiction") ?? "default";
		if (jurisdiction !== "default")
			throw new ControlError("not_supported", `the jurisdiction ${jurisdiction}: objects are where the server is`);
		const { name, storageClass } = await bodyOf(c, createSchema);
		if (storageClass !== "Standard")
			throw new ControlError("not_supported", "a bucket has no storage class of its own: say it of objects");
		return ok(c, bucketShape(await buckets.create(c.get("bearer").label, tenant, name)));
	});
	app.get("/:bucket", async (c) =>
		ok(c, bucketShape((await buckets.find(storedTenantOf(c, "read"), nameOf(c))).value)),
	);
	app.delete("/:bucket", async (c) => {
		await buckets.remove(c.get("bearer").label, storedTenantOf(c, "deploy"), nameOf(c));
		return ok(c, {});
	});

	app.get("/:bucket/objects", async (c) => {
		const bucket = await buckets.open(storedTenantOf(c, "read"), nameOf(c), "read");
		const { per_page: limit, start_after: startAfter, ...rest } = checked(listSchema, c.req.query());
		const { objects, prefixes, cursor } = await bucket.list({ ...rest, limit, startAfter, http: true, custom: true });
		const info = { delimited: prefixes, per_page: limit, is_truncated: cursor !== null };
		return ok(c, objects.map(objectShape), { ...info, ...(cursor !== null && { cursor }) });
	});
	app.get("/:bucket/objects/:key{.+}", async (c) => {
		const [bucket, key] = await objectOf(c, "read");
		const found = await bucket.get(key, { onlyIf: null, range: null });
		if (found === null) throw new CloudflareError(404, NO_OBJECT, "The specified key does not exist.");
		return new Response(streamOf(found.content), { headers: headersOf(found.head) });
	});
	app.put("/:bucket/objects/:key{.+}", async (c) => {
		const [bucket, key] = await objectOf(c, "deploy");
		const metadata = metadataIn(c.req.raw.headers);
		refuse(refusalOfMetadata(metadata));
		const head = await bucket.put(key, { metadata, onlyIf: null, expected: null }, c.req.raw.body);
		return ok(c, head && objectShape(head));
	});
	app.delete("/:bucket/objects/:key{.+}", async (c) => {
		const [bucket, key] = await objectOf(c, "deploy");
		await bucket.delete([key]);
		return ok(c, { key });
	});
	return app;
}

function refuse(why: string | null): void {
	if (why !== null) throw new Error(why);
}

function bucketShape({ name, created }: BucketDocument): object {
	return { name, creation_date: created, location: "", storage_class: "Standard", jurisdiction: "default" };
}
