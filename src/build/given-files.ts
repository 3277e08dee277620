import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ArtifactStore } from "../cache/artifact-store.ts";
import { UsageError } from "../errors.ts";
import { MOST_MODULE } from "../link/build-frames.ts";
import type { Milliseconds } from "../units.ts";
import type { Builder, BuildRequest, BuildResult } from "./builder.ts";
import type { ModuleRequest } from "./conversion.ts";

/** A function's source where it came as text and not as a path: files by their paths, relative and with slashes. */
export interface GivenFiles {
	main: string;
	files: Readonly<Record<string, string | Uint8Array>>;
	/** Whether they were bundled before, where their packages were. Default: false. */
	bundled?: boolean | undefined;
	/** Whether Node's globals are on the global object. Default: false. */
	nodeGlobals?: boolean | undefined;
}

/** What a process that ended amid a build has left is older than any build. */
const LEFT_OVER_MS: Milliseconds = 3600_000;

/** A build whose source is yet to get a folder. */
export type GivenRequest = Omit<BuildRequest, "entry" | "root" | "given" | "bundled" | "nodeGlobals">;

/**
 * Builds from files that were given. They lie in a folder of their own as long as that takes, and are kept with the
 * artifact.
 */
export class GivenBuilder {
	readonly #builder: Builder;
	readonly #store: ArtifactStore;
	readonly #folder: string;

	private constructor(builder: Builder, store: ArtifactStore, folder: string) {
		this.#builder = builder;
		this.#store = store;
		this.#folder = folder;
	}

	/**
	 * Packages are looked for above `folder`, in which the files' folders lie; it is made when the first is built, and
	 * what was left there is removed.
	 */
	static async create(builder: Builder, store: ArtifactStore, folder: string): Promise<GivenBuilder> {
		const long = Date.now() - LEFT_OVER_MS;
		for (const name of existsSync(folder) ? await readdir(folder) : []) {
			const path = join(folder, name);
			const entry = await stat(path).catch(() => null); // Removed meanwhile, by another server.
			if (entry !== null && entry.mtimeMs < long) await rm(path, { recursive: true, force: true });
		}
		return new GivenBuilder(builder, store, folder);
	}

	/** Throws BuildError with every problem of the source, at paths as they were given. */
	async build(request: GivenRequest, given: GivenFiles): Promise<BuildResult> {
		const module = moduleOf(given);
		const built =
			(module && (await this.#builder.convert({ ...request, entry: given.main }, module))) ??
			(await this.#bundle(request, given));
		const saved = this.#keep(built, given);
		saved.catch(() => undefined); // Whoever goes on with it hears of that.
		return { ...built, saved };
	}

	async #bundle(request: GivenRequest, given: GivenFiles): Promise<BuildResult> {
		// Always as deep, so that paths in source maps, which lead from here to packages, are always the same.
		const folder = join(this.#folder, randomUUID());
		try {
			await write(given, folder);
			const { bundled = false, nodeGlobals = false } = given;
			const from = { entry: join(folder, given.main), root: folder, given: true, bundled, nodeGlobals };
			return await this.#builder.build({ ...request, ...from });
		} finally {
			await rm(folder, { recursive: true, force: true });
		}
	}

	async #keep({ artifact, saved }: BuildResult, given: GivenFiles): Promise<void> {
		await Promise.all([saved, this.#store.saveGiven(artifact.key, encodeFiles(given))]);
	}

	/** Builds again what an artifact was built from. */
	async rebuild(request: GivenRequest, key: string): Promise<BuildResult> {
		const kept = this.#store.given(key);
		if (kept === null)
			throw new Error("the artifact on disk is damaged, and so is its source: deploy the function again");
		return this.build(request, decodeFiles(kept));
	}
}

const SCRIPT = /^[^?%]+\.m?js$/;

/** The one module that files are, where they were bundled before; `null` where it is to be bundled anyway. */
export function moduleOf({ main, files, bundled = false }: GivenFiles): ModuleRequest | null {
	const [[path, content], ...others] = Object.entries(files);
	if (!bundled || others.length > 0 || path !== main || !SCRIPT.test(path)) return null;
	const source = Buffer.from(content);
	return source.byteLength > MOST_MODULE ? null : { path, source };
}

/** What a file system says of paths that cannot all be. */
const IMPOSSIBLE = ["ENAMETOOLONG", "ENOTDIR", "EISDIR", "EEXIST"];

async function write({ files }: GivenFiles, folder: string): Promise<void> {
	for (const [path, content] of Object.entries(files)) {
		const at = join(folder, path);
		try {
			await mkdir(dirname(at), { recursive: true });
			await writeFile(at, content);
		} catch (error) {
			if (!IMPOSSIBLE.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
			throw new UsageError(`deploy: files: ${path} can be no file beside the others, or its name is too long`);
		}
	}
}

/** Given files as bytes, for a file of their own. */
export function encodeFiles({ files, ...rest }: GivenFiles): Uint8Array {
	const base64 = Object.entries(files).map(([path, content]) => [path, Buffer.from(content).toString("base64")]);
	return Buffer.from(JSON.stringify({ ...rest, files: base64 }));
}

export function decodeFiles(bytes: Uint8Array): GivenFiles {
	const kept = JSON.parse(Buffer.from(bytes).toString()) as Omit<GivenFiles, "files"> & { files: [string, string][] };
	return {
		...kept,
		files: Object.fromEntries(kept.files.map(([path, base64]) => [path, Buffer.from(base64, "base64")])),
	};
}
