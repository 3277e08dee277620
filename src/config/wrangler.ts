import { z } from "zod";
import { type AssetsSettings, assetsSchema } from "../assets/asset-config.ts";
import type { GivenBindings } from "../bindings/binding.ts";
import { UsageError } from "../errors.ts";
import { functionName } from "../names.ts";
import { hostnameOfRoute } from "../router/route-pattern.ts";
import type { GivenTriggers } from "../triggers/trigger-settings.ts";
import { type ConfigFile, shown } from "./config-file.ts";

const route = z.union([z.string(), z.looseObject({ pattern: z.string(), custom_domain: z.boolean().optional() })]);

const consumer = z.looseObject({
	queue: z.string(),
	type: z.string().optional(),
	max_batch_size: z.number().optional(),
	max_batch_timeout: z.number().optional(),
	max_retries: z.number().optional(),
	retry_delay: z.number().optional(),
	dead_letter_queue: z.string().optional(),
	max_concurrency: z.number().nullish(),
});

const rateLimit = z.looseObject({
	name: z.string(),
	namespace_id: z.string(),
	simple: z.looseObject({ limit: z.number(), period: z.number() }),
});

/** What an environment may say in place of the top level. */
const settings = {
	name: functionName.optional(),
	main: z.string().optional(),
	compatibility_date: z.string().optional(),
	compatibility_flags: z.array(z.string()).optional(),
	vars: z.record(z.string(), z.json()).optional(),
	kv_namespaces: z.array(z.looseObject({ binding: z.string(), id: z.string().optional() })).optional(),
	d1_databases: z
		.array(
			z.looseObject({
				binding: z.string(),
				database_id: z.string().optional(),
				database_name: z.string().optional(),
			}),
		)
		.optional(),
	r2_buckets: z
		.array(
			z.looseObject({
				binding: z.string(),
				bucket_name: z.string().optional(),
				/** What `wrangler dev --remote` uses in its place. */
				preview_bucket_name: z.string().optional(),
				jurisdiction: z.string().optional(),
			}),
		)
		.optional(),
	services: z
		.array(
			z.looseObject({
				binding: z.string(),
				service: z.string(),
				entrypoint: z.string().optional(),
				props: z.json().optional(),
			}),
		)
		.optional(),
	ratelimits: z.array(rateLimit).optional(),
	/** How rate limits were written once. */
	unsafe: z
		.looseObject({ bindings: z.array(rateLimit.extend({ type: z.literal("ratelimit") })).optional() })
		.optional(),
	analytics_engine_datasets: z.array(z.looseObject({ binding: z.string(), dataset: z.string().optional() })).optional(),
	queues: z
		.looseObject({
			producers: z
				.array(z.looseObject({ binding: z.string(), queue: z.string(), delivery_delay: z.number().optional() }))
				.optional(),
			consumers: z.array(consumer).optional(),
		})
		.optional(),
	triggers: z.looseObject({ crons: z.array(z.string()).optional() }).optional(),
	limits: z.looseObject({ cpu_ms: z.number().int().positive().optional() }).optional(),
	routes: z.array(route).optional(),
	route: route.optional(),
	workers_dev: z.boolean().optional(),
	version_metadata: z.looseObject({ binding: z.string() }).optional(),
	assets: z.looseObject(assetsSchema.shape).optional(),
};

const schema = z.looseObject({ ...settings, env: z.record(z.string(), z.looseObject(settings)).optional() });
type Settings = z.infer<z.ZodObject<typeof settings>>;

/** What an environment does not take from the top level: https://developers.cloudflare.com/workers/wrangler/configuration/ */
const NOT_INHERITED = [
	"vars",
	"kv_namespaces",
	"d1_databases",
	"r2_buckets",
	"services",
	"queues",
	"ratelimits",
	"unsafe",
	"analytics_engine_datasets",
	"version_metadata",
] as const;

/** Keys of bindings without which a function could not work, and that atoll does not have yet. */
const MISSING = [
	"durable_objects",
	"migrations",
	"workflows",
	"hyperdrive",
	"vectorize",
	"ai",
	"browser",
	"images",
	"dispatch_namespaces",
	"mtls_certificates",
	"send_email",
	"containers",
	"site",
	"pipelines",
	"secrets_store_secrets",
];

/** Keys that a function works without, but not as its author thinks. */
const LEFT_OUT = ["tail_consumers", "logpush", "placement", "build", "rules", "define", "alias", "minify"];

/** Keys that change nothing of what a function does here: they are wrangler's own, or say what is so anyway. */
const NO_MATTER = [
	"$schema",
	"account_id",
	"base_dir",
	"dev",
	"env",
	"find_additional_modules",
	"jsx_factory",
	"jsx_fragment",
	"keep_names",
	"keep_vars",
	"no_bundle",
	"observability",
	"preserve_file_names",
	"preview_urls",
	"send_metrics",
	"tsconfig",
	"upload_source_maps",
	"usage_model",
];
const KNOWN = new Set([...Object.keys(settings), ...MISSING, ...LEFT_OUT, ...NO_MATTER]);

/** What wrangler's configuration says of a function. */
export interface WranglerConfig {
	name: string;
	main: string | undefined;
	variables: Record<string, unknown>;
	bindings: GivenBindings;
	/** What calls it beside requests. */
	triggers: GivenTriggers;
	limits: { cpuMs?: number };
	assets: AssetsSettings | null;
	/** The name under which a version finds its own id, tag and time in `env`; empty for none. */
	metadataBinding: string;
	/** Those of its routes. */
	hostnames: string[];
	compatibilityDate: string;
	compatibilityFlags: string[];
	/** Keys that are left out, each with what that means. */
	warnings: string[];
}

/** What is said of a function beside its configuration. */
export interface WranglerOptions {
	/** Which of its environments counts. Default: what stands at the top. */
	environment?: string | undefined;
	/** What the function is called, whatever the configuration says. */
	name?: string | undefined;
	/** What it is called where nothing says it. */
	folder: string;
}

/** Reads wrangler's configuration. Throws UsageError for what atoll could not run. */
export function readWrangler(file: ConfigFile, { environment, name: given, folder }: WranglerOptions): WranglerConfig {
	const all = file.check(schema);
	const one = environment === undefined ? all : inEnvironment(all, environment, shown(file.path));
	const missing = MISSING.filter((key) => isSaid(one[key as keyof typeof one]));
	if (missing.length > 0)
		throw new UsageError(
			`${shown(file.path)}: ${missing.join(", ")}: atoll does not have that yet, and the function could not work without it`,
		);
	const warnings = LEFT_OUT.filter((key) => isSaid(one[key as keyof typeof one])).map(
		(key) => `${shown(file.path)}: ${key} is left out: atoll does not have that yet`,
	);
	for (const key of unknownKeys(one))
		warnings.push(`${shown(file.path)}: ${key} is left out: atoll does not know it; is it written as wrangler has it?`);
	for (const { binding, jurisdiction } of one.r2_buckets ?? [])
		if (jurisdiction !== undefined)
			warnings.push(
				`${shown(file.path)}: r2_buckets: the jurisdiction of ${binding} is left out: objects are where the server's data folder is`,
			);
	const routes = [...(one.routes ?? []), ...(one.route === undefined ? [] : [one.route])];
	const name = given ?? one.name ?? folder;
	return {
		name,
		main: one.main,
		variables: one.vars ?? {},
		bindings: bindingsOf(one, name),
		triggers: triggersOf(one),
		limits: one.limits?.cpu_ms === undefined ? {} : { cpuMs: one.limits.cpu_ms },
		assets: one.assets === undefined ? null : z.object(assetsSchema.shape).parse(one.assets),
		metadataBinding: one.version_metadata?.binding ?? "",
		hostnames: routes.map((each) => hostnameOf(typeof each === "string" ? each : each.pattern, file)),
		compatibilityDate: one.compatibility_date ?? "",
		compatibilityFlags: one.compatibility_flags ?? [],
		warnings,
	};
}

/** What calls a function, as far as it is said, but for consumers that come for their messages themselves. */
function triggersOf({ triggers, queues }: Settings): GivenTriggers {
	const consumers = queues?.consumers?.filter(({ type }) => type !== "http_pull");
	return {
		...(triggers?.crons !== undefined && { crons: triggers.crons }),
		...(consumers !== undefined && { queues: consumers.map(consumerOf) }),
	};
}

/** A consumer as atoll's own settings have it. */
function consumerOf(given: z.infer<typeof consumer>): NonNullable<GivenTriggers["queues"]>[number] {
	const of = {
		maxBatchSize: given.max_batch_size,
		maxBatchTimeout: given.max_batch_timeout,
		maxRetries: given.max_retries,
		retryDelay: given.retry_delay,
		deadLetterQueue: given.dead_letter_queue,
		maxConcurrency: given.max_concurrency ?? undefined,
	};
	const said = Object.entries(of).filter(([, value]) => value !== undefined);
	return { queue: given.queue, ...Object.fromEntries(said) };
}

/** What stands in `env` of a function of a name. */
function bindingsOf(
	{
		services = [],
		kv_namespaces: namespaces = [],
		d1_databases: databases = [],
		r2_buckets: buckets = [],
		queues,
		ratelimits = [],
		unsafe,
		analytics_engine_datasets: datasets = [],
	}: Settings,
	name: string,
): GivenBindings {
	const called = services.map(({ binding, service, entrypoint, props }) => [
		binding,
		{
			type: "service",
			function: service,
			...(entrypoint !== undefined && { entrypoint }),
			...(props !== undefined && { props }),
		},
	]);
	const kept = namespaces.map(({ binding, id = provisionedId(name, binding) }) => [binding, { type: "kv", id }]);
	const queried = databases.map(({ binding, database_id: id, database_name: title }) => [
		binding,
		{ type: "sql", database: id ?? title ?? provisionedId(name, binding) },
	]);
	const stored = buckets.map(({ binding, bucket_name: bucket = provisionedBucket(name, binding) }) => [
		binding,
		{ type: "objects", bucket },
	]);
	const producers = (queues?.producers ?? []).map(({ binding, queue, delivery_delay: deliveryDelay }) => [
		binding,
		{ type: "queue", queue, ...(deliveryDelay !== undefined && { deliveryDelay }) },
	]);
	const limits = [...ratelimits, ...(unsafe?.bindings ?? [])];
	const limited = limits.map(({ name: binding, namespace_id: namespace, simple: { limit, period } }) => [
		binding,
		{ type: "ratelimit", namespace, limit, period },
	]);
	const counted = datasets.map(({ binding, dataset = binding }) => [binding, { type: "analytics", dataset }]);
	return Object.fromEntries([
		...called,
		...kept,
		...queried,
		...stored,
		...producers,
		...limited,
		...counted,
	]) as GivenBindings;
}

/** The id of a namespace or database that the configuration gives none: the title of the one that wrangler would make. */
function provisionedId(name: string, binding: string): string {
	return `${name}-${binding.toLowerCase().replaceAll(/[^a-z0-9]/g, "-")}`;
}

/** The same for a bucket. */
function provisionedBucket(name: string, binding: string): string {
	return `${name}-${binding}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-");
}

function inEnvironment(all: z.infer<typeof schema>, name: string, path: string): Settings {
	const { env = {}, ...top } = all;
	if (!Object.hasOwn(env, name)) {
		const known = Object.keys(env);
		throw new UsageError(
			`${path}: there is no environment ${name}${known.length > 0 ? `, only ${known.join(", ")}` : ""}`,
		);
	}
	const own = env[name];
	const inherited: Settings = { ...top };
	for (const key of [...NOT_INHERITED, ...MISSING]) delete inherited[key as keyof Settings];
	return { ...inherited, ...own, name: own.name ?? (all.name === undefined ? undefined : `${all.name}-${name}`) };
}

/** Keys that nobody here knows, at the top and of `assets`: as a rule they are misspelt. */
function unknownKeys({ assets, ...rest }: Settings): string[] {
	const top = Object.keys(rest).filter((key) => !KNOWN.has(key));
	const ofAssets = Object.keys(assets ?? {}).filter((key) => !Object.hasOwn(assetsSchema.shape, key));
	return [...top, ...ofAssets.map((key) => `assets.${key}`)];
}

/** Whether a key says anything. */
function isSaid(value: unknown): boolean {
	if (value === undefined || value === null || value === false) return false;
	return typeof value !== "object" || Object.values(value).some(isSaid);
}

function hostnameOf(pattern: string, { path }: ConfigFile): string {
	const route = hostnameOfRoute(pattern);
	if ("problem" in route) throw new UsageError(`${shown(path)}: ${route.problem}`);
	return route.hostname;
}
