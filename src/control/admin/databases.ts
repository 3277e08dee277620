import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Control } from "../control.ts";
import type { Scope, TitledDocument } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall, type Call, storedTenantOf } from "./calls.ts";
import * as shapes from "./shapes.ts";

const DATABASES = "/tenants/{tenant}/databases";
const DATABASE = `${DATABASES}/{database}`;

/** The calls for a tenant's SQL databases, each named by its name or its id. */
export function addDatabaseCalls(app: OpenAPIHono<Authenticated>, { databases, transfers }: Control): void {
	type C = Context<Authenticated>;
	const call = <Body>(one: Call<Body>) => addCall(app, one);
	const databaseOf = async (c: C, scope: Scope) => {
		const tenant = storedTenantOf(c, scope);
		const { id } = (await databases.findNamed(tenant, c.req.param("database") as string)).value;
		return { tenant, id };
	};

	call({
		method: "get",
		path: DATABASES,
		summary: "A tenant's SQL databases",
		scope: "read",
		result: z.array(shapes.databaseShape),
		perform: async (c) => (await databases.list(storedTenantOf(c, "read"))).map(shapeOf),
	});
	call({
		method: "post",
		path: DATABASES,
		summary: "Makes a SQL database",
		scope: "deploy",
		body: shapes.databaseRequest,
		result: shapes.databaseShape,
		perform: async (c, { name }) => {
			const tenant = storedTenantOf(c, "deploy");
			const made = await databases.create(c.get("bearer").label, tenant, name);
			await (await databases.open(tenant, made.id, "deploy")).create();
			return shapeOf(made);
		},
	});
	call({
		method: "delete",
		path: DATABASE,
		summary: "Removes a SQL database with all that is in it, once no function is bound to it",
		scope: "deploy",
		perform: async (c) => {
			const { tenant, id } = await databaseOf(c, "deploy");
			await databases.remove(c.get("bearer").label, tenant, id);
		},
	});
	call({
		method: "post",
		path: `${DATABASE}/query`,
		summary: "Runs statements in a SQL database, all of them or none",
		scope: "deploy",
		body: shapes.queryRequest,
		result: z.array(shapes.statementShape),
		perform: async (c, { sql, params }) => {
			const { tenant, id } = await databaseOf(c, "deploy");
			return (await databases.open(tenant, id, "deploy")).run(sql, params);
		},
	});
	call({
		method: "post",
		path: `${DATABASE}/import`,
		summary: "Runs a file of SQL, which is the body, up to 64 MB: all of it or nothing",
		scope: "deploy",
		result: shapes.importShape,
		perform: async (c) => {
			const { tenant, id } = await databaseOf(c, "deploy");
			const secret = await transfers.expect(tenant, id);
			await transfers.receive(secret, c.req.raw.body ?? ReadableStream.from([]));
			const { count, meta } = await transfers.ingest(tenant, id, secret);
			return { count, rowsWritten: meta.rows_written };
		},
	});
	call({
		method: "get",
		path: `${DATABASE}/export`,
		summary: "A SQL database as statements that make it anew",
		scope: "deploy",
		stream: "application/sql",
		perform: async (c) => {
			const { tenant, id } = await databaseOf(c, "deploy");
			const secret = await transfers.export(tenant, id, { tables: [], schema: true, data: true });
			const content = ReadableStream.from(transfers.fetch(secret)) as ReadableStream;
			return new Response(content, { headers: { "content-type": "application/sql" } });
		},
	});
}

function shapeOf({ id, title, created }: TitledDocument): z.infer<typeof shapes.databaseShape> {
	return { id, name: title, created };
}
