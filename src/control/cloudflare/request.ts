import type { Context } from "hono";
import type { z } from "zod";
import type { FunctionId, TenantName } from "../../names.ts";
import { checked, parseBody } from "../json.ts";
import type { Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";

/** The function of a request's path, `/accounts/:account/…/:script`, once it is sure that the caller may. */
export function functionOf(c: Context<Authenticated>, scope: Scope): FunctionId {
	const id = { tenant: c.req.param("account") as string, name: c.req.param("script") as string };
	c.get("bearer").require(scope, id.tenant, id.name);
	return id;
}

/** The tenant of a request's path, `/accounts/:account/…`, once it is sure that the caller may reach what it has stored. */
export function storedTenantOf(c: Context<Authenticated>, scope: Scope): TenantName {
	const tenant = c.req.param("account") as string;
	c.get("bearer").requireStored(scope, tenant);
	return tenant;
}

/** The body of a request, as a schema has it. Throws ControlError `invalid`. */
export async function bodyOf<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
	return checked(schema, parseBody(await c.req.text()));
}
