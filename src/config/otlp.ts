import { resolve } from "node:path";
import { z } from "zod";
import { UsageError } from "../errors.ts";
import type { Milliseconds } from "../units.ts";

const HEADER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const url = z.url({ protocol: /^https?$/, error: "must be an http or https URL, as http://127.0.0.1:4318" });

/** Where traces and metrics go, as `atoll.server.jsonc` may say it. */
export const otlpSchema = z
	.strictObject({
		endpoint: url.optional().meta({
			description: "A collector that takes OTLP over HTTP, at <endpoint>/v1/traces and <endpoint>/v1/metrics.",
		}),
		headers: z
			.record(z.string().regex(HEADER, "must be the name of a header"), z.string())
			.default({})
			.meta({ description: "Sent with each export, as a key for it. Better in OTEL_EXPORTER_OTLP_HEADERS." }),
		traces: z.boolean().default(true).meta({ description: "Whether traces are exported." }),
		metrics: z.boolean().default(true).meta({ description: "Whether metrics are exported." }),
		intervalMs: z.number().int().min(1000).max(3_600_000).default(60_000).meta({
			description: "How often metrics are exported, in milliseconds.",
		}),
	})
	.prefault({});

/** Which invocations are recorded, as that file may say it. */
export const tracesSchema = z
	.strictObject({
		sample: z.number().min(0).max(1).default(0.01).meta({
			description: "The share of traces that begin here and are recorded.",
		}),
		parent: z.boolean().default(true).meta({
			description:
				"Whether a request whose traceparent says so is recorded, and one whose traceparent does not is not.",
		}),
	})
	.prefault({});

export interface OtlpConfig {
	endpoint?: string | undefined;
	headers: Record<string, string>;
	traces: boolean;
	metrics: boolean;
	intervalMs: Milliseconds;
}

export interface TracesConfig {
	sample: number;
	parent: boolean;
}

const PREFIX = "OTEL_EXPORTER_OTLP_";
const SIGNALS = { traces: "TRACES", metrics: "METRICS" } as const;

/**
 * Settles what is exported, and by which variables: what the file says becomes the variables that exporters know
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/), which count before it. Keys stand in these alone: a
 * process's arguments are everybody's to read. Throws UsageError for what makes no sense.
 */
export function settleOtlp(
	given: OtlpConfig,
	environment: NodeJS.ProcessEnv,
): { otlp: OtlpConfig; variables: Record<string, string> } {
	const { endpoint, headers, ...rest } = given;
	const variables: Record<string, string> = {};
	const said = (name: string) => environment[name]?.trim() || undefined;
	if (endpoint !== undefined && said(`${PREFIX}ENDPOINT`) === undefined) variables[`${PREFIX}ENDPOINT`] = endpoint;
	if (Object.keys(headers).length > 0 && said(`${PREFIX}HEADERS`) === undefined)
		variables[`${PREFIX}HEADERS`] = Object.entries(headers)
			.map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
			.join();
	const isOff = said("OTEL_SDK_DISABLED")?.toLowerCase() === "true";
	const exports = (signal: keyof typeof SIGNALS) => {
		const own = `${PREFIX}${SIGNALS[signal]}_`;
		if (!given[signal] || isOff || said(`OTEL_${SIGNALS[signal]}_EXPORTER`) === "none") return false;
		const names = [`${own}ENDPOINT`, `${PREFIX}ENDPOINT`];
		const named = names.find((name) => said(name) ?? variables[name]);
		if (named === undefined) return false;
		if (!url.safeParse(said(named) ?? variables[named]).success)
			throw new UsageError(`${named} must be an http or https URL, as http://127.0.0.1:4318`);
		for (const name of [`${own}PROTOCOL`, `${PREFIX}PROTOCOL`])
			if ((said(name) ?? "http/protobuf") !== "http/protobuf")
				throw new UsageError(`${name}: atoll exports by http/protobuf alone, whose port most often is 4318`);
		return true;
	};
	// The process that exports works elsewhere.
	for (const name of Object.keys(environment)) if (isFile(name)) variables[name] = resolve(environment[name] as string);
	return { otlp: { ...rest, headers: {}, traces: exports("traces"), metrics: exports("metrics") }, variables };
}

const isFile = (name: string) => /^OTEL_EXPORTER_OTLP_(?:\w+_)?(?:CERTIFICATE|CLIENT_KEY)$/.test(name);
const OTHERS = /^(?:OTEL_\w+|NODE_EXTRA_CA_CERTS|NODE_USE_ENV_PROXY|(?:https?|no)_proxy|(?:HTTPS?|NO)_PROXY)$/;

/** Of this process's environment what concerns exports, and the files that it names. */
export function otlpEnvironment(environment: NodeJS.ProcessEnv): { env: Record<string, string>; files: string[] } {
	const all = Object.entries(environment) as [string, string][];
	return {
		env: Object.fromEntries(all.filter(([name]) => OTHERS.test(name))),
		files: all.filter(([name]) => isFile(name)).map(([, file]) => file),
	};
}

/** The environment without keys for collectors. */
export function withoutOtlp(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith(PREFIX)));
}
