import { lstatSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, parse } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

/**
 * All that a build may see of the file system, by real paths. It is worked out by the edge, before anything hostile
 * has been read.
 */
export interface Root {
	/** The folder as it was named, for messages. */
	path: string;
	/** The folders whose files may be bundled: the root itself, then those of packages. */
	folders: string[];
	/** Files above the root that are read for how to build, and cannot be bundled. */
	settings: string[];
	/** Whether what lies in it was given for this build, so that nobody can name a wider one. */
	given: boolean;
	/**
	 * Whether it was bundled before, where its packages were: what packages are is not known any more, and all of it
	 * is taken for theirs.
	 */
	bundled: boolean;
	/** Whether Node's globals are on the global object, as the compatibility flag `nodejs_compat` has them. */
	nodeGlobals: boolean;
}

export interface RootOptions {
	packages?: boolean | undefined;
	given?: boolean;
	bundled?: boolean;
	nodeGlobals?: boolean;
}

/** How packages and TypeScript are set up for all that lies below. */
const SETTINGS = ["package.json", "tsconfig.json"];

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
const isOwnFile = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

function above(folder: string): string[] {
	const parent = dirname(folder);
	return parent === folder ? [] : [parent, ...above(parent)];
}

/**
 * The folders of packages that modules in a folder can import from, but for its own. Where one is a link, it is to
 * such a folder.
 */
function packagesAbove(folder: string): string[] {
	return above(folder)
		.map((parent) => join(parent, "node_modules"))
		.filter(isFolder)
		.map((packages) => realpathSync(packages))
		.filter((packages) => basename(packages) === "node_modules");
}

/**
 * The folder that a function is to be bundled from, with what belongs to it. Whoever wrote the function may have put
 * links into it, but not above it. Without `packages` those that lie above it are none of it.
 */
export function rootAt(
	path: string,
	{ packages = true, given = false, bundled = false, nodeGlobals = false }: RootOptions = {},
): Root {
	const root = realpathSync(path);
	return {
		path,
		// The last two are for what stands in for Node's modules.
		folders: [root, ...(packages ? packagesAbove(root) : []), join(here, "../compat"), ...packagesAbove(here)],
		settings: above(root).flatMap((parent) => SETTINGS.map((name) => join(parent, name)).filter(isOwnFile)),
		given,
		bundled,
		nodeGlobals,
	};
}

/** For sources that are trusted: they may be bundled from anywhere. */
export function everywhere(): Root {
	const { root } = parse(here);
	return { path: root, folders: [root], settings: [], given: false, bundled: false, nodeGlobals: false };
}
