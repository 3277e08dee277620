import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { type Artifact, decodeArtifact, encodeArtifact } from "./artifact.ts";

/** Artifacts and base snapshots on disk, by what they were made from. What does not check out is as good as absent. */
export class ArtifactStore {
	readonly #folder: string;

	private constructor(folder: string) {
		this.#folder = folder;
	}

	/** Opens the store in a data folder, which is made where it is missing. Throws UsageError if that cannot be. */
	static async open(data: string): Promise<ArtifactStore> {
		const folder = join(data, "artifacts");
		try {
			await mkdir(folder, { recursive: true });
		} catch (error) {
			throw new UsageError(`the data folder ${data} cannot be made: ${(error as Error).message}`);
		}
		return new ArtifactStore(folder);
	}

	async artifact(key: string): Promise<Artifact | null> {
		const bytes = await this.#read(`${key}.artifact`);
		return bytes === null ? null : decodeArtifact(bytes, key);
	}

	async saveArtifact(artifact: Artifact): Promise<void> {
		await this.#write(`${artifact.key}.artifact`, encodeArtifact(artifact));
	}

	/** The base snapshot that a toolchain made. */
	async snapshot(toolchain: string): Promise<Uint8Array | null> {
		const bytes = await this.#read(`${toolchain}.snapshot`);
		if (bytes === null || bytes.length <= 32) return null;
		const rest = bytes.subarray(32);
		return createHash("sha256").update(rest).digest().equals(bytes.subarray(0, 32)) ? rest : null;
	}

	async saveSnapshot(toolchain: string, snapshot: Uint8Array): Promise<void> {
		await this.#write(
			`${toolchain}.snapshot`,
			Buffer.concat([createHash("sha256").update(snapshot).digest(), snapshot]),
		);
	}

	async #read(name: string): Promise<Buffer | null> {
		try {
			return await readFile(join(this.#folder, name));
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
			throw error;
		}
	}

	/** Writes beside the place and renames, so that a reader sees all of it or nothing. */
	async #write(name: string, bytes: Buffer): Promise<void> {
		const path = join(this.#folder, name);
		const draft = `${path}.${randomBytes(6).toString("hex")}`;
		try {
			await writeFile(draft, bytes);
			await rename(draft, path);
		} catch (error) {
			await rm(draft, { force: true });
			throw error;
		}
	}
}
