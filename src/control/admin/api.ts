import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { type FunctionId, keyOf } from "../../names.ts";
import { version as atollVersion } from "../../version.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import { resolveTriggers } from "../kv/namespaces.ts";
import type { FunctionDocument, VersionDocument } from "../store/documents.ts";
import { FAILED, type TailFilter, tailFilter } from "../tails/tail-filters.ts";
import type { Authenticated } from "../tokens.ts";
import { filesIn } from "../uploads/asset-uploads.ts";
import { NO_MODULE, readForm, readMetadata, readModules } from "../uploads/module-files.ts";
import { addAlertCalls } from "./alerts.ts";
import { addAnalyticsCalls } from "./analytics.ts";
import { backupOf } from "./backup.ts";
import { addBucketCalls } from "./buckets.ts";
import { addBudgetCalls } from "./budgets.ts";
import { addCacheCalls } from "./caches.ts";
import { addCall, type Call } from "./calls.ts";
import { addDatabaseCalls } from "./databases.ts";
import { addInvocationCalls } from "./invocations.ts";
import { addLogCalls } from "./logs.ts";
import { problem } from "./problem.ts";
import { addProfileCalls } from "./profiles.ts";
import { addQueueCalls } from "./queues.ts";
import { settingsOf } from "./settings.ts";
import * as shapes from "./shapes.ts";
import { addSourceCalls } from "./sources.ts";
import { tailStream } from "./tail-stream.ts";
import { addUsageCalls } from "./usage.ts";

type C = Context<Authenticated>;

const FUNCTION = "/tenants/{tenant}/functions/{name}";

/** The platform's own API, below `/v1`: docs/api-admin.md. */
export function adminApi(control: Control): OpenAPIHono<Authenticated> {
	const { catalog, keeping, bound, namespaces, versions, releases, tokens, assets } = control;
	const app = new OpenAPIHono<Authenticated>();
	app.onError((error, c) => problem(c, error));

	const call = <Body>(one: Call<Body>) => addCall(app, one);
	const idOf = (c: C): FunctionId => ({ tenant: c.req.param("tenant") as string, name: c.req.param("name") as string });
	const actorOf = (c: C) => c.get("bearer").label;
	const hostnameOf = (one: FunctionId) => catalog.ownHostname(one);
	const versionOf = (one: VersionDocument) => {
		const { id, number, hash, size, handlers, compatibilityDate, compatibilityFlags, startUs } = one;
		const { message, tag, author, source, created } = one;
		const url = control.urlOf(`${id.slice(0, 8)}--${hostnameOf(one)}`);
		const about = { message, tag, author, source, created, url };
		return {
			id,
			number,
			hash,
			size,
			handlers,
			compatibilityDate,
			compatibilityFlags,
			startMs: startUs / 1000,
			...about,
		};
	};
	const functionOf = async (one: FunctionDocument) => {
		const { tenant, name, paused, provisioned, created, changed } = one;
		const maxInstances = paused ? 0 : one.maxInstances;
		const aliases: Record<string, unknown> = {};
		for (const alias of Object.keys(one.aliases)) aliases[alias] = (await catalog.released(one, alias))?.shares ?? [];
		const hostnames = catalog.hostnamesOf(one);
		const keep = keeping.rulesOf(one);
		const triggers = { crons: one.schedules, queues: one.consumers, storage: one.storage };
		return { tenant, name, hostnames, paused, provisioned, maxInstances, keep, triggers, aliases, created, changed };
	};

	call({
		method: "get",
		path: "/whoami",
		summary: "What the token allows, and which server this is",
		scope: "read",
		own: true,
		result: shapes.whoamiShape,
		perform: (c) => {
			const { id, grant } = c.get("bearer");
			const { domain } = control.config;
			return { id, ...grant, domain, version: atollVersion() };
		},
	});
	call({
		method: "get",
		path: "/tenants",
		summary: "All tenants",
		scope: "read",
		own: true,
		result: z.array(z.string()),
		perform: async (c) => {
			const { tenant } = c.get("bearer");
			return tenant === null ? catalog.tenants() : [tenant];
		},
	});
	call({
		method: "get",
		path: "/tenants/{tenant}/functions",
		summary: "A tenant's functions",
		scope: "read",
		result: z.array(shapes.functionShape),
		perform: async (c) =>
			Promise.all((await catalog.functions(c.req.param("tenant") as string)).map((one) => functionOf(one))),
	});
	call({
		method: "get",
		path: FUNCTION,
		summary: "One function",
		scope: "read",
		result: shapes.functionShape,
		perform: async (c) => functionOf((await catalog.find(idOf(c))).value),
	});
	call({
		method: "patch",
		path: FUNCTION,
		summary: "Pauses a function, or changes its instances, what is kept of it, what calls it and where it is reached",
		scope: "deploy",
		body: shapes.settingsRequest,
		result: shapes.functionShape,
		perform: async (c, request) => {
			const { triggers } = request;
			const resolved = triggers && (await resolveTriggers(namespaces, idOf(c).tenant, triggers));
			await control.served(await catalog.set(actorOf(c), idOf(c), settingsOf({ ...request, triggers: resolved })));
			return functionOf((await catalog.find(idOf(c))).value);
		},
	});
	call({
		method: "delete",
		path: FUNCTION,
		summary: "Removes a function with all its versions",
		scope: "deploy",
		perform: async (c) => control.served(await catalog.remove(actorOf(c), idOf(c))),
	});

	call({
		method: "post",
		path: `${FUNCTION}/assets`,
		summary: "Begins to upload the files that a version is to have, and says which of them are not here yet",
		scope: "deploy",
		body: shapes.assetsRequest,
		result: shapes.assetSessionShape,
		perform: async (c, { files }) => {
			const { jwt: session, buckets: missing } = await assets.begin(idOf(c), files);
			return { session, missing };
		},
	});
	call({
		method: "post",
		path: `${FUNCTION}/assets/files`,
		summary:
			"Takes files in: the part session, and a part for each file whose name is its hash and whose type is its own, or application/null for none",
		scope: "deploy",
		form: z.object({ session: z.string() }),
		result: z.object({
			session: z.string().nullable().openapi({ description: "For the version; null as long as files are missing." }),
		}),
		perform: async (c) => {
			const form = await readForm(c.req);
			const session = String(form.get("session"));
			if ((await assets.session(session)) !== keyOf(idOf(c)))
				throw new ControlError("invalid", "the session is of another function");
			return { session: await assets.receive(session, await filesIn(form, "binary")) };
		},
	});
	call({
		method: "post",
		path: `${FUNCTION}/versions`,
		summary: "Uploads a version: the part metadata, and a part for each module whose file name is its path",
		scope: "deploy",
		form: z.object({ metadata: shapes.uploadMetadata }),
		result: shapes.versionShape,
		perform: async (c) => {
			const form = await readForm(c.req);
			const metadata = await readMetadata(form, shapes.uploadMetadata);
			const { main, assets: given, versionMetadata: metadataBinding, ...rest } = metadata;
			const modules = await readModules(form);
			if (main === undefined && given === undefined)
				throw new ControlError("invalid", "main: it must say which of the modules is the function");
			const alone = main === undefined;
			if (alone) modules.push(NO_MODULE);
			const site =
				given === undefined
					? null
					: { manifest: await assets.complete(idOf(c), given.session), config: given.config, alone };
			const { tenant } = idOf(c);
			const bindings = await bound.resolve(tenant, rest.bindings);
			const version = await versions.upload(actorOf(c), idOf(c), {
				...rest,
				bindings,
				main: main ?? NO_MODULE.path,
				modules,
				metadataBinding,
				site,
				assetsBinding: given?.binding ?? "",
				source: "atoll",
			});
			await bound.introduce(actorOf(c), tenant, bindings);
			await control.served(catalog.store.sequence);
			return versionOf(version);
		},
	});
	call({
		method: "get",
		path: `${FUNCTION}/versions`,
		summary: "A function's versions, the latest first",
		scope: "read",
		result: z.array(shapes.versionShape),
		perform: async (c) => {
			await catalog.find(idOf(c));
			return (await catalog.versions(idOf(c))).map(versionOf);
		},
	});
	call({
		method: "get",
		path: `${FUNCTION}/versions/{version}`,
		summary: "One version, by its id or its number",
		scope: "read",
		result: shapes.versionShape,
		perform: async (c) => versionOf(await catalog.version(idOf(c), c.req.param("version") as string)),
	});

	call({
		method: "get",
		path: `${FUNCTION}/releases`,
		summary: "A function's releases, the latest first",
		scope: "read",
		result: z.array(shapes.releaseShape),
		perform: async (c) => {
			await catalog.find(idOf(c));
			return catalog.releases(idOf(c));
		},
	});
	call({
		method: "post",
		path: `${FUNCTION}/releases`,
		summary: "Has versions get the traffic of an alias",
		scope: "deploy",
		body: shapes.releaseRequest,
		result: shapes.releaseShape,
		perform: async (c, request) => {
			const made = await releases.release(actorOf(c), idOf(c), { ...request, source: "atoll" });
			await control.served(made.sequence);
			return made.release;
		},
	});
	call({
		method: "post",
		path: `${FUNCTION}/rollback`,
		summary: "Goes back to the release before, or to a version",
		scope: "deploy",
		body: shapes.rollbackRequest,
		result: shapes.releaseShape,
		perform: async (c, { version, alias, message }) => {
			const to = { message, ...(version !== undefined && { version }), ...(alias !== undefined && { alias }) };
			const made = await releases.rollback(actorOf(c), idOf(c), to);
			await control.served(made.sequence);
			return made.release;
		},
	});
	call({
		method: "delete",
		path: `${FUNCTION}/aliases/{alias}`,
		summary: "Takes an alias away",
		scope: "deploy",
		perform: async (c) =>
			control.served(await releases.removeAlias(actorOf(c), idOf(c), c.req.param("alias") as string)),
	});

	call({
		method: "get",
		path: `${FUNCTION}/variables`,
		summary: "The variables that all versions get, but for those that have one of the name themselves",
		scope: "read",
		result: z.record(z.string(), z.any()),
		perform: async (c) => (await catalog.find(idOf(c))).value.variables,
	});
	call({
		method: "patch",
		path: `${FUNCTION}/variables`,
		summary: "Sets variables; null removes one",
		scope: "deploy",
		body: shapes.variablesPatch,
		perform: async (c, patch) => control.served(await catalog.setVariables(actorOf(c), idOf(c), patch)),
	});
	call({
		method: "get",
		path: `${FUNCTION}/secrets`,
		summary: "The names of a function's secrets, which nobody can read back",
		scope: "read",
		result: z.array(z.object({ name: z.string(), changed: z.string() })),
		perform: async (c) => {
			const { secrets } = (await catalog.find(idOf(c))).value;
			return Object.entries(secrets).map(([name, { changed }]) => ({ name, changed }));
		},
	});
	call({
		method: "patch",
		path: `${FUNCTION}/secrets`,
		summary: "Sets secrets; null removes one",
		scope: "deploy",
		body: shapes.secretsPatch,
		perform: async (c, patch) => control.served(await catalog.setSecrets(actorOf(c), idOf(c), patch)),
	});
	call({
		method: "put",
		path: `${FUNCTION}/hostnames`,
		summary: "Gives a function hostnames and wildcards of its own, in place of those that it has",
		scope: "deploy",
		body: z.array(z.string()),
		result: shapes.functionShape,
		perform: async (c, hostnames) => {
			await control.served(await catalog.setHostnames(actorOf(c), idOf(c), hostnames));
			return functionOf((await catalog.find(idOf(c))).value);
		},
	});
	call({
		method: "get",
		path: `${FUNCTION}/tail`,
		summary:
			"What a function does, as it does it: server-sent events, each an invocation's record and its lines, and where it filters by what requests came with also that",
		scope: "read",
		query: shapes.tailQuery,
		stream: "text/event-stream",
		perform: async (c) => {
			const id = idOf(c);
			const { header, ip, outcome, method, version, search, sample } = checked(shapes.tailQuery, c.req.queries());
			const filters: TailFilter[] = header.map((one) => checked(tailFilter, { header: headerOf(one) }));
			if (ip.length > 0) filters.push({ client_ip: ip });
			const origins = filters.length > 0;
			await catalog.find(id);
			if (outcome.length > 0) filters.push({ outcome: outcome.flatMap((one) => (one === "error" ? FAILED : one)) });
			if (method.length > 0) filters.push({ method: method.map((one) => one.toUpperCase()) });
			for (const one of version) filters.push({ scriptVersion: (await catalog.version(id, one)).id });
			for (const one of search) filters.push({ query: one });
			for (const one of sample) filters.push({ sampling_rate: one });
			return tailStream(c, control, { scope: keyOf(id), filters, origins });
		},
	});

	addQueueCalls(app, control);
	addBucketCalls(app, control);
	addDatabaseCalls(app, control);
	addCacheCalls(app, control);
	addAnalyticsCalls(app, control);
	addInvocationCalls(app, control);
	addSourceCalls(app, control);
	addLogCalls(app, control);
	addUsageCalls(app, control);
	addBudgetCalls(app, control);
	addAlertCalls(app, control);
	addProfileCalls(app, control);

	call({
		method: "get",
		path: "/tokens",
		summary: "All tokens, without what they are",
		scope: "admin",
		result: z.array(shapes.tokenShape),
		perform: () => tokens.list(),
	});
	call({
		method: "post",
		path: "/tokens",
		summary: "Makes a token, which is told this once",
		scope: "admin",
		body: shapes.tokenRequest,
		result: z.object({ id: z.string(), token: z.string() }),
		perform: (c, grant) => tokens.create(actorOf(c), grant),
	});
	call({
		method: "delete",
		path: "/tokens/{token}",
		summary: "Revokes a token",
		scope: "admin",
		perform: async (c) => {
			if (!(await tokens.revoke(actorOf(c), c.req.param("token") as string)))
				throw new ControlError("not_found", "there is no such token");
		},
	});
	call({
		method: "get",
		path: "/audit",
		summary: "Who has changed what, the latest first",
		scope: "admin",
		perform: () => catalog.store.audit(1000),
	});
	call({
		method: "get",
		path: "/doctor",
		summary: "What is in force on the server, and what is off",
		scope: "admin",
		perform: () => control.doctor(),
	});
	call({
		method: "get",
		path: "/backup",
		summary: "All that is needed to restore this server, but for the key of its secrets: a tar file",
		scope: "admin",
		stream: "application/x-tar",
		perform: async () => new Response(await backupOf(control), { headers: { "content-type": "application/x-tar" } }),
	});

	app.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
	return app;
}

/** `x-user:ada` */
function headerOf(text: string): { key: string; query?: string } {
	const [, key, query] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
	return { key: (key ?? "").trim(), ...(query !== undefined && { query: query.trim() }) };
}

/** What describes the API, for programs. */
export function describe(api: OpenAPIHono<Authenticated>): object {
	return api.getOpenAPI31Document({
		openapi: "3.1.0",
		info: { title: "atoll admin API", version: atollVersion() },
		servers: [{ url: "/v1" }],
	});
}
