import { type Context, Hono } from "hono";
import { z } from "zod";
import type { FunctionId } from "../../names.ts";
import { hostnameOfRoute } from "../../router/route-pattern.ts";
import { cronsSchema } from "../../triggers/trigger-settings.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import type { VersionDocument } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { manifestSchema } from "../uploads/asset-uploads.ts";
import { readForm } from "../uploads/module-files.ts";
import { CloudflareError, Code, ok } from "./envelope.ts";
import { bodyOf, functionOf } from "./request.ts";
import { bindingsShape, deploymentShape, idOf, secretsShape, subdomainShape, versionShape } from "./shapes.ts";
import { readUpload, tagsSchema } from "./upload.ts";

const secretSchema = z.looseObject({ name: z.string(), text: z.string().default("") });
const bulkSchema = z.object({
	secrets: z.record(z.string(), z.union([z.null(), z.looseObject({ text: z.string().optional() })])),
});
const deploymentSchema = z.looseObject({
	versions: z.array(z.looseObject({ version_id: z.string(), percentage: z.number() })).min(1),
	annotations: z.record(z.string(), z.string().max(1000)).default({}),
});
const subdomainSchema = z.looseObject({ enabled: z.boolean().optional(), previews_enabled: z.boolean().optional() });
const settingsSchema = z.looseObject({ tags: tagsSchema.nullish() });
const schedulesSchema = z.array(z.looseObject({ cron: z.string() }));
const routesSchema = z.array(z.looseObject({ pattern: z.string() }));

/** The calls for one worker: `/accounts/:account/workers/scripts/:script`. */
export function scripts(control: Control): Hono<Authenticated> {
	const { catalog, versions, releases, feed } = control;
	const app = new Hono<Authenticated>();
	type C = Context<Authenticated>;

	const latest = async (id: FunctionId): Promise<VersionDocument | undefined> => (await catalog.versions(id))[0];
	/** The name of a secret, once it is sure that there is one. */
	const secretOf = async (id: FunctionId, name: string): Promise<string> => {
		if (Object.hasOwn((await catalog.find(id)).value.secrets, name)) return name;
		throw new CloudflareError(404, Code.noSecret, `there is no secret ${name}`);
	};
	/** Keeps what was uploaded beside a version, and the version. */
	const upload = async (c: C, id: FunctionId): Promise<VersionDocument> => {
		const actor = c.get("bearer").label;
		const { version, secrets, tags } = await readUpload(await readForm(c.req), await latest(id), (jwt) =>
			control.assets.complete(id, jwt),
		);
		await versions.check(version);
		await control.namespaces.claims(id.tenant, [version.bindings]);
		await control.buckets.claims(id.tenant, [version.bindings]);
		// What it needs is there when it is started for the first time.
		if (Object.keys(secrets).length > 0) await catalog.setSecrets(actor, id, secrets, { create: true });
		const made = await versions.upload(actor, id, version);
		if (tags !== undefined) await catalog.set(actor, id, { tags });
		return made;
	};
	const release = async (c: C, id: FunctionId, shares: { version: string; percent: number }[], message: string) => {
		const made = await releases.release(c.get("bearer").label, id, { shares, message, source: "wrangler" });
		await feed.served(made.sequence);
		return made.release;
	};

	app.put("/", async (c) => {
		const id = functionOf(c, "deploy");
		const version = await upload(c, id);
		await release(c, id, [{ version: version.id, percent: 100 }], version.message);
		return ok(c, {
			id: id.name,
			etag: version.hash,
			tag: idOf(`${id.tenant}/${id.name}`),
			pipeline_hash: version.hash,
			mutable_pipeline_id: idOf(`${id.tenant}/${id.name}`),
			deployment_id: version.id,
			handlers: version.handlers,
			startup_time_ms: Math.ceil(version.startUs / 1000),
			created_on: version.created,
			modified_on: version.created,
		});
	});
	app.delete("/", async (c) => {
		const id = functionOf(c, "deploy");
		await feed.served(await catalog.remove(c.get("bearer").label, id));
		return ok(c, null);
	});

	app.post("/versions", async (c) => {
		const id = functionOf(c, "deploy");
		const version = await upload(c, id);
		// A preview is there once the answer is.
		await feed.served(catalog.store.sequence);
		return ok(c, versionShape(version, (await catalog.find(id)).value.secrets));
	});
	app.get("/versions", async (c) => {
		const id = functionOf(c, "read");
		const { secrets } = (await catalog.find(id)).value;
		return ok(c, { items: (await catalog.versions(id)).map((version) => versionShape(version, secrets)) });
	});
	app.get("/versions/:version", async (c) => {
		const id = functionOf(c, "read");
		const { secrets } = (await catalog.find(id)).value;
		return ok(c, versionShape(await catalog.version(id, c.req.param("version")), secrets));
	});

	app.post("/assets-upload-session", async (c) => {
		const id = functionOf(c, "deploy");
		const { manifest } = await bodyOf(c, z.looseObject({ manifest: manifestSchema }));
		return ok(c, await control.assets.begin(id, manifest));
	});

	app.get("/deployments", async (c) => {
		const id = functionOf(c, "read");
		await catalog.find(id);
		return ok(c, { deployments: (await catalog.releases(id, "production")).map(deploymentShape) });
	});
	app.get("/deployments/:deployment", async (c) => {
		const id = functionOf(c, "read");
		const found = (await catalog.releases(id)).find((one) => one.id === c.req.param("deployment"));
		if (found === undefined) throw new ControlError("not_found", `${id.name} has no such deployment`);
		return ok(c, deploymentShape(found));
	});
	app.post("/deployments", async (c) => {
		const id = functionOf(c, "deploy");
		const { versions: given, annotations } = await bodyOf(c, deploymentSchema);
		const shares = given.map(({ version_id: version, percentage: percent }) => ({ version, percent }));
		return ok(c, deploymentShape(await release(c, id, shares, annotations["workers/message"] ?? "")));
	});

	app.get("/secrets", async (c) => {
		const id = functionOf(c, "read");
		return ok(c, secretsShape((await catalog.find(id)).value.secrets));
	});
	app.put("/secrets", async (c) => {
		const id = functionOf(c, "deploy");
		const { name, text } = await bodyOf(c, secretSchema);
		await feed.served(await catalog.setSecrets(c.get("bearer").label, id, { [name]: text }));
		return ok(c, { name, type: "secret_text" });
	});
	app.patch("/secrets-bulk", async (c) => {
		const id = functionOf(c, "deploy");
		const { secrets } = await bodyOf(c, bulkSchema);
		const patch = Object.entries(secrets).map(([name, value]) => [name, value === null ? null : (value.text ?? "")]);
		await feed.served(await catalog.setSecrets(c.get("bearer").label, id, Object.fromEntries(patch)));
		return ok(c, secretsShape((await catalog.find(id)).value.secrets));
	});
	app.get("/secrets/:name", async (c) => {
		const id = functionOf(c, "read");
		const name = await secretOf(id, c.req.param("name"));
		return ok(c, { name, type: "secret_text" });
	});
	app.delete("/secrets/:name", async (c) => {
		const id = functionOf(c, "deploy");
		const name = await secretOf(id, c.req.param("name"));
		await feed.served(await catalog.setSecrets(c.get("bearer").label, id, { [name]: null }));
		return ok(c, null);
	});

	app.get("/settings", async (c) => {
		const id = functionOf(c, "read");
		const { value: one } = await catalog.find(id);
		const version = await latest(id);
		return ok(c, {
			bindings: version === undefined ? secretsShape(one.secrets) : bindingsShape(version, one.secrets),
			compatibility_date: version?.compatibilityDate ?? "",
			compatibility_flags: version?.compatibilityFlags ?? [],
			usage_model: "standard",
			tags: one.tags,
			logpush: false,
			tail_consumers: [],
		});
	});
	app.patch("/script-settings", async (c) => {
		const id = functionOf(c, "deploy");
		const { tags } = await bodyOf(c, settingsSchema);
		if (Array.isArray(tags)) await catalog.set(c.get("bearer").label, id, { tags });
		return ok(c, { tags: (await catalog.find(id)).value.tags, logpush: false, tail_consumers: [] });
	});
	app.get("/script-settings", async (c) => {
		const { value: one } = await catalog.find(functionOf(c, "read"));
		return ok(c, { tags: one.tags, logpush: false, tail_consumers: [] });
	});

	app.get("/subdomain", async (c) => ok(c, subdomainShape((await catalog.find(functionOf(c, "read"))).value)));
	app.post("/subdomain", async (c) => {
		const id = functionOf(c, "deploy");
		const { enabled, previews_enabled: previews } = await bodyOf(c, subdomainSchema);
		const settings = {
			...(enabled !== undefined && { onDomain: enabled }),
			...(previews !== undefined && { previews }),
		};
		await feed.served(await catalog.set(c.get("bearer").label, id, settings));
		return ok(c, subdomainShape((await catalog.find(id)).value));
	});

	app.get("/schedules", async (c) => {
		const { value: one } = await catalog.find(functionOf(c, "read"));
		return ok(c, { schedules: one.schedules.map((cron) => ({ cron })) });
	});
	app.put("/schedules", async (c) => {
		const id = functionOf(c, "deploy");
		const schedules = checked(
			cronsSchema,
			(await bodyOf(c, schedulesSchema)).map(({ cron }) => cron),
			"schedules",
		);
		await feed.served(await catalog.set(c.get("bearer").label, id, { schedules }));
		return ok(c, { schedules: schedules.map((cron) => ({ cron })) });
	});

	app.get("/routes", async (c) => {
		const { value: one } = await catalog.find(functionOf(c, "read"));
		return ok(
			c,
			one.hostnames.map((hostname) => ({ id: idOf(hostname), pattern: `${hostname}/*` })),
		);
	});
	app.put("/routes", async (c) => {
		const id = functionOf(c, "deploy");
		const patterns = (await bodyOf(c, routesSchema)).map(({ pattern }) => pattern);
		await feed.served(await catalog.setHostnames(c.get("bearer").label, id, patterns.map(hostnameOf)));
		return ok(c, patterns);
	});
	app.get("/references", async (c) => {
		await catalog.find(functionOf(c, "read"));
		return ok(c, { services: { incoming: [], outgoing: [] }, durable_objects: [], dispatch_outbounds: [] });
	});
	return app;
}

function hostnameOf(pattern: string): string {
	const route = hostnameOfRoute(pattern);
	if ("problem" in route) throw new ControlError("invalid", route.problem);
	return route.hostname;
}
