import { statSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import {
	type DescribeOptions,
	describe,
	describeFile,
	EXTENSIONS,
	type FoundFunction,
	isWranglers,
} from "../config/function-source.ts";
import { ClientError, Exit } from "./client-error.ts";

/** A function on the developer's disk, as it is to be deployed. */
export type Project = Extract<FoundFunction, { problem: null }>;

/**
 * The function at a path, by `atoll.jsonc` or wrangler's configuration, under another name where one is given. Throws
 * ClientError where there is none.
 */
export function readProject(
	path: string,
	{ environment, name }: Pick<DescribeOptions, "environment" | "name"> = {},
): Project {
	const absolute = resolve(path);
	const about = statSync(absolute, { throwIfNoEntry: false });
	if (about === undefined) throw new ClientError(`${path}: there is no such file or folder`, Exit.usage);
	if (about.isFile() && !EXTENSIONS.includes(extname(absolute)))
		throw new ClientError(`${path}: a function is a file that ends in ${EXTENSIONS.join(", ")}`, Exit.usage);
	const found = about.isFile()
		? describeFile({ name: basename(absolute, extname(absolute)), path: absolute, hostnames: [] })
		: describe(absolute, { environment, name });
	if (found === null)
		throw new ClientError(
			`${path}: there is no function in this folder: no atoll.jsonc, wrangler.jsonc or index file. Name one of its files, or make one with \`atoll init\``,
			Exit.usage,
		);
	if (found.problem !== null) throw new ClientError(found.problem, Exit.usage);
	if (environment !== undefined && !isWranglers(found.config))
		throw new ClientError("--env names an environment of wrangler's configuration, and there is none here", Exit.usage);
	return found;
}
