import { statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import type { GivenBindings } from "../bindings/binding.ts";
import { ConfigFile } from "../config/config-file.ts";
import { describe, describeFile, EXTENSIONS } from "../config/function-source.ts";
import { readWrangler } from "../config/wrangler.ts";
import type { Limits } from "../limits/limits.ts";
import { ClientError, Exit } from "./client-error.ts";

/** A function on the developer's disk, as it is to be deployed. */
export interface Project {
	name: string;
	/** Absolute path of its main module. */
	entry: string;
	variables: Record<string, unknown>;
	bindings: GivenBindings;
	limits: Partial<Limits>;
	hostnames: string[];
	compatibilityDate: string;
	compatibilityFlags: string[];
	warnings: string[];
}

/** The function at a path, by `atoll.jsonc` or wrangler's configuration. Throws ClientError where there is none. */
export function readProject(path: string, environment?: string): Project {
	const absolute = resolve(path);
	const about = statSync(absolute, { throwIfNoEntry: false });
	if (about === undefined) throw new ClientError(`${path}: there is no such file or folder`, Exit.usage);
	if (about.isFile() && !EXTENSIONS.includes(extname(absolute)))
		throw new ClientError(`${path}: a function is a file that ends in ${EXTENSIONS.join(", ")}`, Exit.usage);
	const found = about.isFile()
		? describeFile({ name: basename(absolute, extname(absolute)), path: absolute, hostnames: [] })
		: describe(absolute);
	if (found === null)
		throw new ClientError(
			`${path}: there is no function in this folder: no atoll.jsonc, wrangler.jsonc or index file. Name one of its files, or make one with \`atoll init\``,
			Exit.usage,
		);
	if (found.problem !== null) throw new ClientError(found.problem, Exit.usage);
	const { name, entry, env, bindings, limits, hostnames, config, warnings } = found;
	const plain = { name, entry, variables: env, bindings, limits, hostnames, warnings };
	const isWrangler = config !== undefined && /^wrangler\./.test(basename(config));
	if (!isWrangler) {
		if (environment !== undefined)
			throw new ClientError(
				"--env names an environment of wrangler's configuration, and there is none here",
				Exit.usage,
			);
		return { ...plain, compatibilityDate: "", compatibilityFlags: [] };
	}
	const read = readWrangler(new ConfigFile(absolute, config), environment);
	const own = read.main === undefined ? entry : resolve(absolute, read.main);
	const { variables, compatibilityDate, compatibilityFlags } = read;
	const more = { variables, compatibilityDate, compatibilityFlags, hostnames: read.hostnames, warnings: read.warnings };
	return { ...plain, ...more, name: read.name ?? name, entry: own, bindings: read.bindings, limits: read.limits };
}
