import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import type { Authenticated } from "../tokens.ts";
import { ok } from "./envelope.ts";
import { bodyOf, functionOf } from "./request.ts";
import { idOf, serviceShape, workerShape } from "./shapes.ts";
import { notThere } from "./upload.ts";

const domainsSchema = z.looseObject({
	origins: z.array(z.looseObject({ hostname: z.string(), enabled: z.boolean().optional() })),
});

/** The calls for whoever asks, and for what an account has: `/accounts/:account`. */
export function accounts(control: Control): Hono<Authenticated> {
	const { catalog, feed } = control;
	const app = new Hono<Authenticated>();
	type C = Context<Authenticated>;
	const tenantsOf = async (c: C) => {
		const { tenant } = c.get("bearer");
		return tenant === null ? catalog.tenants() : [tenant];
	};
	const paged = (items: object[]) =>
		[
			items,
			{ page: 1, per_page: items.length, count: items.length, total_count: items.length, total_pages: 1 },
		] as const;

	app.get("/user/tokens/verify", (c) => ok(c, { id: c.get("bearer").id, status: "active" }));
	app.get("/user", (c) => ok(c, { id: c.get("bearer").id, email: c.get("bearer").label }));
	app.get("/accounts", async (c) => {
		const all = (await tenantsOf(c)).map((tenant) => ({ id: tenant, name: tenant, type: "standard" }));
		return ok(c, ...paged(all));
	});
	app.get("/accounts/:account", (c) => {
		const tenant = c.req.param("account");
		c.get("bearer").require("read", tenant);
		return ok(c, { id: tenant, name: tenant, type: "standard" });
	});
	app.get("/memberships", async (c) => {
		const all = (await tenantsOf(c)).map((tenant) => ({
			id: idOf(tenant),
			status: "accepted",
			account: { id: tenant, name: tenant },
			permissions: {},
		}));
		return ok(c, ...paged(all));
	});

	app.get("/accounts/:account/workers/services/:script", async (c) => {
		const id = functionOf(c, "read");
		const { value: one } = await catalog.find(id);
		return ok(c, serviceShape(one, (await catalog.versions(id))[0]));
	});
	const remove = async (c: C) => {
		const id = functionOf(c, "deploy");
		await feed.served(await catalog.remove(c.get("bearer").label, id));
		return ok(c, null);
	};
	app.delete("/accounts/:account/workers/services/:script", remove);
	app.get("/accounts/:account/workers/scripts", async (c) => {
		const tenant = c.req.param("account");
		c.get("bearer").require("read", tenant);
		const all = await catalog.functions(tenant);
		return ok(
			c,
			all.map((one) => ({
				id: one.name,
				tag: idOf(`${tenant}/${one.name}`),
				created_on: one.created,
				modified_on: one.changed,
			})),
		);
	});
	app.get("/accounts/:account/workers/workers/:script", async (c) =>
		ok(c, workerShape((await catalog.find(functionOf(c, "read"))).value)),
	);
	app.delete("/accounts/:account/workers/workers/:script", remove);
	const latestSchema = z.looseObject({ env: z.record(z.string(), z.unknown()).default({}) });
	app.patch("/accounts/:account/workers/workers/:script/versions/latest", async (c) => {
		const id = functionOf(c, "deploy");
		const { env } = await bodyOf(c, latestSchema);
		await catalog.find(id);
		const names = Object.keys(env).join(", ");
		throw new ControlError(
			"not_supported",
			`${names}: a version has no secrets of its own here. They are the function's, and all of its versions get them at once: use wrangler secret put, bulk or delete`,
		);
	});
	app.get("/accounts/:account/workers/subdomain", (c) => {
		c.get("bearer").require("read", c.req.param("account"));
		return ok(c, { subdomain: c.req.param("account") });
	});
	app.put("/accounts/:account/workers/subdomain", (c) => ok(c, { subdomain: c.req.param("account") }));
	app.get("/accounts/:account/workers/tails/by-consumer/:script", (c) => ok(c, []));
	// Of what is not there yet there are none.
	for (const path of ["workers/durable_objects/namespaces", "workflows"])
		app.get(`/accounts/:account/${path}`, (c) => ok(c, ...paged([])));

	app.post("/accounts/:account/workers/scripts/:script/domains/changeset", async (c) => {
		const { value: one } = await catalog.find(functionOf(c, "read"));
		const wanted = await bodyOf(c, z.array(z.looseObject({ hostname: z.string() })));
		const added = wanted.filter(({ hostname }) => !one.hostnames.includes(hostname));
		const removed = one.hostnames.filter((hostname) => !wanted.some((domain) => domain.hostname === hostname));
		return ok(c, {
			added,
			removed: removed.map((hostname) => ({ id: idOf(hostname), hostname })),
			updated: [],
			conflicting: [],
		});
	});
	app.put("/accounts/:account/workers/scripts/:script/domains/records", async (c) => {
		const id = functionOf(c, "deploy");
		const { origins } = await bodyOf(c, domainsSchema);
		const hostnames = origins.filter(({ enabled }) => enabled !== false).map(({ hostname }) => hostname);
		await feed.served(await catalog.setHostnames(c.get("bearer").label, id, hostnames));
		return ok(
			c,
			hostnames.map((hostname) => ({ id: idOf(hostname), hostname, service: id.name, environment: "production" })),
		);
	});
	app.get("/accounts/:account/workers/domains/records", async (c) => {
		const tenant = c.req.param("account");
		c.get("bearer").require("read", tenant);
		const all = await catalog.functions(tenant);
		return ok(
			c,
			all.flatMap(({ name, hostnames }) =>
				hostnames.map((hostname) => ({ id: idOf(hostname), hostname, service: name, environment: "production" })),
			),
		);
	});
	// Any name is one's zone: who may have it is decided when it is claimed.
	app.get("/zones", (c) => {
		const name = c.req.query("name") ?? "";
		return ok(c, ...paged(name === "" ? [] : [{ id: idOf(name), name, account: { id: "default", name: "default" } }]));
	});
	app.get("/zones/:zone/workers/routes", (c) => ok(c, []));

	for (const [path, what] of [
		["d1/*", "this of D1"],
		["r2/*", "this call of R2"],
		["workflows/*", "Workflows"],
		["hyperdrive/*", "Hyperdrive"],
		["vectorize/*", "Vectorize"],
		["ai/*", "AI"],
		["pages/*", "Pages"],
		["containers/*", "containers"],
	])
		app.all(`/accounts/:account/${path}`, () => {
			throw notThere(what);
		});
	return app;
}
