import { z } from "zod";
import { type Limits, limitsSchema, type TenantLimits, tenantLimitsSchema } from "../limits/limits.ts";
import { Router } from "../router/router.ts";
import type { Bytes } from "../units.ts";
import { type AlertsConfig, alertsSchema } from "./alert-receivers.ts";
import { check } from "./check.ts";
import { type OtlpConfig, otlpSchema, type TracesConfig, tracesSchema } from "./otlp.ts";
import { type Pricing, pricingSchema } from "./pricing.ts";

const port = z.number().int().min(0).max(65_535);
const hostname = z.string().transform((text, { addIssue }) => {
	const normal = Router.parse(text);
	if (normal === null || normal.startsWith("*")) addIssue({ code: "custom", message: "must be a hostname" });
	return normal ?? text;
});

const MB = 2 ** 20;

/** How many versions of a function may be kept, and for how many days: by the server's rule and by a function's own. */
export const keptVersions = z.number().int().min(1).max(1000);
export const keptDays = z.number().int().min(1).max(3650).nullable();

/** What `atoll.server.jsonc` may say, as zod has it: schema/server.json is made of it. */
export const serverSchema = z.strictObject({
	$schema: z.string().optional().meta({ description: "Where an editor finds the schema of this file." }),
	host: z.string().default("127.0.0.1").meta({ description: "The address to listen on for functions' clients." }),
	port: port.default(8787).meta({ description: "The port for them; 0 takes a free one." }),
	adminHost: z.string().default("127.0.0.1").meta({ description: "The address to listen on for the admin API." }),
	adminPort: port.default(8788).meta({ description: "The port for it; 0 takes a free one." }),
	data: z
		.string()
		.min(1)
		.default(".atoll")
		.meta({ description: "The folder for the database, uploads and artifacts." }),
	domain: hostname.default("localhost").meta({
		description:
			"A function deployed as NAME answers at NAME.<domain>, that of another tenant at NAME.TENANT.<domain>.",
	}),
	sandboxes: z.number().int().min(1).max(256).optional().meta({
		description: "Sandbox processes beside the spare. Default: one per core less one, at least one.",
	}),
	dataProcesses: z.number().int().min(1).max(64).default(1).meta({
		description:
			"By how many processes what functions store is kept, each for some of the tenants. Chosen before anything is stored.",
	}),
	limits: limitsSchema.default({}).meta({ description: "Limits of functions that set none of their own." }),
	maxLimits: limitsSchema.default({}).meta({
		description:
			"How far functions may raise their own limits. Default: 30 s of CPU, 512 MB, five minutes, and the like.",
	}),
	tenantLimits: tenantLimitsSchema.default({}).meta({ description: "What all functions of one tenant may use." }),
	maxProvisioned: z.number().int().min(0).max(10_000).default(20).meta({
		description: "How many instances the functions of one tenant may have provisioned together.",
	}),
	keep: z
		.strictObject({
			versions: keptVersions.default(100).meta({ description: "So many versions and releases, the latest." }),
			days: keptDays.default(null).meta({ description: "For so many days; null for ever." }),
		})
		.prefault({})
		.meta({ description: "What is kept of functions that have no rules of their own, beside what is in use." }),
	logs: z
		.strictObject({
			days: z.number().int().min(1).max(3650).default(7).meta({ description: "For so many days." }),
			maxBytes: z
				.number()
				.int()
				.min(16 * MB)
				.default(4096 * MB)
				.meta({
					description: "So many bytes on the disk in all; whoever has the most loses its oldest.",
				}),
			tenantBytes: z.number().int().min(MB).optional().meta({
				description: "So many of one tenant's, the oldest go. Default: a quarter of all; of `default` all.",
			}),
		})
		.prefault({})
		.meta({ description: "What is kept of invocations and of what functions log." }),
	alerts: alertsSchema.prefault({}).meta({ description: "How it is watched, and who is told." }),
	cache: z
		.strictObject({
			maxIsolates: z.number().int().min(1).optional().meta({ description: "Default: 1000." }),
			maxBytes: z.number().int().min(1).optional().meta({ description: "Default: a quarter of the machine's memory." }),
		})
		.default({})
		.meta({ description: "What isolates that wait for requests may take, over all sandboxes." }),
	allowEgress: z.array(z.string()).default([]).meta({
		description: "Private hosts and ranges that functions may fetch from.",
	}),
	cgroup: z.string().optional().meta({ description: "A control group to make one below for each sandbox." }),
	events: z
		.strictObject({
			hostname: hostname.optional().meta({ description: "Default: events.<domain>." }),
		})
		.default({})
		.meta({ description: "Where webhooks and CloudEvents are taken: at /events/SOURCE of this hostname." }),
	metering: z
		.strictObject({
			days: z.number().int().min(32).max(3650).default(400).meta({ description: "For so many days." }),
		})
		.prefault({})
		.meta({ description: "How long it is kept what functions have used." }),
	pricing: pricingSchema.optional().meta({ description: "What is used costs: for invoices, budgets and balances." }),
	otlp: otlpSchema.meta({ description: "Where traces and metrics are exported to, if they are." }),
	traces: tracesSchema.meta({ description: "Which invocations are recorded as spans, where these are exported." }),
	drainMs: z.number().int().min(0).max(600_000).default(10_000).meta({
		description: "How long an edge that is replaced answers over the connections that it has, in milliseconds.",
	}),
});

/** What is kept of the log. */
export interface LogsConfig {
	days: number;
	maxBytes: Bytes;
	tenantBytes?: Bytes | undefined;
}

/** How a server of `atoll up` is set up. */
export interface ServerConfig {
	host: string;
	port: number;
	adminHost: string;
	adminPort: number;
	data: string;
	domain: string;
	sandboxes?: number | undefined;
	dataProcesses: number;
	limits: Partial<Limits>;
	maxLimits: Partial<Limits>;
	tenantLimits: Partial<TenantLimits>;
	maxProvisioned: number;
	keep: { versions: number; days: number | null };
	logs: LogsConfig;
	alerts: AlertsConfig;
	cache: { maxIsolates?: number; maxBytes?: number };
	allowEgress: string[];
	cgroup?: string | undefined;
	events: { hostname?: string | undefined };
	metering: { days: number };
	pricing?: Pricing | undefined;
	otlp: OtlpConfig;
	traces: TracesConfig;
	drainMs: number;
}

/** The hostname at which events of sources are taken. */
export const eventsHostname = ({ events, domain }: Pick<ServerConfig, "events" | "domain">): string =>
	events.hostname ?? `events.${domain}`;

/** Throws UsageError that names what makes no sense; `where` says where it stands. */
export function checkServer(given: unknown, where: string): ServerConfig {
	const { $schema: _, ...config } = check<ServerConfig & { $schema?: string }>(serverSchema, given, where);
	return config;
}

/** Settings that are one text or number, which the environment may give: `ATOLL_ADMIN_PORT` for `adminPort`. */
const IN_ENVIRONMENT = [
	...["host", "port", "adminHost", "adminPort", "data", "domain", "sandboxes", "dataProcesses", "cgroup", "drainMs"],
];

/** What the environment says of a server's settings, for `checkServer`. */
export function serverFromEnvironment(environment: NodeJS.ProcessEnv): Record<string, unknown> {
	const said: Record<string, unknown> = {};
	for (const name of IN_ENVIRONMENT) {
		const value = environment[`ATOLL_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`];
		if (value !== undefined && value !== "") said[name] = /^\d+$/.test(value) ? Number(value) : value;
	}
	return said;
}
