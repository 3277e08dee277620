import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { z } from "zod";
import { type AssetsSettings, assetsSchema, problemOfSiteAlone } from "../assets/asset-config.ts";
import { bindingsSchema, type GivenBindings } from "../bindings/binding.ts";
import { UsageError } from "../errors.ts";
import { type Limits, limitsSchema } from "../limits/limits.ts";
import { type FunctionName, functionName } from "../names.ts";
import { type GivenTriggers, triggersSchema } from "../triggers/trigger-settings.ts";
import { ConfigFile, liesIn, shown } from "./config-file.ts";
import { type FoundSource, sourcesFrom, sourcesSchema } from "./event-sources.ts";
import { readWrangler } from "./wrangler.ts";

/** What is known of every function that is found on disk. */
interface Found {
	/** As its configuration says, else that of its file or folder. */
	name: FunctionName;
	/** Absolute path of its file or folder. */
	path: string;
	/** Hostnames that its own configuration asks for; none if it leaves that to the command line. */
	hostnames: string[];
	/** The configuration file it was described by, if there was one. */
	config?: string;
}

/** A function on disk: one that can be deployed, or what is wrong with it. */
export type FoundFunction = Found &
	(
		| {
				problem: null;
				/** Absolute path of its main module; `null` for files alone. */
				entry: string | null;
				env: Record<string, unknown>;
				bindings: GivenBindings;
				limits: Partial<Limits>;
				/** What calls it beside requests. */
				triggers: GivenTriggers;
				/** Where its events come from. */
				sources: FoundSource[];
				/** The site that is served beside it or alone, whose folder is an absolute path. */
				assets: AssetsSettings | null;
				/** The name under which it finds its own version's id, tag and time in `env`; empty for none. */
				metadataBinding: string;
				/** What wrangler's configuration says for a deployment alone. */
				routes: string[];
				compatibilityDate: string;
				compatibilityFlags: string[];
				/** What its configuration says in vain. */
				warnings: string[];
		  }
		| { problem: string }
	);

export const EXTENSIONS = [".ts", ".tsx", ".js", ".mjs"];
const CONFIGS = ["atoll.jsonc", "wrangler.jsonc", "wrangler.json", "wrangler.toml"];

/** Whether a configuration is wrangler's, which has environments. */
export const isWranglers = (path = "") => basename(path).startsWith("wrangler.");

/** What `atoll.jsonc` may say. Whose function it is is not for its own configuration to say. */
export const functionSchema = z.strictObject({
	$schema: z.string().optional().meta({ description: "Where an editor finds the schema of this file." }),
	name: functionName.optional().meta({ description: "The function's name. Default: its folder's." }),
	main: z.string().optional().meta({
		description: "Its main module. Default: index or src/index, and with assets none.",
	}),
	hostnames: z.array(z.string()).optional().meta({
		description:
			"Names and wildcards as *.example.com. `atoll serve`: in place of NAME.<domain>; `atoll deploy`: beside it.",
	}),
	env: z.record(z.string(), z.json()).optional().meta({ description: "Variables: the handler's second argument." }),
	bindings: bindingsSchema.optional().meta({ description: "What else stands there, by its name: docs/bindings.md." }),
	assets: assetsSchema.optional().meta({
		description: "Files that are served beside the function, or alone; keys as wrangler has them.",
	}),
	limits: limitsSchema.optional().meta({ description: "Limits that differ from the server's." }),
	sources: sourcesSchema.optional().meta({
		description: "Where its events come from, by the sources' names: docs/events.md. `atoll serve` and `dev` alone.",
	}),
	triggers: triggersSchema.optional().meta({ description: "What calls it beside requests: docs/triggers.md." }),
});

const packageSchema = z.object({ main: z.string().optional() });

/** As much of a configuration as tells where the function is to be reached, whatever is wrong with the rest of it. */
const reachedSchema = z.object({
	name: functionName.optional().catch(undefined),
	hostnames: z.array(z.string()).optional().catch(undefined),
});

/** What is said of functions beside where they are. */
export interface DescribeOptions {
	/** Nothing of a function may lie outside of it. */
	root?: string | undefined;
	/** Which environment of wrangler's configurations counts. Default: what stands at their top. */
	environment?: string | undefined;
	/** What a function is called, whatever wrangler's configuration says. */
	name?: string | undefined;
}

/**
 * The function that a file or folder is, or `null` if it is none. Never throws: what is wrong with one function is told
 * of it, and others are served.
 */
export function describe(path: string, { root, environment, name }: DescribeOptions = {}): FoundFunction | null {
	const file = basename(path);
	const isFile = isFunctionFile(file);
	const found: Found = { name: isFile ? basename(file, extname(file)) : file, path, hostnames: [] };
	let isFolder: boolean | null = null;
	try {
		isFolder = statSync(path).isDirectory();
		if (!isFolder && !isFile) return null;
		if (isFolder) found.name = file;
		if (root !== undefined) refuseOutside(root, path);
		const described = isFolder ? describeFolder(found, { environment, name }) : describeFile(found);
		const { entry = null, assets = null } = described ?? {};
		for (const part of [entry, assets?.directory ?? null])
			if (root !== undefined && part !== null) refuseOutside(root, part);
		return described;
	} catch (error) {
		// A link that leads nowhere is taken for a function where it is called like one.
		if (isFolder === null && !isFile && extname(file) !== "") return null;
		return { ...found, problem: problemOf(error, found) };
	}
}

function refuseOutside(root: string, path: string): void {
	if (!liesIn(root, path)) throw new UsageError(`${shown(path)}: it leads out of the tenant's folder`);
}

/** What is said of a function that has no configuration. */
const PLAIN = {
	env: {},
	bindings: {},
	limits: {},
	triggers: {},
	sources: [],
	assets: null,
	metadataBinding: "",
	routes: [],
	compatibilityDate: "",
	compatibilityFlags: [],
	warnings: [],
};

type Sound = Extract<FoundFunction, { problem: null }>;

/** A file that is a function, whatever it is called. */
export function describeFile(found: Found): Sound {
	return { ...found, problem: null, entry: found.path, ...PLAIN };
}

/** Notes in `found` what it learns on the way. Throws what is wrong with the folder. */
function describeFolder(found: Found, options: Omit<DescribeOptions, "root">): Sound | null {
	const folder = found.path;
	const files = readdirSync(folder);
	const config = CONFIGS.find((file) => files.includes(file));
	if (config !== undefined) {
		found.config = join(folder, config);
		const file = new ConfigFile(folder, found.config);
		const isOurs = config.startsWith("atoll.");
		const { data: reached } = reachedSchema.safeParse(file.value);
		found.name = reached?.name ?? found.name;
		if (isOurs) {
			found.hostnames = reached?.hostnames ?? [];
			const {
				main,
				env = {},
				bindings = {},
				limits = {},
				triggers = {},
				sources: given = {},
				assets,
			} = file.check(functionSchema);
			const sources = sourcesFrom(folder, found.name, given);
			const sited = siteFrom(folder, main, assets ?? null, found.config);
			return { ...found, problem: null, ...PLAIN, env, bindings, limits, triggers, sources, ...sited };
		}
		const wranglers = readWrangler(file, { ...options, folder: found.name });
		const { main, variables: env, hostnames: routes, assets, ...rest } = wranglers;
		return {
			...found,
			problem: null,
			...rest,
			env,
			routes,
			sources: [],
			...siteFrom(folder, main, assets, found.config),
		};
	}
	if (files.includes("package.json")) {
		const manifest = join(folder, "package.json");
		const { main } = new ConfigFile(folder, manifest).check(packageSchema);
		if (main !== undefined) {
			found.config = manifest;
			return { ...found, problem: null, entry: mainFrom(folder, main, manifest), ...PLAIN };
		}
	}
	const entry = indexIn(folder);
	return entry === null ? null : { ...found, problem: null, entry, ...PLAIN };
}

function isFunctionFile(name: string): boolean {
	return EXTENSIONS.includes(extname(name)) && !/^[._]|\.d\.ts$|\.(?:test|spec|config)\.\w+$/.test(name);
}

function indexIn(folder: string): string | null {
	for (const stem of ["index", join("src", "index")]) {
		for (const extension of EXTENSIONS) {
			const path = join(folder, stem + extension);
			if (existsSync(path)) return path;
		}
	}
	return null;
}

/** The main module and the folder of files; with files and no `main` these are alone. */
function siteFrom(
	folder: string,
	main: string | undefined,
	assets: AssetsSettings | null,
	config: string,
): Pick<Sound, "entry" | "assets"> {
	if (assets === null) return { entry: mainFrom(folder, main, config), assets };
	const problem = main === undefined ? problemOfSiteAlone(assets) : null;
	if (problem !== null) throw new UsageError(`${shown(config)}: ${problem}`);
	const entry = main === undefined ? null : mainFrom(folder, main, config);
	const directory = resolve(folder, assets.directory);
	if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
		throw new UsageError(`${shown(config)}: its "assets.directory", ${assets.directory}, is no folder`);
	return { entry, assets: { ...assets, directory } };
}

function mainFrom(folder: string, main: string | undefined, config: string): string {
	const entry = main === undefined ? indexIn(folder) : resolve(folder, main);
	if (entry === null)
		throw new UsageError(`${shown(config)}: it has no "main", and there is no index or src/index file beside it`);
	if (!existsSync(entry)) throw new UsageError(`${shown(config)}: its "main", ${main}, does not exist`);
	return entry;
}

function problemOf(error: unknown, { path, config = path }: Found): string {
	if (error instanceof UsageError) return error.message;
	const { code, message } = error as NodeJS.ErrnoException;
	if (code === "ENOENT" || code === "ELOOP") return `${shown(config)}: it is a link that leads nowhere`;
	if (code === "EACCES" || code === "EPERM") return `${shown(config)}: it may not be read by this user`;
	return `${shown(config)}: ${message}`;
}
