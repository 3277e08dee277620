import { statSync } from "node:fs";
import { join } from "node:path";
import { BuildError } from "../build/problem.ts";
import { shown } from "../config/config-file.ts";
import { isWranglers } from "../config/function-source.ts";
import { findFunctions, findTenants, type Source } from "../config/project.ts";
import { UsageError } from "../errors.ts";
import { keyOf } from "../names.ts";
import type { Flags } from "./flags.ts";

/**
 * All functions at the paths of a command line. What is wrong with one is told of it. Throws UsageError where a path
 * is wrong.
 */
export function collect({ paths, root, environment, tenants, reach }: Flags): Source[] {
	if (root !== undefined && !statSync(root, { throwIfNoEntry: false })?.isDirectory())
		throw new UsageError(`--root must be a folder, not ${JSON.stringify(root)}`);
	const sources = [
		...paths.flatMap((path) => findFunctions(path, { domain: reach.domain, root, environment })),
		...tenants.flatMap((path) => findTenants(path, reach, environment)),
	];
	if (environment !== undefined && !sources.some(({ config }) => isWranglers(config)))
		throw new UsageError(
			`--env ${environment} names an environment of wrangler's configuration, and there is none here`,
		);
	return withNamesOfTheirOwn(sources);
}

/** Throws UsageError for hostnames that are given to a tenant which has no functions. */
export function checkGrants({ tenants, reach }: Flags, sources: readonly Source[]): void {
	for (const { tenant, hostname } of reach.grants)
		if (!sources.some((source) => source.tenant === tenant))
			throw new UsageError(`--grant ${tenant}=${hostname}: there is no tenant ${tenant} in ${tenants.join(", ")}`);
}

/**
 * Of several functions of one name the first has it. The others take its place at no hostname, and are told of under
 * another name.
 */
function withNamesOfTheirOwn(sources: Source[]): Source[] {
	const first = new Map<string, Source>();
	for (const source of sources) if (!first.has(keyOf(source))) first.set(keyOf(source), source);
	let others = 1;
	return sources.map((source) => {
		const other = first.get(keyOf(source));
		if (other === undefined || other === source) return source;
		let name: string;
		// Short enough to be a name whatever the other is.
		do name = `${source.name.slice(0, 50)}.${++others}`;
		while (first.has(keyOf({ ...source, name })));
		const renamed: Source = {
			...source,
			name,
			problem: `two functions are called ${source.name}: ${shown(other.path)} and ${shown(source.path)}`,
		};
		first.set(keyOf(renamed), renamed);
		return renamed;
	});
}

/** The problems of a function's source at paths as a person types them here, and not as they are in its root. */
export function problemsOf({ problems }: BuildError, { root }: Source): string {
	const here = problems.map((problem) =>
		problem.file === undefined ? problem : { ...problem, file: shown(join(root, problem.file)) },
	);
	return new BuildError(here).message;
}

/**
 * Throws UsageError with all that is wrong where not one of some functions, each with its problem, could so much as be
 * tried.
 */
export function refuseIfAllFailed(problems: readonly (string | null)[]): void {
	if (problems.every((problem) => problem !== null)) throw new UsageError(problems.join("\n"));
}
