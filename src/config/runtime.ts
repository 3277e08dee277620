import { z } from "zod";
import type { EgressPolicy } from "../bindings/fetch/edge/addresses.ts";
import { type Limits, limitsSchema, type TenantLimits, tenantLimitsSchema } from "../limits/limits.ts";
import type { Logger } from "../observe/observer.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { check } from "./check.ts";

/** How a runtime is set up; all of it is optional. */
export interface RuntimeOptions {
	/**
	 * Where functions run: `"process"` in sandbox processes that hold no secrets, `"inline"` in this very process, for
	 * code that is trusted, tests and debugging. Default: `"process"`.
	 */
	isolation?: "process" | "inline";
	/**
	 * How many sandbox processes serve functions that have proven light, and all functions until the first of them has;
	 * the heavy lane comes on top then, and the spare, with up to 64 of them started. Default: one per core less one,
	 * at least one.
	 */
	sandboxes?: number;
	/**
	 * By how many processes what functions store is kept, each for some of the tenants, so that the others wait for none of
	 * it: 1 to 64, chosen before anything is stored in the data folder. Default: 1.
	 */
	dataProcesses?: number;
	/** Limits for functions that set none of their own; see `Limits` for units and defaults. */
	limits?: Partial<Limits>;
	/**
	 * How far functions may raise their own limits; a deployment that asks for more is refused. Default: as far as
	 * they like.
	 */
	maxLimits?: Partial<Limits>;
	/** What all functions of one tenant may use together. */
	tenantLimits?: Partial<TenantLimits>;
	/**
	 * How many sandboxes functions may cost in a minute. Past that, functions that are new or have cost one before
	 * get 503
	 * `overloaded` until the minute is over; proven ones are served as ever. Default: 60.
	 */
	recyclesPerMinute?: number;
	/**
	 * How much this process may hold for functions and their clients in all, in bytes: request bodies, responses and
	 * messages that wait to be taken. A tenant may have half of it, each of its functions half of that, and one
	 * request or connection 16 MB; past any of these the largest are ended. Default: a sixteenth of the machine's
	 * memory, from 64 to 512 MB.
	 */
	maxHeldBytes?: Bytes;
	/**
	 * How long a client may take nothing of what waits for it, and a WebSocket's may answer no ping, in milliseconds;
	 * then its connection is ended. Default: 30 000.
	 */
	stalledClientMs?: Milliseconds;
	/**
	 * Whether the time stands still for a function while one of its turns runs, so that it is no clock for a Spectre
	 * attack. Off only where all functions are trusted. Default: true.
	 */
	frozenClocks?: boolean;
	cache?: CacheOptions;
	/** Folder for artifacts and snapshots; it is made if it is missing. Default: `.atoll` in the working directory. */
	data?: string;
	/**
	 * The folders that all functions are built from. Where bubblewrap is installed, the processes that bundle them
	 * see these, their packages, and nothing else of the machine. Default: any, so that they may read what this
	 * process may.
	 */
	sources?: string[];
	/** Where records and functions' logs go as well, as JSON lines: a pino logger or its like. Default: nowhere. */
	logger?: Logger | null;
	/**
	 * A control group of Linux (version 2) that atoll may make groups below, one for each sandbox, which bound its
	 * memory and threads and weigh its CPU time. It needs the controllers cpu, memory and pids, and no process of its
	 * own. Default: none.
	 */
	cgroup?: string;
	/**
	 * Whether functions that have a root, or whose source was given as text, may import npm packages from the
	 * `node_modules` folders above it: for `source` and `files`, above the data folder. Else they have those in their
	 * own folder alone. Default: true.
	 */
	packages?: boolean;
	/** Which addresses functions may reach. Default: the public internet, and nothing on private networks. */
	egress?: EgressPolicy;
	/**
	 * Shows errors to the client with stack and source line, and builds with `NODE_ENV` "development". Never in
	 * production. Default: false.
	 */
	development?: boolean;
}

export interface CacheOptions {
	/**
	 * How many isolates stay warm at most, over the sandboxes of the normal lane; each of the heavy lane has as large
	 * a share. Default: 1000.
	 */
	maxIsolates?: number;
	/**
	 * How much memory the warm isolates may use, shared out in the same way, in bytes. Default: a quarter of the
	 * machine's.
	 */
	maxBytes?: Bytes;
	/**
	 * How much the artifacts on disk may take, in bytes: past that those go that were used least recently, but for
	 * what a server at work has deployed, and what one used within the last hour. Default: 2 GB.
	 */
	maxDiskBytes?: Bytes;
	/** How many isolates each sandbox makes ahead of need, at some 1.5 MB each. Default: 4. */
	parked?: number;
}

/** How a runtime is closed. */
export interface CloseOptions {
	/** How long requests in flight may take, in milliseconds; what is left then is cut off. Default: 30 000. */
	timeoutMs?: Milliseconds;
}

const methods = ["debug", "info", "warn", "error"] as const;

const optionsSchema = z.strictObject({
	isolation: z.enum(["process", "inline"]).optional(),
	sandboxes: z.number().int().min(1).max(256).optional(),
	dataProcesses: z.number().int().min(1).max(64).optional(),
	limits: limitsSchema.optional(),
	maxLimits: limitsSchema.optional(),
	tenantLimits: tenantLimitsSchema.optional(),
	recyclesPerMinute: z.number().int().min(1).optional(),
	maxHeldBytes: z
		.number()
		.int()
		.min(1024 * 1024)
		.optional(),
	stalledClientMs: z.number().int().min(100).max(3600_000).optional(),
	frozenClocks: z.boolean().optional(),
	cache: z
		.strictObject({
			maxIsolates: z.number().int().min(1).optional(),
			maxBytes: z.number().int().min(1).optional(),
			maxDiskBytes: z.number().int().min(1).optional(),
			parked: z.number().int().min(0).max(1000).optional(),
		})
		.optional(),
	data: z.string().min(1).optional(),
	sources: z.array(z.string().min(1)).min(1).optional(),
	logger: z
		.custom<Logger>(
			(value) =>
				typeof value === "object" &&
				value !== null &&
				methods.every((name) => typeof (value as Record<string, unknown>)[name] === "function"),
			"must have the methods debug, info, warn and error",
		)
		.nullable()
		.optional(),
	cgroup: z.string().min(1).optional(),
	packages: z.boolean().optional(),
	egress: z.strictObject({ allow: z.array(z.string()).optional(), deny: z.array(z.string()).optional() }).optional(),
	development: z.boolean().optional(),
});

const closeSchema = z.strictObject({
	timeoutMs: z
		.number()
		.int()
		.min(0)
		.max(24 * 3600_000)
		.optional(),
});

export function checkOptions(options: unknown): RuntimeOptions {
	return check<RuntimeOptions>(optionsSchema, options, "createRuntime");
}

export function checkClose(options: unknown): CloseOptions {
	return check<CloseOptions>(closeSchema, options, "close");
}
