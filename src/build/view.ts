import { realpathSync, statSync } from "node:fs";
import { sep } from "node:path";
import { UsageError } from "../errors.ts";
import { rootAt } from "./root.ts";

/** What a bundler is shown of the machine beside the runtime: files and folders to read. */
export interface View {
	reads: string[];
	/** Tells it from one of which a folder or file has been replaced meanwhile. */
	key: string;
}

/** For sources that may lie anywhere. */
const EVERYTHING: View = { reads: ["/"], key: "/" };
/** That esbuild is started with. */
const SHELL = "/bin/sh";

/** All that belongs to roots in these folders, as it is now; everything where they are `null`. */
export function viewOf(folders: readonly string[] | null): View {
	if (folders === null) return EVERYTHING;
	const all = folders.filter(isThere).flatMap((folder) => {
		const root = rootAt(folder);
		return [...root.folders, ...root.settings];
	});
	const reads = [...new Set(all)].sort();
	if (reads.includes(sep)) return EVERYTHING;
	const key = reads.map((path) => `${path} ${statSync(path, { throwIfNoEntry: false })?.ino}`).join("\n");
	return { reads: [...reads, SHELL], key };
}

/** Those of some folders, by real paths, that lie in no other of them. Throws UsageError for one that is not there. */
export function outermost(folders: readonly string[]): string[] {
	const missing = folders.find((folder) => !statSync(folder, { throwIfNoEntry: false })?.isDirectory());
	if (missing !== undefined)
		throw new UsageError(`${missing}: there is no such folder to build functions from`, "source_not_found");
	const real = [...new Set(folders.map((folder) => realpathSync(folder)))].sort();
	const kept: string[] = [];
	// A folder comes before all that lies in it.
	for (const folder of real) if (!kept.some((other) => holds(other, folder))) kept.push(folder);
	return kept;
}

/** Whether a folder is another or holds it, both by real paths. */
export function holds(folder: string, other: string): boolean {
	return other === folder || other.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

const isThere = (path: string) => statSync(path, { throwIfNoEntry: false }) !== undefined;
