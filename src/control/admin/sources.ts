import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { eventsHostname } from "../../config/server.ts";
import { DEFAULT_TENANT } from "../../names.ts";
import { rulesSchema, SCHEMES, secretsSchema } from "../../sources/source-settings.ts";
import type { Control } from "../control.ts";
import type { SourceDocument } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall, type Call } from "./calls.ts";

const SOURCES = "/tenants/{tenant}/sources";
const SOURCE = `${SOURCES}/{source}`;

const sourceShape = z
	.object({
		name: z.string(),
		scheme: z.enum(SCHEMES),
		secrets: z.array(z.object({ changed: z.string() })).openapi({
			description: "When each was set; nobody can read them back.",
		}),
		rules: rulesSchema,
		url: z.string().openapi({ description: "Where its events are to be sent." }),
		created: z.string(),
	})
	.openapi("Source");
const sourceRequest = z
	.strictObject({
		scheme: z.enum(SCHEMES),
		secrets: secretsSchema.optional().openapi({
			description: "What events are signed with, or show. One that is there keeps those that it has.",
		}),
		rules: rulesSchema.meta({ description: "Whom events are for: all rules that name their type." }),
	})
	.openapi("SourceRequest");

/** The calls for where a tenant's events come from. */
export function addSourceCalls(app: OpenAPIHono<Authenticated>, control: Control): void {
	const { sources, feed } = control;
	const call = <Body>(one: Call<Body>) => addCall(app, one);
	const param = (c: Context, name: string) => c.req.param(name) as string;
	const pathOf = (c: Context) => [param(c, "tenant"), param(c, "source")] as const;
	const told = ({ tenant, name, scheme, secrets, rules, created }: SourceDocument) => {
		const path = tenant === DEFAULT_TENANT ? name : `${tenant}/${name}`;
		const url = `${control.urlOf(eventsHostname(control.config))}/events/${path}`;
		return { name, scheme, secrets: secrets.map(({ changed }) => ({ changed })), rules, url, created };
	};

	call({
		method: "get",
		path: SOURCES,
		summary: "Where a tenant's events come from",
		scope: "read",
		result: z.array(sourceShape),
		perform: async (c) => (await sources.list(param(c, "tenant"))).map(told),
	});
	call({
		method: "get",
		path: SOURCE,
		summary: "One source",
		scope: "read",
		result: sourceShape,
		perform: async (c) => told((await sources.find(...pathOf(c))).value),
	});
	call({
		method: "put",
		path: SOURCE,
		summary: "Has events be taken from a source, in place of what it may have been",
		scope: "deploy",
		body: sourceRequest,
		result: sourceShape,
		perform: async (c, given) => {
			await feed.served(await sources.put(c.get("bearer").label, ...pathOf(c), given));
			return told((await sources.find(...pathOf(c))).value);
		},
	});
	call({
		method: "delete",
		path: SOURCE,
		summary: "Has no events be taken from a source any more",
		scope: "deploy",
		perform: async (c) => {
			await feed.served(await sources.remove(c.get("bearer").label, ...pathOf(c)));
		},
	});
}
