import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, open, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import type { StartResult } from "../link/build-frames.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { type Artifact, decodeArtifact, encodeArtifact } from "./artifact.ts";

const CHECKSUM_BYTES = 32;

/** An artifact in use is marked so on disk this often at most; by that it is told from those that may go. */
export const MARK_MS: Milliseconds = 1200_000;

function checksum(content: Uint8Array): Buffer {
	return createHash("sha256").update(content).digest();
}

/** What is marked as used: an artifact, for itself and its source map, what came of a start, and a file of a site. */
export type MarkedKind = "artifact" | "start" | "asset";

/**
 * Artifacts and base snapshots on disk, by what they were made from, and what came of artifacts' starts. Each file
 * begins with the SHA-256 of the rest; one that does not check out is as good as absent. Files of sites are beside them
 * as they are: they have their SHA-256 for a name.
 */
export class ArtifactStore {
	readonly folder: string;
	/** Hears how much was written. */
	onWritten: (bytes: Bytes) => void = () => undefined;
	/** The toolchain whose snapshot this process was started with. */
	snapshotInUse: string | null = null;
	/** When this process marked what has a key as used. */
	readonly #marked = new Map<string, number>();
	/** Artifacts that are being written, by their keys. */
	readonly #unwritten = new Map<string, Artifact>();

	private constructor(folder: string) {
		this.folder = folder;
	}

	/** Opens the store in a data folder, which is made where it is missing. Throws UsageError if that cannot be. */
	static async open(data: string): Promise<ArtifactStore> {
		const folder = join(data, "artifacts");
		try {
			await mkdir(folder, { recursive: true });
		} catch (error) {
			throw new UsageError(`the data folder ${data} cannot be made: ${(error as Error).message}`, "data_unusable");
		}
		return new ArtifactStore(folder);
	}

	/** `null` where it is missing or no longer whole. */
	async artifact(key: string): Promise<Artifact | null> {
		const unwritten = this.#unwritten.get(key);
		if (unwritten !== undefined) return unwritten;
		const bytes = this.#read(`${key}.artifact`);
		if (bytes !== null) void this.use(key, "artifact");
		return bytes === null ? null : decodeArtifact(bytes, key);
	}

	/**
	 * The source map that belongs to an artifact, as it is: what is wrong with it is told by whoever reads it, and
	 * harms nobody else. Rejects where it is missing, or larger than `most`.
	 */
	async sourceMap(key: string, most: Bytes): Promise<Buffer> {
		await using file = await open(join(this.folder, `${key}.map`));
		const { size } = await file.stat();
		if (size > most + CHECKSUM_BYTES) throw new Error(`the source map is larger than ${most / 2 ** 20} MB`);
		return (await file.readFile()).subarray(CHECKSUM_BYTES);
	}

	/** About when this process last used what has a key; 0 for never. */
	usedAt(key: string): number {
		return this.#marked.get(key) ?? 0;
	}

	/** Marks what has a key as used, for all servers on this folder. */
	async use(key: string, kind: MarkedKind): Promise<void> {
		const now = Date.now();
		if (now - this.usedAt(key) < MARK_MS) return;
		for (const [other, at] of this.#marked) {
			// In the order of their times.
			if (now - at < MARK_MS) break;
			this.#marked.delete(other);
		}
		this.#marked.set(key, now);
		// In a folder that may only be read nothing is removed either.
		await utimes(join(this.folder, `${key}.${kind}`), now / 1000, now / 1000).catch(() => undefined);
	}

	async saveArtifact(artifact: Artifact, sourceMap: string): Promise<void> {
		this.#marked.delete(artifact.key);
		this.#marked.set(artifact.key, Date.now());
		this.#unwritten.set(artifact.key, artifact);
		try {
			await this.#writeSummed(`${artifact.key}.map`, Buffer.from(sourceMap));
			await this.#writeSummed(`${artifact.key}.artifact`, encodeArtifact(artifact));
		} finally {
			this.#unwritten.delete(artifact.key);
		}
	}

	/** What came of a start, by all that it depends on; `null` where that is not known, or no longer whole. */
	start(key: string): StartResult | null {
		const bytes = this.#read(`${key}.start`);
		if (bytes !== null) void this.use(key, "start");
		return bytes === null ? null : (JSON.parse(bytes.toString()) as StartResult);
	}

	async saveStart(key: string, result: StartResult): Promise<void> {
		await this.#writeSummed(`${key}.start`, Buffer.from(JSON.stringify(result)));
	}

	/** The files that an artifact was built from, where they were given; `null` where they are missing or not whole. */
	given(key: string): Uint8Array | null {
		return this.#read(`${key}.given`);
	}

	async saveGiven(key: string, files: Uint8Array): Promise<void> {
		await this.#writeSummed(`${key}.given`, files);
	}

	/** Keeps a file of a site, and gives its key. */
	async saveAsset(content: Uint8Array): Promise<string> {
		const key = checksum(content).toString("hex");
		const name = `${key}.asset`;
		const about = await stat(join(this.folder, name)).catch(() => null);
		if (about?.size === content.byteLength) await this.use(key, "asset");
		else await this.#write(name, [content]);
		return key;
	}

	/** The base snapshot that a toolchain made. */
	snapshot(toolchain: string): Uint8Array | null {
		this.snapshotInUse = toolchain;
		return this.#read(`${toolchain}.snapshot`);
	}

	async saveSnapshot(toolchain: string, snapshot: Uint8Array): Promise<void> {
		await this.#writeSummed(`${toolchain}.snapshot`, snapshot);
	}

	/**
	 * Reads a file and checks its sum. Synchronously: a cold start waits for it, the file is as a rule in the page
	 * cache, and the thread pool's four round trips would take ten times as long as the read.
	 */
	#read(name: string): Buffer | null {
		let bytes: Buffer;
		try {
			bytes = readFileSync(join(this.folder, name));
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
			throw error;
		}
		const content = bytes.subarray(CHECKSUM_BYTES);
		return bytes.length > CHECKSUM_BYTES && checksum(content).equals(bytes.subarray(0, CHECKSUM_BYTES))
			? content
			: null;
	}

	async #writeSummed(name: string, content: Uint8Array): Promise<void> {
		await this.#write(name, [checksum(content), content]);
	}

	/** Writes beside the place and renames, so that a reader sees all of it or nothing. */
	async #write(name: string, parts: Uint8Array[]): Promise<void> {
		const path = join(this.folder, name);
		const draft = `${path}.${randomBytes(6).toString("hex")}`;
		try {
			const bytes = Buffer.concat(parts);
			await writeFile(draft, bytes);
			await rename(draft, path);
			this.onWritten(bytes.byteLength);
		} catch (error) {
			await rm(draft, { force: true });
			throw error;
		}
	}
}
