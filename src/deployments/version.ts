import { createHash } from "node:crypto";
import type { SiteSource } from "../assets/asset-config.ts";
import type { Artifact } from "../cache/artifact.ts";
import { FunctionError } from "../errors.ts";
import type { Limits } from "../limits/limits.ts";
import type { StartResult } from "../link/build-frames.ts";
import type { FunctionId } from "../names.ts";
import type { Bytes } from "../units.ts";
import type { Environment } from "./environment.ts";

/**
 * Names a version: twelve hexadecimal digits of all that it is made of, or what control calls it; empty for a stand-in.
 */
export type VersionId = string;

/** Where a version's large parts are kept. */
export interface VersionSource {
	/** The key of its artifact. */
	readonly key: string;
	/** Its artifact: from disk, or built again where it is no longer whole there. */
	artifact(): Promise<Artifact>;
	/** Its source map, as JSON. Rejects where it is larger than `most`. */
	sourceMap(most: Bytes): Promise<Uint8Array>;
	/** Starts it once with such an environment, unless it is known what comes of that. Rejects with BuildError. */
	tryStart(environment: Environment): Promise<StartResult>;
}

/** What control says of a version. */
interface VersionParts {
	id?: VersionId;
	site?: SiteSource | null;
	flags?: readonly string[];
}

/**
 * One immutable upload of a function, built: its bundle and its settings. Its variables are given by a release, so that
 * it can be tried with others, and taken back to, as it is. What is large of it stays on disk until somebody needs it.
 */
export class Version {
	/** The function that it is a version of. */
	readonly function: FunctionId;
	/** Where nobody has given it one it covers its bundle, by the artifact's key, and all of its limits. */
	readonly id: VersionId;
	readonly limits: Readonly<Limits>;
	/** An error where there is nothing that could be run: every request gets it. */
	readonly source: VersionSource | FunctionError;
	/** The files that were uploaded with it. */
	readonly site: SiteSource | null;
	/** The compatibility flags that it asks for. */
	readonly flags: readonly string[];

	constructor(
		{ tenant, name }: FunctionId,
		limits: Limits,
		source: VersionSource | FunctionError,
		more: VersionParts = {},
	) {
		const { id, site = null, flags = [] } = more;
		this.site = site;
		this.flags = flags;
		this.function = { tenant, name };
		this.limits = Object.freeze({ ...limits });
		this.source = source;
		this.id = source instanceof FunctionError ? "" : (id ?? idOf(source.key, limits));
	}
}

function idOf(artifactKey: string, limits: Limits): VersionId {
	const inOrder = Object.entries(limits).sort(([a], [b]) => (a < b ? -1 : 1));
	return createHash("sha256")
		.update(JSON.stringify([artifactKey, inOrder]))
		.digest("hex")
		.slice(0, 12);
}
