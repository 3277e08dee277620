import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Control } from "../control.ts";
import { checked } from "../json.ts";
import { traceSent } from "../sent-trace.ts";
import type { TitledDocument } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { ok } from "./envelope.ts";
import { kvEntries } from "./kv-entries.ts";
import { bodyOf, storedTenantOf } from "./request.ts";

const listSchema = z.object({
	page: z.coerce.number().int().min(1).default(1),
	per_page: z.coerce.number().int().min(1).max(1000).default(20),
	order: z.enum(["id", "title"]).default("id"),
	direction: z.enum(["asc", "desc"]).default("asc"),
});
const namedSchema = z.looseObject({ title: z.string().trim().min(1).max(512) });

/** The calls for KV namespaces: `/accounts/:account/storage/kv/namespaces`. */
export function kvNamespaces({ namespaces }: Control): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	type C = Context<Authenticated>;
	const idOf = (c: C) => c.req.param("namespace") as string;

	app.get("/", async (c) => {
		const tenant = storedTenantOf(c, "read");
		const { page, per_page: size, order, direction } = checked(listSchema, c.req.query());
		const all = (await namespaces.list(tenant)).sort((a, b) => (a[order] < b[order] ? -1 : 1));
		if (direction === "desc") all.reverse();
		const shown = all.slice((page - 1) * size, page * size);
		const counts = { count: shown.length, total_count: all.length, total_pages: Math.ceil(all.length / size) };
		return ok(c, shown.map(namespaceShape), { page, per_page: size, ...counts });
	});
	app.post("/", async (c) => {
		const tenant = storedTenantOf(c, "deploy");
		const { title } = await bodyOf(c, namedSchema);
		return ok(c, namespaceShape(await namespaces.create(c.get("bearer").label, tenant, title)));
	});
	app.get("/:namespace", async (c) =>
		ok(c, namespaceShape((await namespaces.find(storedTenantOf(c, "read"), idOf(c))).value)),
	);
	app.put("/:namespace", async (c) => {
		const tenant = storedTenantOf(c, "deploy");
		const { title } = await bodyOf(c, namedSchema);
		return ok(c, namespaceShape(await namespaces.rename(c.get("bearer").label, tenant, idOf(c), title)));
	});
	app.delete("/:namespace", async (c) => {
		await namespaces.remove(c.get("bearer").label, storedTenantOf(c, "deploy"), idOf(c));
		return ok(c, null);
	});
	app.route(
		"/:namespace",
		kvEntries(async (c, scope) => namespaces.open(storedTenantOf(c, scope), idOf(c), scope, traceSent(c))),
	);
	return app;
}

function namespaceShape({ id, title }: TitledDocument): object {
	return { id, title, supports_url_encoding: true };
}
