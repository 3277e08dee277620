import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Whether this is a checkout, which runs from its source, or a package, in which everything is made beforehand. */
export const IS_CHECKOUT = import.meta.url.endsWith(".ts");

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FOLDER = join(ROOT, "node_modules/.cache/atoll");
/** What was made of older sources stays for so long: a server that still runs by them starts its sandboxes from it. */
const KEPT_MS = 7 * 24 * 3600_000;
/** What it means that a file cannot be kept in a checkout that belongs to somebody else. */
const READ_ONLY = ["EACCES", "EPERM", "EROFS"];

/**
 * What a checkout has made of its source, kept until that changes: it would take a second at every start, and in
 * every file of tests.
 */
export class Kept {
	/** Where it is, if it is kept. */
	readonly path: string;

	constructor(name: string, extension: string) {
		hash ??= sourceHash();
		this.path = join(FOLDER, `${name}-${hash}${extension}`);
	}

	get exists(): boolean {
		return existsSync(this.path);
	}

	/** Keeps it. Returns whether it could be. */
	write(content: string): boolean {
		try {
			mkdirSync(FOLDER, { recursive: true });
			for (const file of readdirSync(FOLDER, { withFileTypes: true })) {
				const path = join(FOLDER, file.name);
				// Another process may have renamed it meanwhile.
				const { mtimeMs = Number.POSITIVE_INFINITY } = statSync(path, { throwIfNoEntry: false }) ?? {};
				if (file.isFile() && Date.now() - mtimeMs > KEPT_MS) rmSync(path, { force: true });
			}
			const beside = `${this.path}.${process.pid}.tmp`;
			writeFileSync(beside, content);
			renameSync(beside, this.path);
			return true;
		} catch (error) {
			if (READ_ONLY.includes((error as NodeJS.ErrnoException).code ?? "")) return false;
			throw error;
		}
	}
}

let hash: string | null = null;

/** Of all sources, whichever of them it is made from, and of the packages. */
function sourceHash(): string {
	const sum = createHash("sha256");
	const sources = readdirSync(join(ROOT, "src"), { recursive: true, withFileTypes: true })
		.filter((file) => file.isFile())
		.map((file) => join(file.parentPath, file.name));
	for (const path of [...sources.sort(), join(ROOT, "package-lock.json")])
		sum.update(path).update("\0").update(readFileSync(path)).update("\0");
	return sum.digest("hex").slice(0, 16);
}
