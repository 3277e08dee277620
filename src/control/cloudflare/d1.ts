import { type Context, Hono } from "hono";
import { z } from "zod";
import type { StatementResult } from "../../bindings/sql/tenant-database.ts";
import { databaseName } from "../../names.ts";
import type { Control } from "../control.ts";
import { checked } from "../json.ts";
import type { Scope, TitledDocument } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { ok } from "./envelope.ts";
import { bodyOf, storedTenantOf } from "./request.ts";
import { notThere } from "./upload.ts";

const listSchema = z.object({
	name: z.string().optional(),
	page: z.coerce.number().int().min(1).default(1),
	per_page: z.coerce.number().int().min(1).max(1000).default(20),
});
const named = z.looseObject({ name: databaseName });
const query = z.looseObject({ sql: z.string().default(""), params: z.array(z.unknown()).default([]) });
const queries = query.extend({ batch: z.array(query).min(1).optional() });
const importing = z.discriminatedUnion("action", [
	z.looseObject({ action: z.literal("init"), etag: z.string() }),
	z.looseObject({ action: z.literal("ingest"), filename: z.string(), etag: z.string() }),
	z.looseObject({ action: z.literal("poll"), current_bookmark: z.string().optional() }),
]);
const exporting = z.looseObject({
	output_format: z.literal("polling").optional(),
	dump_options: z
		.looseObject({
			no_schema: z.boolean().nullish(),
			no_data: z.boolean().nullish(),
			tables: z.array(z.string()).nullish(),
		})
		.default({}),
});

/** The calls for SQL databases: `/accounts/:account/d1/database`. */
export function d1Calls({ databases, transfers }: Control): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	type C = Context<Authenticated>;
	/** The database of a request's path. What may change it needs the right to deploy, and so does what reads all of it. */
	const databaseOf = async (c: C, scope: Scope) => {
		const tenant = storedTenantOf(c, scope);
		const { value } = await databases.findNamed(tenant, c.req.param("database") as string);
		return { tenant, id: value.id, document: value };
	};
	const urlOf = (c: C, what: string, secret: string) =>
		`${new URL(c.req.url).origin}/client/v4/accounts/${c.req.param("account")}/d1/${what}/${secret}`;

	app.get("/", async (c) => {
		const tenant = storedTenantOf(c, "read");
		const { name, page, per_page: size } = checked(listSchema, c.req.query());
		const all = (await databases.list(tenant)).filter(({ title }) => name === undefined || title === name);
		const shown = all.slice((page - 1) * size, page * size);
		return ok(c, shown.map(databaseShape), { page, per_page: size, count: shown.length, total_count: all.length });
	});
	app.post("/", async (c) => {
		const tenant = storedTenantOf(c, "deploy");
		const { name } = await bodyOf(c, named);
		const made = await databases.create(c.get("bearer").label, tenant, name);
		await (await databases.open(tenant, made.id, "deploy")).create();
		return ok(c, databaseShape(made));
	});
	app.get("/:database", async (c) => {
		const { tenant, id, document } = await databaseOf(c, "read");
		const { size, tables } = await (await databases.open(tenant, id, "deploy")).about();
		return ok(c, { ...databaseShape(document), file_size: size, num_tables: tables, running_in_region: "LOCAL" });
	});
	// There is one copy of each, and nothing else to say of it.
	for (const method of ["put", "patch"] as const)
		app[method]("/:database", async (c) => ok(c, databaseShape((await databaseOf(c, "deploy")).document)));
	app.delete("/:database", async (c) => {
		const { tenant, id } = await databaseOf(c, "deploy");
		await databases.remove(c.get("bearer").label, tenant, id);
		return ok(c, null);
	});
	for (const [path, shape] of [
		["query", resultShape],
		["raw", rawShape],
	] as const)
		app.post(`/:database/${path}`, async (c) => {
			const { tenant, id } = await databaseOf(c, "deploy");
			const asked = await bodyOf(c, queries);
			const database = await databases.open(tenant, id, "deploy");
			const results = asked.batch ? await database.batch(asked.batch) : await database.run(asked.sql, asked.params);
			return ok(c, results.map(shape));
		});
	app.post("/:database/import", async (c) => {
		const { tenant, id } = await databaseOf(c, "deploy");
		const asked = await bodyOf(c, importing);
		const step = { success: true, type: "import", messages: [], at_bookmark: bookmark() };
		switch (asked.action) {
			case "init": {
				const secret = await transfers.expect(tenant, id);
				return ok(c, { ...step, filename: secret, upload_url: urlOf(c, "uploads", secret) });
			}
			case "ingest": {
				const { count, meta } = await transfers.ingest(tenant, id, asked.filename);
				const result = { num_queries: count, final_bookmark: bookmark(), meta };
				return ok(c, { ...step, status: "complete", result });
			}
			default:
				// Whoever begins one waits for its end, and has heard of it.
				return ok(c, { ...step, success: false, status: "error", error: "Not currently importing anything." });
		}
	});
	app.post("/:database/export", async (c) => {
		const { tenant, id, document } = await databaseOf(c, "deploy");
		const { dump_options: options } = await bodyOf(c, exporting);
		const wanted = { tables: options.tables ?? [], schema: !options.no_schema, data: !options.no_data };
		const secret = await transfers.export(tenant, id, wanted);
		return ok(c, {
			success: true,
			type: "export",
			status: "complete",
			messages: [],
			at_bookmark: bookmark(),
			result: { filename: `${document.title}.sql`, signed_url: urlOf(c, "downloads", secret) },
		});
	});
	app.all("/:database/time_travel/*", () => {
		throw notThere("going back to a database of before (Time Travel)");
	});
	return app;
}

/** When it is: there is one copy, which has all that was there by then. */
function bookmark(): string {
	return Date.now().toString(16).padStart(16, "0");
}

function databaseShape({ id, title, created }: TitledDocument): object {
	return { uuid: id, name: title, created_at: created, version: "production" };
}

function resultShape({ columns, rows, meta }: StatementResult): object {
	return {
		results: rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]]))),
		success: true,
		meta,
	};
}

function rawShape({ columns, rows, meta }: StatementResult): object {
	return { results: { columns, rows }, success: true, meta };
}
