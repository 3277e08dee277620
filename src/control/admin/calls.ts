import { createRoute, type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { TenantName } from "../../names.ts";
import { checked, parseBody } from "../json.ts";
import type { Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { problemShape } from "./shapes.ts";

/** One call: what it is described by, and what does it. */
export interface Call<Body> {
	method: "get" | "post" | "put" | "patch" | "delete";
	path: string;
	summary: string;
	scope: Scope;
	/** It is about the caller's own tenant, which its path does not name, so that a token for that alone will do. */
	own?: boolean;
	/** What its URL may say behind the question mark, each any number of times. */
	query?: z.ZodObject;
	body?: z.ZodType<Body>;
	/** Of a multipart upload. */
	form?: z.ZodType;
	result?: z.ZodType;
	/** What a stream has for a media type. */
	stream?: string;
	perform: (c: Context<Authenticated>, body: Body) => unknown;
}

/** The tenant of a request's path, once it is sure that the caller may reach what it has stored. */
export function storedTenantOf(c: Context<Authenticated>, scope: Scope): TenantName {
	const tenant = c.req.param("tenant") as string;
	c.get("bearer").requireStored(scope, tenant);
	return tenant;
}

/** Adds a call to an API: to its description, and to what it answers once the caller's token allows it. */
export function addCall<Body>(app: OpenAPIHono<Authenticated>, call: Call<Body>): void {
	const { method, scope, own, body, perform } = call;
	const route = routeOf(call);
	app.openAPIRegistry.registerPath(route);
	app.on(method.toUpperCase(), createRoute(route).getRoutingPath(), async (c) => {
		const bearer = c.get("bearer");
		const { tenant = own ? bearer.tenant : null, name = null } = c.req.param() as Record<string, string>;
		bearer.require(scope, tenant, name);
		const given = body === undefined ? (undefined as Body) : checked(body, parseBody(await c.req.text()));
		const done = await perform(c, given);
		return done instanceof Response ? done : c.json((done ?? {}) as object);
	});
}

function routeOf<Body>({ method, path, summary, scope, query, body, form, result, stream }: Call<Body>): RouteConfig {
	const params = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, z.string()]);
	const content =
		stream === undefined
			? { "application/json": { schema: result ?? z.object({}) } }
			: { [stream]: { schema: z.string() } };
	const errors = { "application/problem+json": { schema: problemShape } };
	return {
		method,
		path,
		summary,
		security: [{ token: [scope] }],
		request: {
			params: z.object(Object.fromEntries(params) as Record<string, z.ZodString>),
			...(query && { query }),
			...(body && { body: { required: true, content: { "application/json": { schema: body } } } }),
			...(form && { body: { required: true, content: { "multipart/form-data": { schema: form } } } }),
		},
		responses: { 200: { description: summary, content }, default: { description: "refused", content: errors } },
	};
}
