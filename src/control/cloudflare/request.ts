import type { Context } from "hono";
import type { z } from "zod";
import type { FunctionId } from "../../names.ts";
import { checked, parseJson } from "../json.ts";
import type { Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";

/** The function of a request's path, `/accounts/:account/…/:script`, once it is sure that the caller may. */
export function functionOf(c: Context<Authenticated>, scope: Scope): FunctionId {
	const id = { tenant: c.req.param("account") as string, name: c.req.param("script") as string };
	c.get("bearer").require(scope, id.tenant, id.name);
	return id;
}

/** The body of a request, as a schema has it. Throws ControlError `invalid`. */
export async function bodyOf<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
	return checked(schema, parseJson(await c.req.text()));
}
