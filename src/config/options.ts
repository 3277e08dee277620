import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { bindingsSchema, type GivenBindings } from "../bindings/binding.ts";
import type { EgressPolicy } from "../bindings/fetch/edge/addresses.ts";
import { UsageError } from "../errors.ts";
import { type Limits, limitsSchema, type TenantLimits, tenantLimitsSchema } from "../limits/limits.ts";
import {
	DEFAULT_TENANT,
	type FunctionId,
	type FunctionName,
	functionName,
	type TenantName,
	tenantName,
} from "../names.ts";
import type { Logger } from "../observe/observer.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** How a runtime is set up; all of it is optional. */
export interface RuntimeOptions {
	/**
	 * Where functions run: `"process"` in sandbox processes that hold no secrets, `"inline"` in this very process, for
	 * code that is trusted, tests and debugging. Default: `"process"`.
	 */
	isolation?: "process" | "inline";
	/**
	 * How many sandbox processes serve functions that have proven light; the heavy lane comes on top, and the spare,
	 * with up to 64 of them started. Default: one per core less one, at least one.
	 */
	sandboxes?: number;
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

/** One upload of a function. */
export interface DeployOptions {
	/**
	 * Whose function it is: lower-case letters, digits, `-` and `_`, up to 63. Names and hostnames belong to a tenant;
	 * what its functions do counts together; within the process they reach one another, and no other tenant's.
	 * Default: `default`, the operator's own, each of whose functions counts for itself.
	 */
	tenant?: TenantName;
	/**
	 * The function's name: letters, digits, `-`, `_` and `.`, up to 63. Its tenant's function of this name, if
	 * deployed, is replaced.
	 */
	name: FunctionName;
	/**
	 * The hostnames that reach it: exact names, `*.example.com`, or, for the tenant `default` alone, `*` for all
	 * others. Those that another tenant has, or that lie under its wildcards, are refused, and so are public suffixes
	 * such as `*.com`.
	 */
	hostnames: string[];
	/**
	 * Path of its main module, relative to the working directory. One of `entry`, `source` and `files` says what it
	 * is.
	 */
	entry?: string;
	/** The text of its one module, in TypeScript or JavaScript; for JSX see `files`. */
	source?: string;
	/**
	 * Its modules and what they import beside npm packages, by paths like `lib/a.ts`: relative, with slashes, and
	 * without
	 * `.` and `..`. They may import one another, and nothing else of the machine's files.
	 */
	files?: Record<string, string | Uint8Array>;
	/** Which of `files` is the main module. */
	main?: string;
	/**
	 * The folder that it may be bundled from: an import of a file that is neither there nor in a package above it is
	 * refused. For code that others wrote, which could else import whatever file this process may read. Default: not
	 * bounded.
	 */
	root?: string;
	/** The variables that the handler gets as `env`; anything that JSON can hold. Default: empty. */
	env?: Record<string, unknown>;
	/**
	 * What else it gets there, by its name: capabilities that the edge performs for it, such as
	 * `{ API: { type: "service", function: "api" } }`. docs/bindings.md has those that there are. Default: none.
	 */
	bindings?: GivenBindings;
	/** Limits that differ from the runtime's. */
	limits?: Partial<Limits>;
}

/** An upload without what its release needs. */
export type UploadOptions = Omit<DeployOptions, "hostnames" | "env" | "bindings">;

/** Which function: `"shop"` for one of the operator's own, or whose and which. */
export type FunctionTarget = FunctionName | { tenant?: TenantName; name: FunctionName };

/** Where a listener stands in a server of `node:http`, and whom it serves. */
export interface MountOptions {
	/** The function that it serves, whatever a request's hostname. Default: the one that has the hostname. */
	function?: FunctionTarget;
	/**
	 * The path below which it serves, such as `/shop`. The function sees the rest: `/cart` for `/shop/cart`, `/` for
	 * `/shop`. What lies elsewhere goes to `next`, or gets 404 `path_not_found`. Default: none.
	 */
	prefix?: string;
	/**
	 * The address of a request's client, for a server that stands behind a proxy: `(req) => req.ip` in Express. What is
	 * no address is passed over. Default: the address at the other end of the connection.
	 */
	client?: (req: IncomingMessage & { ip?: string }) => string | undefined;
}

/** What `fetch` is told beside a request. */
export interface FetchOptions {
	/** The function that the request is for, whatever its hostname. Default: the one that has the hostname. */
	function?: FunctionTarget;
	/** Whom the request comes from, which the function reads as `request.client`. Default: nobody, `null`. */
	client?: {
		/** An IPv4 or IPv6 address. */
		ip: string;
		/** Default: 0. */
		port?: number;
		/** Of HTTP. Default: `HTTP/1.1`. */
		protocol?: string;
		/** The version of TLS, such as `TLSv1.3`; `null` for none. Default: `null`. */
		tls?: string | null;
	};
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

const functionId = z.strictObject({ tenant: tenantName.default(DEFAULT_TENANT), name: functionName });

/** What a source that is given may hold: more than that no bundle can be made of. */
const MOST_FILES = 1000;
const MOST_GIVEN: Bytes = 32 * 2 ** 20;
const GIVEN_PATH = /^(?!.{1000})(?!.*(?:^|\/)(?:\.{1,2}|node_modules)(?:\/|$))[^/\\\0]+(?:\/[^/\\\0]+)*$/s;
const givenContent = z.union([z.string(), z.instanceof(Uint8Array)], "must be text or bytes");

const uploadShape = {
	...functionId.shape,
	entry: z.string().min(1).optional(),
	root: z.string().min(1).optional(),
	source: z.string().optional(),
	files: z.record(z.string(), givenContent).optional(),
	main: z.string().optional(),
	limits: limitsSchema.optional(),
};

/** What an upload says of its source, in one way of three; it comes out as a path, or as files that are given. */
const sourced = (shape: typeof uploadShape) =>
	z
		.strictObject(shape)
		.superRefine(({ entry, root, source, files, main }, { addIssue }) => {
			const refuse = (path: string, message: string) => addIssue({ code: "custom", path: [path], message });
			const ways = [entry, source, files].filter((way) => way !== undefined).length;
			if (ways !== 1) refuse("entry", "one of entry, source and files must say what the function is");
			if (root !== undefined && entry === undefined) refuse("root", "goes with entry alone");
			if ((main === undefined) !== (files === undefined))
				refuse("main", "goes with files, and says which of them it is");
			if (files === undefined) return;
			if (main !== undefined && !Object.hasOwn(files, main)) refuse("main", "is none of the files");
			for (const path of Object.keys(files))
				if (!GIVEN_PATH.test(path))
					refuse("files", `${JSON.stringify(path)} must be a path like lib/a.ts, without . and ..`);
			const contents = Object.values(files);
			if (contents.length > MOST_FILES) refuse("files", `must be ${MOST_FILES} at most`);
			const bytes = contents.reduce((sum, content) => sum + Buffer.byteLength(content), 0);
			if (bytes > MOST_GIVEN) refuse("files", `must be ${MOST_GIVEN / 2 ** 20} MB at most`);
		})
		.transform(({ source, files, main, ...rest }) => ({
			...rest,
			given: source !== undefined ? { main: "index.ts", files: { "index.ts": source } } : files && { main, files },
		}));

const functionTarget = z.union(
	[functionName.transform((name) => ({ tenant: DEFAULT_TENANT, name })), functionId],
	"must be a function's name, or { tenant, name }",
);

const mountSchema = z.strictObject({
	function: functionTarget.nullable().default(null),
	prefix: z
		.string()
		.regex(/^(?:\/[\w\-.~!$&'()*+,;=:@]+)+$/, "must be a path like /shop, without a slash at its end")
		.refine((path) => new URL(path, "http://a").pathname === path, "must have no segments . and ..")
		.default(""),
	client: z
		.custom<NonNullable<MountOptions["client"]>>((value) => typeof value === "function", "must be a function")
		.nullable()
		.default(null),
});

const fetchSchema = z.strictObject({
	function: functionTarget.nullable().default(null),
	client: z
		.strictObject({
			ip: z.union([z.ipv4(), z.ipv6()], "must be an IPv4 or IPv6 address"),
			port: z.number().int().min(0).max(65535).default(0),
			protocol: z.string().min(1).max(20).default("HTTP/1.1"),
			tls: z.string().min(1).max(20).nullable().default(null),
		})
		.nullable()
		.default(null),
});

const closeSchema = z.strictObject({
	timeoutMs: z
		.number()
		.int()
		.min(0)
		.max(24 * 3600_000)
		.optional(),
});

const subscriberSchema = z.looseObject({
	record: z.custom((value) => typeof value === "function", "must be a function").optional(),
	log: z.custom((value) => typeof value === "function", "must be a function").optional(),
});

const uploadSchema = sourced(uploadShape);

const deployShape = {
	...uploadShape,
	hostnames: z.array(z.string()).min(1),
	env: z.record(z.string(), z.json()).optional(),
	bindings: bindingsSchema.optional(),
};
const deploySchema = sourced(deployShape);

/** Checks options where they come in. Throws UsageError that names the option and what is wrong. */
function check<T>(schema: z.ZodType, value: unknown, where: string): T {
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data as T;
	const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "options"}: ${issue.message}`);
	throw new UsageError(`${where}: ${problems.join("; ")}`);
}

export function checkOptions(options: unknown): RuntimeOptions {
	return check<RuntimeOptions>(optionsSchema, options, "createRuntime");
}

/** A deployment whose tenant is named, and whose source lies at a path or was given. */
export type CheckedDeployment = Omit<DeployOptions, "source" | "files" | "main"> &
	FunctionId & { given?: { main: string; files: Record<string, string | Uint8Array> } };

export function checkDeployment(options: unknown): CheckedDeployment {
	return check<CheckedDeployment>(deploySchema, options, "deploy");
}

/** An upload likewise. */
export type CheckedUpload = Omit<CheckedDeployment, "hostnames" | "env" | "bindings">;

export function checkUpload(options: unknown): CheckedUpload {
	return check<CheckedUpload>(uploadSchema, options, "upload");
}

/** Names the function of the operator's own tenant where no other is named. */
export function checkFunctionId(id: unknown): FunctionId {
	return check<FunctionId>(functionId, id, "function");
}

/** Checks an event by the schema that its type has, one of these. */
export function checkEvent(
	types: Readonly<Record<string, { readonly input: z.ZodType }>>,
	event: unknown,
): { type: string } {
	const { type } = check<{ type: string }>(z.looseObject({ type: z.enum(Object.keys(types)) }), event, "dispatch");
	return check<{ type: string }>(types[type].input, event, "dispatch");
}

/** A function that is named from outside; `null` for none. */
interface Targeted {
	function: FunctionId | null;
}

/** A mount with its defaults. */
export type CheckedMount = Targeted & { prefix: string; client: NonNullable<MountOptions["client"]> | null };

export function checkMount(options: unknown, where: string): CheckedMount {
	return check<CheckedMount>(mountSchema, options, where);
}

/** What `fetch` is told, with its defaults. */
export type CheckedFetch = Targeted & { client: Required<NonNullable<FetchOptions["client"]>> | null };

export function checkFetch(options: unknown): CheckedFetch {
	return check<CheckedFetch>(fetchSchema, options, "fetch");
}

export function checkClose(options: unknown): CloseOptions {
	return check<CloseOptions>(closeSchema, options, "close");
}

/** Throws UsageError for what is no subscriber. */
export function checkSubscriber(subscriber: unknown): void {
	check<unknown>(subscriberSchema, subscriber, "subscribe");
}
