import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { DEFAULT_TENANT, type FunctionId, functionName, type TenantName, tenantName } from "../names.ts";
import { Router } from "../router/router.ts";
import { liesIn, shown } from "./config-file.ts";
import { type DescribeOptions, describe, describeFile, EXTENSIONS, type FoundFunction } from "./function-source.ts";

/** A function as it is found on disk, and whose it is. */
export type Source = FoundFunction &
	FunctionId & {
		/** Absolute path of the folder that it may be bundled from. */
		root: string;
	};

/** At which hostnames functions are reached. */
export interface Reach {
	/** The operator's own domain, under which functions are that ask for no hostname. */
	domain: string;
	/**
	 * Hostnames and wildcards, in the router's form, that the operator has given to tenants, beside those under
	 * `<tenant>.<domain>`.
	 */
	grants: readonly { tenant: TenantName; hostname: string }[];
}

/** What the operator says of all functions at a path. */
export interface FindOptions {
	domain: string;
	/**
	 * The folder that they may be bundled from, which holds the path. Default: the path itself, or the folder that a
	 * file is in.
	 */
	root?: string | undefined;
	/** Which environment of wrangler's configurations counts. */
	environment?: string | undefined;
}

/**
 * The operator's own functions at a path. A file, or a folder that is a function, serves every hostname; a folder of
 * functions serves each at `<name>.<domain>`. Throws UsageError where there is none.
 */
export function findFunctions(path: string, { domain, root: given, environment }: FindOptions): Source[] {
	const absolute = resolve(path);
	if (!existsSync(absolute)) throw new UsageError(`${path}: there is no such file or folder`);
	if (given !== undefined && !liesIn(given, absolute))
		throw new UsageError(`--root ${given} does not hold ${path}; it must be a folder that holds every PATH`);
	const isFolder = statSync(absolute).isDirectory();
	const entry = realpathSync(absolute);
	const root = resolve(given ?? (isFolder ? absolute : dirname(entry)));
	const own = (found: FoundFunction, hostname: string) =>
		withDefault({ ...found, tenant: DEFAULT_TENANT, root }, hostname);
	if (!isFolder) {
		if (!EXTENSIONS.includes(extname(absolute)))
			throw new UsageError(`${path}: a function is a file that ends in ${EXTENSIONS.join(", ")}`);
		const name = basename(absolute, extname(absolute));
		return [own({ ...describeFile({ name, path: absolute, hostnames: [] }), entry }, "*")];
	}
	const one = describe(absolute, { environment });
	if (one !== null) return [own(one, "*")];
	const found = functionsIn(absolute, { environment });
	if (found.length === 0)
		throw new UsageError(
			`${path}: there are no functions in this folder (files that end in ${EXTENSIONS.join(", ")}, or folders with an index file)`,
		);
	return found.map((one) => own(one, `${one.name.toLowerCase()}.${domain}`));
}

/**
 * The functions of tenants, at `<path>/<tenant>/<function>`: whose a function is is said by the operator, who makes
 * the tenants' folders, and not in them. They serve at `<name>.<tenant>.<domain>`. Throws UsageError where there are
 * no such folders.
 */
export function findTenants(path: string, reach: Reach, environment?: string): Source[] {
	const absolute = resolve(path);
	if (!statSync(absolute, { throwIfNoEntry: false })?.isDirectory())
		throw new UsageError(`${path}: there is no such folder`);
	const sources = readdirSync(absolute, { withFileTypes: true })
		.filter((entry) => isVisible(entry.name) && !entry.isFile())
		.map(({ name }) => name)
		.sort()
		.flatMap((tenant) => functionsOf(tenant, join(absolute, tenant), { ...reach, environment }));
	if (sources.length === 0)
		throw new UsageError(`${path}: there are no functions in this folder, which are at ${path}/TENANT/FUNCTION`);
	return sources;
}

function functionsOf(
	tenant: TenantName,
	root: string,
	{ domain, grants, environment }: Reach & Pick<FindOptions, "environment">,
): Source[] {
	const own = tenant === DEFAULT_TENANT ? domain : `${tenant}.${domain}`;
	const granted = [own, `*.${own}`];
	for (const grant of grants) if (grant.tenant === tenant) granted.push(grant.hostname);
	try {
		const named = tenantName.safeParse(tenant);
		if (!named.success) throw new UsageError(`${shown(root)}: the tenant's name ${named.error.issues[0].message}`);
		return functionsIn(root, { root, environment }).map((found) => {
			const source = withDefault({ ...found, tenant, root }, `${found.name.toLowerCase()}.${own}`);
			return tenant === DEFAULT_TENANT ? source : asGranted(source, granted);
		});
	} catch (error) {
		// Nothing is known of the tenant's functions then, and those of others are served.
		return [{ tenant, name: "", path: root, root, hostnames: [], problem: (error as Error).message }];
	}
}

const isVisible = (name: string) => name !== "node_modules" && !name.startsWith(".");

/** The functions in a folder, in the order of their names. */
function functionsIn(folder: string, options: DescribeOptions): FoundFunction[] {
	return readdirSync(folder)
		.filter(isVisible)
		.sort()
		.map((name) => describe(join(folder, name), options))
		.filter((found) => found !== null);
}

/** The folders in a folder of functions that are none, since they have neither a configuration nor an index file. */
export function skippedFolders(path: string): string[] {
	const folder = resolve(path);
	if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory() || describe(folder) !== null) return [];
	return readdirSync(folder)
		.filter(isVisible)
		.sort()
		.map((name) => join(folder, name))
		.filter((inner) => statSync(inner, { throwIfNoEntry: false })?.isDirectory() && describe(inner) === null);
}

/** A function that asks for no hostname is reached at the one that its place gives it. */
function withDefault(source: Source, hostname: string): Source {
	const { path, hostnames, problem } = source;
	const named = functionName.safeParse(source.name);
	if (!named.success) {
		const { message } = named.error.issues[0];
		return { ...source, hostnames: [], problem: problem ?? `${shown(path)}: the function's name ${message}` };
	}
	return hostnames.length > 0 ? source : { ...source, hostnames: [hostname] };
}

/** A function that asks for hostnames which the operator has not given to its tenant is broken, and has the others. */
function asGranted(source: Source, granted: readonly string[]): Source {
	const { true: hostnames = [], false: refused = [] } = Object.groupBy(source.hostnames, (hostname) =>
		String(isGranted(hostname, granted)),
	);
	if (refused.length === 0) return source;
	const { tenant, path, config = path, problem } = source;
	const why = `${shown(config)}: ${refused.join(", ")}: the operator has given ${tenant} no such hostname (--grant ${tenant}=HOSTNAME)`;
	return { ...source, hostnames, problem: problem ?? why };
}

/**
 * Whether a hostname or wildcard is one of some others or lies under them. What is no hostname is for the deployment
 * to refuse.
 */
function isGranted(hostname: string, granted: readonly string[]): boolean {
	const asked = Router.parse(hostname);
	return (
		asked === null ||
		granted.some((pattern) => asked === pattern || (pattern.startsWith("*.") && asked.endsWith(pattern.slice(1))))
	);
}
