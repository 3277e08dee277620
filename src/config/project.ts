import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, extname, join, relative, resolve } from "node:path";
import { type ParseError, parse as parseJsonc, printParseErrorCode } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import { z } from "zod";
import { UsageError } from "../errors.ts";
import { type Limits, limitsSchema } from "../limits/limits.ts";
import { functionName } from "./options.ts";

/** A function as it is found on disk. */
export interface FunctionSource {
	name: string;
	owner?: string;
	/** Absolute path of its main module. */
	entry: string;
	env: Record<string, unknown>;
	limits: Partial<Limits>;
	/** Hostnames that its own configuration asks for; none if it leaves that to the command line. */
	hostnames: string[];
	/** The configuration file it was described by, if there was one. */
	config?: string;
}

const EXTENSIONS = [".ts", ".tsx", ".js", ".mjs"];
const CONFIGS = ["atoll.jsonc", "wrangler.jsonc", "wrangler.json", "wrangler.toml"];

const atollSchema = z.strictObject({
	$schema: z.string().optional(),
	name: functionName.optional(),
	owner: z.string().min(1).optional(),
	main: z.string().optional(),
	hostnames: z.array(z.string()).optional(),
	env: z.record(z.string(), z.json()).optional(),
	limits: limitsSchema.optional(),
});

/** The part of wrangler's configuration that atoll goes by; the rest of it is left alone. */
const wranglerSchema = z.object({
	name: functionName.optional(),
	main: z.string().optional(),
	vars: z.record(z.string(), z.json()).optional(),
	limits: z.object({ cpu_ms: z.number().int().positive().optional() }).optional(),
});

const shown = (path: string) => relative(process.cwd(), path) || ".";

function parseConfig(path: string): unknown {
	const text = readFileSync(path, "utf8");
	if (path.endsWith(".toml")) {
		try {
			return parseToml(text);
		} catch (error) {
			throw new UsageError(`${shown(path)}: ${(error as Error).message}`);
		}
	}
	const errors: ParseError[] = [];
	const value = parseJsonc(text, errors, { allowTrailingComma: true }) as unknown;
	if (errors.length > 0) {
		const before = text.slice(0, errors[0].offset).split("\n");
		throw new UsageError(
			`${shown(path)}:${before.length}:${before[before.length - 1].length + 1}: ${printParseErrorCode(errors[0].error)}`,
		);
	}
	return value;
}

function check<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data;
	const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`);
	throw new UsageError(`${shown(path)}: ${problems.join("; ")}`);
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

function mainFrom(folder: string, main: string | undefined, config: string): string {
	const entry = main === undefined ? indexIn(folder) : resolve(folder, main);
	if (entry === null)
		throw new UsageError(`${shown(config)}: it has no "main", and there is no index or src/index file beside it`);
	if (!existsSync(entry)) throw new UsageError(`${shown(config)}: its "main", ${main}, does not exist`);
	return entry;
}

/** The function that a folder is, or `null` if it is none. Throws UsageError for a configuration that is wrong. */
function functionFolder(folder: string): FunctionSource | null {
	const name = basename(folder);
	const config = CONFIGS.map((file) => join(folder, file)).find((path) => existsSync(path));
	if (config?.endsWith("atoll.jsonc")) {
		const parsed = check(atollSchema, parseConfig(config), config);
		const { env = {}, limits = {}, hostnames = [], owner } = parsed;
		return {
			name: parsed.name ?? name,
			owner,
			entry: mainFrom(folder, parsed.main, config),
			env,
			limits,
			hostnames,
			config,
		};
	}
	if (config !== undefined) {
		const { name: given, main, vars = {}, limits } = check(wranglerSchema, parseConfig(config), config);
		return {
			name: given ?? name,
			entry: mainFrom(folder, main, config),
			env: vars,
			limits: limits?.cpu_ms === undefined ? {} : { cpuMs: limits.cpu_ms },
			hostnames: [],
			config,
		};
	}
	const manifest = join(folder, "package.json");
	if (existsSync(manifest)) {
		const { main } = check(z.object({ main: z.string().optional() }), parseConfig(manifest), manifest);
		if (main !== undefined)
			return { name, entry: mainFrom(folder, main, manifest), env: {}, limits: {}, hostnames: [], config: manifest };
	}
	const index = indexIn(folder);
	return index === null ? null : { name, entry: index, env: {}, limits: {}, hostnames: [] };
}

function functionFile(path: string): FunctionSource {
	return { name: basename(path, extname(path)), entry: path, env: {}, limits: {}, hostnames: [] };
}

/**
 * The functions at a path. A file, or a folder that is a function, serves every hostname; a folder of functions serves
 * each at `<name>.<domain>`. Throws UsageError where there is none.
 */
export function findFunctions(path: string, domain: string): FunctionSource[] {
	const absolute = resolve(path);
	if (!existsSync(absolute)) throw new UsageError(`${path}: there is no such file or folder`);
	if (!statSync(absolute).isDirectory()) {
		if (!EXTENSIONS.includes(extname(absolute)))
			throw new UsageError(`${path}: a function is a file that ends in ${EXTENSIONS.join(", ")}`);
		return [{ ...functionFile(absolute), hostnames: ["*"] }];
	}
	const own = functionFolder(absolute);
	if (own !== null) return [{ ...own, hostnames: own.hostnames.length > 0 ? own.hostnames : ["*"] }];
	const found: FunctionSource[] = [];
	for (const entry of readdirSync(absolute, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
		const full = join(absolute, entry.name);
		const isFolder = statSync(full).isDirectory();
		if (isFolder && (entry.name === "node_modules" || entry.name.startsWith("."))) continue;
		const source = isFolder ? functionFolder(full) : isFunctionFile(entry.name) ? functionFile(full) : null;
		if (source !== null)
			found.push(
				source.hostnames.length > 0 ? source : { ...source, hostnames: [`${source.name.toLowerCase()}.${domain}`] },
			);
	}
	if (found.length === 0)
		throw new UsageError(
			`${path}: there are no functions in this folder (files that end in ${EXTENSIONS.join(", ")}, or folders with an index file)`,
		);
	return found;
}
