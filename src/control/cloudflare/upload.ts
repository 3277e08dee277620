import { z } from "zod";
import { assetConfig, type SiteSource } from "../../assets/asset-config.ts";
import type { GivenBindings } from "../../bindings/binding.ts";
import { checkName } from "../catalog/environment-checks.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import type { VersionDocument } from "../store/documents.ts";
import { NO_MODULE, readMetadata, readModules } from "../uploads/module-files.ts";
import type { VersionUpload } from "../uploads/version-uploads.ts";
import { CloudflareError, Code } from "./envelope.ts";

const binding = z.looseObject({ name: z.string(), type: z.string() });
/** Labels that a client keeps with a function. */
export const tagsSchema = z.array(z.string().max(1000)).max(100);
const metadataSchema = z.looseObject({
	main_module: z.string().optional(),
	body_part: z.string().optional(),
	bindings: z.array(binding).default([]),
	compatibility_date: z.string().max(100).default(""),
	compatibility_flags: z.array(z.string().max(100)).max(100).default([]),
	annotations: z.record(z.string(), z.string().max(1000)).default({}),
	limits: z.looseObject({ cpu_ms: z.number().optional() }).optional(),
	tags: tagsSchema.optional(),
	migrations: z.unknown().optional(),
	assets: z.looseObject({ jwt: z.string().optional(), config: z.looseObject({}).optional() }).optional(),
	keep_assets: z.boolean().default(false),
});
type Binding = z.infer<typeof binding>;

/** An upload as wrangler makes it. */
export interface WranglerUpload {
	version: VersionUpload;
	/** Set for the function, and kept out of the version. */
	secrets: Record<string, string>;
	tags: string[] | undefined;
}

/**
 * Takes a multipart upload apart. `before` is the function's latest version, whose bindings and files may be kept;
 * `complete` gives the manifest that a session's token stands for.
 */
export async function readUpload(
	form: FormData,
	before: VersionDocument | undefined,
	complete: (jwt: string) => Promise<string>,
): Promise<WranglerUpload> {
	const metadata = await readMetadata(form, metadataSchema, "metadata");
	const { main_module: main, body_part: script, annotations, limits } = metadata;
	if (metadata.migrations !== undefined && metadata.migrations !== null) throw notThere("Durable Objects (migrations)");
	const modules = await readModules(form, script);
	const bound = readBindings(metadata.bindings, before);
	const site = await siteOf(metadata, main === undefined && script === undefined, before, complete);
	if (site?.alone) modules.push(NO_MODULE);
	const named = main ?? script ?? (site?.alone ? NO_MODULE.path : undefined);
	if (named === undefined)
		throw new ControlError("invalid", "the metadata has neither main_module nor body_part: an upload needs a module");
	return {
		secrets: bound.secrets,
		tags: metadata.tags,
		version: {
			main: named,
			modules,
			variables: bound.variables,
			bindings: bound.bindings,
			metadataBinding: bound.metadataBinding,
			site,
			assetsBinding: bound.assetsBinding,
			limits: limits?.cpu_ms === undefined ? {} : { cpuMs: limits.cpu_ms },
			compatibilityDate: metadata.compatibility_date,
			compatibilityFlags: metadata.compatibility_flags,
			message: annotations["workers/message"] ?? "",
			tag: annotations["workers/tag"] ?? "",
			source: "wrangler",
		},
	};
}

/** The files of an upload: those of a session, or those of the version before. */
async function siteOf(
	{ assets, keep_assets: keep }: z.infer<typeof metadataSchema>,
	alone: boolean,
	before: VersionDocument | undefined,
	complete: (jwt: string) => Promise<string>,
): Promise<SiteSource | null> {
	const config = checked(assetConfig, assets?.config ?? {}, "assets.config");
	if (assets?.jwt !== undefined) return { manifest: await complete(assets.jwt), config, alone };
	if (!keep || before?.site === undefined || before.site === null) return null;
	return { ...before.site, alone };
}

interface Bindings {
	variables: Record<string, unknown>;
	bindings: GivenBindings;
	secrets: Record<string, string>;
	metadataBinding: string;
	assetsBinding: string;
}

function readBindings(given: readonly Binding[], before: VersionDocument | undefined): Bindings {
	const bound: Bindings = { variables: {}, bindings: {}, secrets: {}, metadataBinding: "", assetsBinding: "" };
	for (const one of given) readBinding(one, bound, before);
	return bound;
}

function readBinding(one: Binding, to: Bindings, before: VersionDocument | undefined): void {
	const { name, type } = one;
	checkName(name);
	switch (type) {
		case "plain_text":
			to.variables[name] = String(one.text);
			break;
		case "json":
			to.variables[name] = one.json;
			break;
		case "secret_text":
			if (one.text !== undefined) to.secrets[name] = String(one.text);
			break;
		case "service": {
			const { service, entrypoint, props } = one;
			const more = { ...(entrypoint !== undefined && { entrypoint }), ...(props !== undefined && { props }) };
			to.bindings[name] = { type: "service", function: String(service), ...more };
			break;
		}
		case "queue": {
			const { queue_name: queue, delivery_delay: deliveryDelay } = one;
			to.bindings[name] = { type: "queue", queue, ...(deliveryDelay !== undefined && { deliveryDelay }) };
			break;
		}
		case "kv_namespace":
			to.bindings[name] = { type: "kv", id: String(one.namespace_id) };
			break;
		case "d1":
			to.bindings[name] = { type: "sql", database: String(one.id ?? one.database_id) };
			break;
		case "r2_bucket":
			to.bindings[name] = { type: "objects", bucket: String(one.bucket_name) };
			break;
		case "ratelimit": {
			const { limit, period } = (one.simple ?? {}) as Record<string, unknown>;
			to.bindings[name] = { type, namespace: String(one.namespace_id), limit, period };
			break;
		}
		case "analytics_engine":
			to.bindings[name] = { type: "analytics", dataset: String(one.dataset ?? name) };
			break;
		case "assets":
			to.assetsBinding = name;
			break;
		case "version_metadata":
			to.metadataBinding = name;
			break;
		case "inherit": {
			const from = String(one.old_name ?? name);
			if (before !== undefined && Object.hasOwn(before.variables, from)) to.variables[name] = before.variables[from];
			else if (before !== undefined && Object.hasOwn(before.bindings, from)) to.bindings[name] = before.bindings[from];
			else if (before === undefined)
				throw new CloudflareError(
					400,
					Code.inherit,
					`the binding ${name} cannot be inherited: there is no version before`,
				);
			break; // A secret is the function's, and stays.
		}
		default:
			throw notThere(`the binding ${name} of the type ${type}`);
	}
}

/** What a function could not work without, and atoll does not have yet. */
export function notThere(what: string): ControlError {
	return new ControlError(
		"not_supported",
		`${what}: atoll does not have that yet; docs/migrating-from-workers.md says what it has`,
	);
}
