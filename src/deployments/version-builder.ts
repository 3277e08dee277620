import { realpathSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { type AssetsSettings, NO_FUNCTION, type SiteSource } from "../assets/asset-config.ts";
import { describeBindings } from "../bindings/binding.ts";
import type { Builder, BuildRequest, BuildResult } from "../build/builder.ts";
import type { GivenBuilder, GivenFiles } from "../build/given-files.ts";
import { holds } from "../build/view.ts";
import type { Artifact } from "../cache/artifact.ts";
import type { ArtifactStore } from "../cache/artifact-store.ts";
import type { CheckedUpload } from "../config/deployment.ts";
import { UsageError } from "../errors.ts";
import { type Limits, resolveLimits } from "../limits/limits.ts";
import { DEFAULT_TENANT, type FunctionId } from "../names.ts";
import type { SiteFiles } from "./site-files.ts";
import { Version, type VersionSource } from "./version.ts";

/** The source of a function and its settings, checked: what a version is built from. */
export interface Upload {
	readonly function: FunctionId;
	/**
	 * Its files as they were given, or absolute paths: of its main module, and of the folder that it may be bundled
	 * from.
	 */
	readonly source: GivenFiles | { readonly entry: string; readonly root: string | undefined };
	readonly limits: Limits;
	/** The files that it is to have, of a folder at an absolute path; `null` for none. */
	readonly assets: AssetsSettings | null;
	/** Whether there is no function beside them. */
	readonly alone: boolean;
}

/** A version, and how it was built. */
export interface Built {
	/** The files it was built from, relative to the working directory. */
	inputs: string[];
	/** Whether the artifact was in the cache. */
	cached: boolean;
	version: Version;
	/** Resolves once it is on disk. It can be tried meanwhile. */
	saved: Promise<void>;
}

export interface VersionBuilderSettings {
	builder: Builder;
	givenBuilder: GivenBuilder;
	store: ArtifactStore;
	siteFiles: SiteFiles;
	/** Of functions that set none of their own, and how far these may go. */
	limits: Limits;
	maxLimits: Partial<Limits>;
	/** The folders that functions are built from, by real paths; `null` for any. */
	sources: readonly string[] | null;
	/** Whether functions may import packages that lie above their roots. */
	packages: boolean;
	development: boolean;
}

/** How a function that was built is built again. */
interface Rebuild {
	/** What its problems are told by. */
	request: BuildRequest;
	rebuild(key: string): Promise<BuildResult>;
}

/** How a function is built. */
interface BuildPlan extends Rebuild {
	build(): Promise<BuildResult>;
}

async function rebuilt(plan: Rebuild, key: string): Promise<Artifact> {
	const { artifact, saved } = await plan.rebuild(key);
	await saved;
	if (artifact.key !== key)
		throw new Error("the artifact on disk is damaged, and the source has changed since: deploy the function again");
	return artifact;
}

/** Checks uploads, and builds versions of them. Nothing of what is served changes by that. */
export class VersionBuilder {
	readonly #settings: VersionBuilderSettings;

	constructor(settings: VersionBuilderSettings) {
		this.#settings = settings;
	}

	/** Checks what a version is to be built from. Throws UsageError for a source that may not be, and for limits. */
	upload(options: CheckedUpload): Upload {
		const { limits, maxLimits } = this.#settings;
		const { given, assets, root } = options;
		return {
			function: { tenant: options.tenant, name: options.name },
			source: given ?? this.#sourceAt(options),
			limits: resolveLimits(options.limits, limits, maxLimits),
			assets: assets === undefined ? null : { ...assets, directory: this.#assetsAt(assets.directory, root) },
			alone: given?.main === NO_FUNCTION.path,
		};
	}

	#assetsAt(directory: string, root: string | undefined): string {
		const path = resolve(directory);
		const { sources } = this.#settings;
		const folders = root === undefined ? sources : [realpathSync(root)];
		if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
			throw new UsageError(`${directory}: there is no such folder of assets`, "source_not_found");
		const real = realpathSync(path);
		if (folders !== null && !folders.some((folder) => holds(folder, real)))
			throw new UsageError(
				`${directory}: the folder of assets is in none of those that the function may be of`,
				"source_refused",
			);
		return path;
	}

	#sourceAt(options: Pick<CheckedUpload, "entry" | "root">): { entry: string; root: string | undefined } {
		const { sources, packages } = this.#settings;
		if (!packages && options.root === undefined)
			throw new UsageError("deploy: where packages is false, a function needs a root", "source_refused");
		const entry = resolve(options.entry ?? "");
		const root = options.root === undefined ? undefined : resolve(options.root);
		if (root !== undefined && !statSync(root, { throwIfNoEntry: false })?.isDirectory())
			throw new UsageError(`${options.root}: there is no such folder`, "source_not_found");
		if (!statSync(entry, { throwIfNoEntry: false })?.isFile()) {
			const where = root === undefined ? "" : ` in the function's root, ${options.root}`;
			throw new UsageError(
				`${relative(root ?? process.cwd(), entry)}: there is no such file${where}`,
				"source_not_found",
			);
		}
		const folder = realpathSync(root ?? entry);
		if (sources !== null && !sources.some((source) => holds(source, folder)))
			throw new UsageError(
				`${relative(process.cwd(), folder)}: it is in none of the folders that functions are built from`,
				"source_refused",
			);
		return { entry, root };
	}

	/** Tells artifacts of which they can be made again the same from others. */
	get toolchain(): string {
		return this.#settings.builder.toolchain;
	}

	/** Builds a version, which changes nothing of what is served. Rejects with BuildError, which has every problem. */
	async build(upload: Upload): Promise<Built> {
		const plan = this.#planOf(upload.function, upload.source);
		const { artifact, inputs, cached, saved } = await plan.build();
		const { assets, alone } = upload;
		const site = assets === null ? null : await this.#settings.siteFiles.keep(assets, alone);
		const version = this.#versionOf(upload, plan, artifact.key, site);
		return { version, inputs: alone ? [] : inputs, cached, saved };
	}

	/**
	 * A version that this toolchain has built before of files that were given, by the key of its artifact. Throws
	 * UsageError for limits.
	 */
	built(id: FunctionId, limits: Partial<Limits>, key: string): Version {
		const { limits: usual, maxLimits } = this.#settings;
		const resolved = resolveLimits(limits, usual, maxLimits);
		return this.#versionOf({ function: id, limits: resolved }, this.#rebuildOf(id, `${id.name}.js`), key);
	}

	#versionOf(
		{ function: id, limits }: Pick<Upload, "function" | "limits">,
		plan: Rebuild,
		key: string,
		site: SiteSource | null = null,
	): Version {
		const { builder, store } = this.#settings;
		const source: VersionSource = {
			key,
			// Where an artifact is no longer whole on disk it is made again; its key then says whether the source is
			// still the same.
			artifact: async () => (await store.artifact(key)) ?? (await rebuilt(plan, key)),
			sourceMap: (most) => store.sourceMap(key, most),
			tryStart: ({ variables: env, bindings }) =>
				builder.tryStart(plan.request, source, { env, bindings: describeBindings(bindings), limits }),
		};
		return new Version(id, limits, source, { site });
	}

	#planOf(id: FunctionId, source: Upload["source"]): BuildPlan {
		const { builder, givenBuilder } = this.#settings;
		const settings = this.#settingsOf(id);
		if ("entry" in source) {
			const request: BuildRequest = { ...settings, ...source };
			const build = () => builder.build(request);
			return { request, build, rebuild: build };
		}
		return { ...this.#rebuildOf(id, source.main), build: () => givenBuilder.build(settings, source) };
	}

	/** From what was kept of the files that were given. */
	#rebuildOf(id: FunctionId, entry: string): Rebuild {
		const settings = this.#settingsOf(id);
		return {
			request: { ...settings, entry },
			rebuild: (key) => this.#settings.givenBuilder.rebuild(settings, key),
		};
	}

	#settingsOf({ tenant, name }: FunctionId) {
		const { packages, development } = this.#settings;
		return { name, tenant: tenant === DEFAULT_TENANT ? undefined : tenant, packages, development };
	}
}
