import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Whether this is a checkout, which runs from its source, or a package, in which everything is made beforehand. */
export const IS_CHECKOUT = import.meta.url.endsWith(".ts");

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FOLDER = join(ROOT, "node_modules/.cache/atoll");
/** What it means that a file cannot be kept in a checkout that belongs to somebody else. */
const READ_ONLY = ["EACCES", "EPERM", "EROFS"];

/**
 * What a checkout has made of its source, kept until that changes: it would take a second at every start, and in every file of tests.
 */
export class Kept {
	readonly #name: string;
	readonly #extension: string;
	/** Where it is, if it is kept. */
	readonly path: string;

	/** `folders`, of `src/`, hold all that it is made from, and what makes it. */
	constructor(name: string, extension: string, folders: string[]) {
		this.#name = name;
		this.#extension = extension;
		this.path = join(FOLDER, `${name}-${hashOf(folders)}${extension}`);
	}

	/** `null` if it is not kept. */
	read(): string | null {
		try {
			return readFileSync(this.path, "utf8");
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
			throw error;
		}
	}

	/** Keeps it, in the place of what was made of an older source. Returns whether it could be. */
	write(content: string): boolean {
		try {
			mkdirSync(FOLDER, { recursive: true });
			const beside = join(FOLDER, `${this.#name}-${process.pid}.tmp`);
			writeFileSync(beside, content);
			for (const file of readdirSync(FOLDER))
				if (file.startsWith(`${this.#name}-`) && file.endsWith(this.#extension))
					rmSync(join(FOLDER, file), { force: true });
			renameSync(beside, this.path);
			return true;
		} catch (error) {
			if (READ_ONLY.includes((error as NodeJS.ErrnoException).code ?? "")) return false;
			throw error;
		}
	}
}

function hashOf(folders: string[]): string {
	const hash = createHash("sha256");
	const sources = folders.flatMap((folder) =>
		readdirSync(join(ROOT, "src", folder), { recursive: true, withFileTypes: true })
			.filter((file) => file.isFile())
			.map((file) => join(file.parentPath, file.name)),
	);
	for (const path of [...sources.sort(), join(ROOT, "package-lock.json")])
		hash.update(path).update("\0").update(readFileSync(path)).update("\0");
	return hash.digest("hex").slice(0, 16);
}
