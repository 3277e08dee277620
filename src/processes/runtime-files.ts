import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Entry, SOURCES, scriptOf } from "./script.ts";

/** Files and folders that a process reads. */
export interface RuntimeFiles {
	files: string[];
	folders: string[];
}

const here = fileURLToPath(import.meta.url);

function packageFolder(name: string, from: string): string {
	const entry = createRequire(from).resolve(name);
	const folder = join("/node_modules", name);
	return entry.slice(0, entry.lastIndexOf(`${folder}/`) + folder.length);
}

/** What the script of an entry needs: itself, and isolated-vm. */
export function scriptFiles(entry: Entry): RuntimeFiles {
	const { path, bundled } = scriptOf(entry);
	const ivm = packageFolder("isolated-vm", here);
	const folders = [ivm, packageFolder("node-gyp-build", join(ivm, "package.json"))];
	if (!bundled)
		folders.push(SOURCES, ...["lru-cache", "@exodus/bytes", "zod"].map((name) => packageFolder(name, here)));
	// node-gyp-build looks for the last of these to tell Alpine's libc from others.
	return { files: [path, join(dirname(SOURCES), "package.json"), "/etc/alpine-release"], folders };
}

/**
 * The bundler's script, and what that needs: the modules beside it, and every folder of packages that they can import
 * from.
 */
export function bundlerFiles(): { path: string; reads: string[] } {
	const path = join(SOURCES, `build/bundler${extname(here)}`);
	return { path, reads: [SOURCES, join(dirname(SOURCES), "package.json"), ...packageFoldersAbove(path)] };
}

function packageFoldersAbove(path: string): string[] {
	const above = dirname(path);
	if (above === path) return [];
	const packages = join(above, "node_modules");
	return [...(existsSync(packages) ? [packages] : []), ...packageFoldersAbove(above)];
}

let libraries: string[] | null = null;

/**
 * What Node itself is loaded from: its binary, its libraries, which are those of this process, and where libc finds
 * them.
 */
export function nodeFiles(): string[] {
	libraries ??= sharedObjects().filter((path) => path.startsWith("/") && !path.endsWith(".node"));
	return [process.execPath, ...libraries, "/etc/ld.so.cache"];
}

function sharedObjects(): string[] {
	const report = process.report as typeof process.report & { excludeNetwork: boolean };
	const { excludeNetwork } = report;
	report.excludeNetwork = true; // Else it asks for the names of all peers.
	try {
		return (report.getReport() as { sharedObjects: string[] }).sharedObjects;
	} finally {
		report.excludeNetwork = excludeNetwork;
	}
}
