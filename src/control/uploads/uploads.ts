import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import type { Milliseconds } from "../../units.ts";

/** What versions were uploaded as: files by the hash of what is in them, each whole or not there. */
export class Uploads {
	readonly #folder: string;

	private constructor(folder: string) {
		this.#folder = folder;
	}

	/** Opens the folder, which is made where it is missing. What was begun and never finished is removed. */
	static async open(data: string): Promise<Uploads> {
		const folder = join(data, "uploads");
		await mkdir(folder, { recursive: true });
		for (const name of await readdir(folder)) if (name.includes(".")) await rm(join(folder, name), { force: true });
		return new Uploads(folder);
	}

	/** Keeps bytes, on the disk before it resolves, and gives the name to read them by. */
	async save(bytes: Uint8Array): Promise<string> {
		const name = createHash("sha256").update(bytes).digest("hex");
		const path = join(this.#folder, name);
		const draft = `${path}.${randomBytes(6).toString("hex")}`;
		try {
			await using file = await open(draft, "wx");
			await file.writeFile(bytes);
			await file.sync();
			await rename(draft, path);
		} catch (error) {
			await rm(draft, { force: true });
			throw error;
		}
		await using folder = await open(this.#folder);
		await folder.sync();
		return name;
	}

	/** Rejects where it is missing or damaged. */
	async read(name: string): Promise<Buffer> {
		const bytes = await readFile(join(this.#folder, name));
		if (createHash("sha256").update(bytes).digest("hex") !== name) throw new Error(`the upload ${name} is damaged`);
		return bytes;
	}

	/** Has one that somebody is about to need count as written now. Rejects where it is missing. */
	async use(name: string): Promise<void> {
		const now = new Date();
		await utimes(join(this.#folder, name), now, now);
	}

	/** The names of those that were written, or used, longer ago. */
	async stale(ms: Milliseconds): Promise<Set<string>> {
		const names = new Set<string>();
		for (const name of await readdir(this.#folder)) if (await this.#isStale(name, ms)) names.add(name);
		return names;
	}

	async #isStale(name: string, ms: Milliseconds): Promise<boolean> {
		const about = await stat(join(this.#folder, name)).catch(() => null); // Removed meanwhile.
		return about !== null && Date.now() - about.mtimeMs > ms;
	}

	/** Removes one, unless it was used meanwhile. Tells whether it has. */
	async removeStale(name: string, ms: Milliseconds): Promise<boolean> {
		if (!(await this.#isStale(name, ms))) return false;
		await rm(join(this.#folder, name), { force: true });
		return true;
	}
}
