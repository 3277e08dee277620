import { createHash } from "node:crypto";
import type { GivenBindings } from "../../bindings/binding.ts";
import type { FunctionId } from "../../names.ts";
import { keyOf } from "../../names.ts";
import type { FunctionDocument, ReleaseDocument, VersionDocument } from "../store/documents.ts";

/** The digits that a client takes for an id of what has a name here. */
export const idOf = (key: string) => createHash("sha256").update(key).digest("hex").slice(0, 32);

/** A version as Cloudflare's API has it. */
export function versionShape(version: VersionDocument, secrets: FunctionDocument["secrets"]): object {
	const { id, number, created, author, source, tag, message, handlers, startUs, limits, hash } = version;
	return {
		id,
		number,
		metadata: {
			created_on: created,
			modified_on: created,
			source,
			author_id: idOf(author),
			author_email: author,
			has_preview: true,
		},
		annotations: {
			...(message && { "workers/message": message }),
			...(tag && { "workers/tag": tag }),
			"workers/triggered_by": "upload",
		},
		resources: {
			bindings: bindingsShape(version, secrets),
			script: { etag: hash, handlers, last_deployed_from: source },
			script_runtime: {
				compatibility_date: version.compatibilityDate,
				compatibility_flags: version.compatibilityFlags,
				usage_model: "standard",
				limits: { cpu_ms: limits.cpuMs },
			},
		},
		startup_time_ms: Math.ceil(startUs / 1000),
	};
}

/** What a version finds in `env`, without what nobody may read. */
export function bindingsShape(version: VersionDocument, secrets: FunctionDocument["secrets"]): object[] {
	const variables = Object.entries(version.variables).map(([name, value]) =>
		typeof value === "string" ? { type: "plain_text", name, text: value } : { type: "json", name, json: value },
	);
	const bindings = Object.entries(version.bindings).map(([name, bound]) => boundShape(name, bound));
	const metadata = version.metadataBinding === "" ? [] : [{ type: "version_metadata", name: version.metadataBinding }];
	const assets = version.assetsBinding === "" ? [] : [{ type: "assets", name: version.assetsBinding }];
	return [...variables, ...bindings, ...metadata, ...assets, ...secretsShape(secrets)];
}

function boundShape(name: string, { type, ...settings }: GivenBindings[string]): object {
	if (type === "queue") {
		const { queue: queue_name, deliveryDelay: delivery_delay } = settings;
		return { type, name, queue_name, ...(delivery_delay !== undefined && { delivery_delay }) };
	}
	if (type === "ratelimit") {
		const { namespace: namespace_id, limit, period } = settings;
		return { type, name, namespace_id, simple: { limit, period } };
	}
	if (type === "sql") return { type: "d1", name, id: settings.database };
	if (type === "analytics") return { type: "analytics_engine", name, dataset: settings.dataset };
	if (type === "objects") return { type: "r2_bucket", name, bucket_name: settings.bucket };
	if (type === "kv") return { type: "kv_namespace", name, namespace_id: settings.id };
	const { function: service, ...rest } = settings;
	return { type, name, service, environment: "production", ...rest };
}

export function secretsShape(secrets: FunctionDocument["secrets"]): { name: string; type: string }[] {
	return Object.keys(secrets).map((name) => ({ name, type: "secret_text" }));
}

/** A release as a deployment. */
export function deploymentShape({ id, shares, message, author, source, created }: ReleaseDocument): object {
	return {
		id,
		source,
		strategy: "percentage",
		author_email: author,
		created_on: created,
		annotations: {
			...(message && { "workers/message": message }),
			...(source === "rollback" && { "workers/triggered_by": "rollback" }),
		},
		versions: shares.map(({ version, percent }) => ({ version_id: version, percentage: percent })),
	};
}

/** A function as `workers/services` has it. */
export function serviceShape(one: FunctionDocument, version: VersionDocument | undefined): object {
	const { created, changed, tags } = one;
	const id: FunctionId = one;
	const script = {
		id: one.name,
		tag: idOf(keyOf(id)),
		tags,
		etag: version?.hash ?? "",
		handlers: version?.handlers ?? [],
		last_deployed_from: version?.source ?? "wrangler",
		created_on: created,
		modified_on: changed,
		usage_model: "standard",
		compatibility_date: version?.compatibilityDate ?? "",
	};
	const environment = { environment: "production", script, created_on: created, modified_on: changed };
	return {
		id: one.name,
		default_environment: environment,
		environments: [environment],
		created_on: created,
		modified_on: changed,
	};
}

/** The same as `workers/workers` has it. */
export function workerShape(one: FunctionDocument): object {
	return {
		id: idOf(keyOf(one)),
		name: one.name,
		created_on: one.created,
		updated_on: one.changed,
		tags: one.tags,
		subdomain: subdomainShape(one),
		observability: { enabled: false },
		logpush: false,
		tail_consumers: [],
		references: { domains: [], durable_objects: [], queues: [], workers: [], dispatch_namespace_outbounds: [] },
	};
}

export function subdomainShape({ onDomain, previews }: Pick<FunctionDocument, "onDomain" | "previews">) {
	return { enabled: onDomain, previews_enabled: previews };
}
