import { existsSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/** The folders of packages that modules in a folder can import from, but for its own. */
function packagesAbove(folder: string): string[] {
	const above = dirname(folder);
	if (above === folder) return [];
	const packages = join(above, "node_modules");
	return [...(existsSync(packages) ? [realpathSync(packages)] : []), ...packagesAbove(above)];
}

/** The folder that a function is to be bundled from. Whoever wrote the function may have put links into it, but not above it. */
export class Root {
	readonly path: string;
	readonly #folders: string[];

	constructor(path: string) {
		this.path = path;
		const root = realpathSync(path);
		// The last two are for what stands in for Node's modules.
		this.#folders = [root, ...packagesAbove(root), join(here, "compat"), ...packagesAbove(here)];
	}

	/** Whether a file, by its real path, is in there or in a package that can be imported from there. */
	holds(file: string): boolean {
		return this.#folders.some((folder) => file.startsWith(folder.endsWith(sep) ? folder : folder + sep));
	}
}
