import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, extname, isAbsolute, join, relative, resolve } from "node:path";
import type { Artifact } from "../cache/artifact.ts";
import type { ArtifactStore } from "../cache/artifact-store.ts";
import { type Limits, MAX_BUNDLE_BYTES } from "../limits/limits.ts";
import { BuildKind, type BuildMessage, readStartResult, type StartResult, writeImage } from "../link/build-frames.ts";
import type { Launcher } from "../processes/launcher.ts";
import type { Milliseconds } from "../units.ts";
import type { Bundle } from "./bundle.ts";
import { Bundler } from "./bundler-client.ts";
import type { ModuleRequest } from "./conversion.ts";
import { BuildPool } from "./pool.ts";
import { loadPrelude } from "./prelude.ts";
import { BuildError, type Problem } from "./problem.ts";
import { type BuildProcess, BuildProcessError } from "./process.ts";
import { everywhere, rootAt } from "./root.ts";
import { toolchainKey } from "./toolchain.ts";

export interface BuilderOptions {
	/**
	 * How long its processes are kept for the next build. Default: five seconds; longer where somebody is waiting for
	 * every one.
	 */
	idleMs?: Milliseconds | undefined;
	/** The folders that sources lie in, by real paths. Default: anywhere. */
	folders?: readonly string[] | null;
}

export interface BuildRequest {
	name: string;
	/** Whose turn it takes; without one, the function's own. */
	tenant?: string | undefined;
	/** Absolute path of the main module. */
	entry: string;
	/** Absolute path of the folder that it may be bundled from; not bounded without one. */
	root?: string | undefined;
	/** Whether it may import packages that lie above its root. Default: true. */
	packages?: boolean;
	/** Whether it was given, and `root` is but where it lies for this build. */
	given?: boolean;
	/** Whether it was bundled before, where its packages were. */
	bundled?: boolean;
	/** Whether Node's globals are on the global object. */
	nodeGlobals?: boolean;
	development: boolean;
}

/** What an artifact is started with, when that is tried. */
export interface StartSettings {
	/** The function's variables, as JSON. */
	env: string;
	/** Its bindings, as an image has them. */
	bindings: string;
	limits: Readonly<Limits>;
}

export interface BuildResult {
	artifact: Artifact;
	/** The files that went into the bundle, relative to the working directory; to `root` where they were given. */
	inputs: string[];
	/** Whether the artifact came from the cache. */
	cached: boolean;
	/** Resolves once all of it is on disk; until then the store has the artifact in memory. */
	saved: Promise<void>;
}

/** What a builder is made of. */
interface BuilderParts extends BuilderOptions {
	store: ArtifactStore;
	launcher: Launcher;
	toolchain: string;
	snapshot: Uint8Array;
}

/** Turns source into artifacts: bundles, looks into the cache, and compiles what is not in there. */
export class Builder {
	readonly #store: ArtifactStore;
	/** Tells artifacts that it makes from those of other versions of Node, V8 and atoll. */
	readonly toolchain: string;
	readonly #bundler: Bundler;
	readonly #pool: BuildPool;
	/** What isolates are parked from. */
	readonly snapshot: Uint8Array;
	private constructor({ store, launcher, toolchain, snapshot, idleMs = 5000, folders = null }: BuilderParts) {
		this.#store = store;
		this.toolchain = toolchain;
		this.snapshot = snapshot;
		this.#bundler = new Bundler(launcher, idleMs, folders);
		this.#pool = new BuildPool(launcher, Math.max(2, Math.min(4, availableParallelism())), idleMs, (process) =>
			process.send({ kind: BuildKind.base, data: snapshot }),
		);
	}

	/** Makes the base snapshot, or takes it from the cache. */
	static async create(store: ArtifactStore, launcher: Launcher, options: BuilderOptions = {}): Promise<Builder> {
		const prelude = await loadPrelude();
		const toolchain = toolchainKey(prelude);
		let snapshot = store.snapshot(toolchain);
		if (snapshot === null) {
			const pool = new BuildPool(launcher, 1, 0, () => undefined);
			try {
				const { code, warmUp } = prelude;
				const frame = await pool.run("", (process) =>
					process.ask({ kind: BuildKind.snapshot, text: JSON.stringify({ code, warmUp }) }),
				);
				snapshot = frame.data;
			} finally {
				await pool.close();
			}
			await store.saveSnapshot(toolchain, snapshot);
		}
		return new Builder({ ...options, store, launcher, toolchain, snapshot });
	}

	/**
	 * Builds one function. What it is to be run with, variables and limits, is no part of that. Throws BuildError with
	 * every problem of its source.
	 */
	async build(request: BuildRequest): Promise<BuildResult> {
		const { root, packages, given = false, bundled = false, nodeGlobals = false, development } = request;
		const place = placeOf(request);
		const bundle = await this.#bundler.bundle(tenantOf(request), {
			...place,
			root: root === undefined ? everywhere() : rootAt(root, { packages, given, bundled, nodeGlobals }),
			development,
		});
		const { inputs, ...built } = await this.#finish(request, bundle);
		if (given) return { ...built, inputs };
		return { ...built, inputs: inputs.map((input) => relative(process.cwd(), resolve(place.cwd, input))) };
	}

	/** The same for one module that was bundled before; `null` where it has to be bundled again. */
	async convert(request: BuildRequest, module: ModuleRequest): Promise<BuildResult | null> {
		const bundle = await this.#bundler.convert(tenantOf(request), module);
		return bundle === null ? null : this.#finish(request, bundle);
	}

	async #finish(request: BuildRequest, bundle: Bundle): Promise<BuildResult> {
		if (!bundle.ok) throw new BuildError(bundle.problems);
		this.#checkSize(request, bundle);
		const key = createHash("sha256")
			.update(JSON.stringify([this.toolchain, request.name]))
			.update(bundle.code)
			.update("\0")
			.update(bundle.sourceMap)
			.digest("hex");
		const kept = await this.#store.artifact(key);
		const artifact = kept ?? (await this.#compile(request, bundle, key));
		const saved = kept === null ? this.#store.saveArtifact(artifact, bundle.sourceMap) : Promise.resolve();
		saved.catch(() => undefined); // Whoever goes on with it hears of that.
		return { artifact, inputs: bundle.inputs, cached: kept !== null, saved };
	}

	#checkSize(request: BuildRequest, { code, inputs }: Bundle & { ok: true }): void {
		const bytes = Buffer.byteLength(code);
		if (bytes <= MAX_BUNDLE_BYTES) return;
		const files = inputs.length === 1 ? "one file" : `${inputs.length} files`;
		const mb = (n: number) => `${(n / 2 ** 20).toFixed(1)} MB`;
		throw new BuildError([
			{
				text: `the bundle is ${mb(bytes)}, more than the ${mb(MAX_BUNDLE_BYTES)} that a function may have (${files})`,
				file: nameOf(request),
			},
		]);
	}

	async #compile(request: BuildRequest, bundle: Bundle & { ok: true }, key: string): Promise<Artifact> {
		const code = Buffer.from(bundle.code);
		const { data } = await this.#ask(request, { kind: BuildKind.compile, text: filenameOf(request), data: code });
		return { key, code, codeCache: data };
	}

	/**
	 * Starts once what was built, with what it is to be run with: so that whoever deploys it hears at once where its
	 * top level fails. Whether it does may depend on its variables, so what came of it is kept beside the artifact,
	 * and not in it. Throws BuildError where there is no handler, or where the process that starts it does not
	 * survive that.
	 */
	async tryStart(
		request: BuildRequest,
		{ key, artifact }: { key: string; artifact: () => Promise<Artifact> },
		{ env, bindings, limits }: StartSettings,
	): Promise<StartResult> {
		const { memoryMb, timers, logBytes, startupCpuMs } = limits;
		const image = {
			filename: filenameOf(request),
			tenant: 0,
			env,
			bindings,
			flags: "",
			memoryMb,
			timers,
			logBytes,
			subrequests: 0,
			startupCpuMs,
		};
		const startKey = createHash("sha256")
			.update(JSON.stringify([tenantOf(request), key, image]))
			.digest("hex");
		let result = this.#store.start(startKey);
		if (result === null) {
			const { code, codeCache } = await artifact();
			const message = writeImage({ ...image, code, codeCache });
			const { text } = await this.#ask(request, { kind: BuildKind.start, ...message });
			result = readStartResult(text);
			await this.#store.saveStart(startKey, result);
		}
		const { failure } = result;
		if (failure?.message.startsWith("no handler found: ")) throw new BuildError([noHandler(request, failure.message)]);
		return result;
	}

	async #ask(request: BuildRequest, message: Partial<BuildMessage> & { kind: number }): Promise<BuildMessage> {
		try {
			return await this.#pool.run(tenantOf(request), (process: BuildProcess) => process.ask(message));
		} catch (error) {
			if (!(error instanceof BuildProcessError)) throw error;
			throw new BuildError([
				{
					text: `the function could not be compiled and started: ${error.message}`,
					file: nameOf(request),
				},
			]);
		}
	}

	async close(): Promise<void> {
		await Promise.all([this.#bundler.close(), this.#pool.close()]);
	}
}

const filenameOf = ({ name }: BuildRequest) => `${name}.js`;
const tenantOf = ({ tenant, name }: BuildRequest) => (tenant === undefined ? `function ${name}` : `tenant ${tenant}`);

/** The main module as messages name it. */
const nameOf = ({ entry, root = process.cwd() }: BuildRequest) => relative(root, entry);

/** Where the main module lies, and the folder that paths in messages and source maps are relative to, by real paths. */
function placeOf({ entry, root }: BuildRequest): { entry: string; cwd: string } {
	if (root === undefined) return { entry, cwd: process.cwd() };
	const cwd = realpathSync(root);
	const path = relative(root, entry);
	return { entry: path.startsWith("..") || isAbsolute(path) ? entry : join(cwd, path), cwd };
}

function noHandler(request: BuildRequest, why: string): Problem {
	const { entry } = request;
	const file = nameOf(request);
	const typed = [".ts", ".tsx"].includes(extname(entry)) ? "request: Request" : "request";
	return {
		file,
		text: `${why}. Export one from ${basename(entry)}, for example:\n\n  export default {\n    fetch(${typed}) {\n      return new Response("hello");\n    },\n  };`,
	};
}
