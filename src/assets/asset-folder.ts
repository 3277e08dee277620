import { constants, type Stats } from "node:fs";
import { lstat, open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { getMimeType } from "hono/utils/mime";
import { UsageError } from "../errors.ts";
import type { Bytes } from "../units.ts";
import { MOST_FILE_BYTES, MOST_FILES } from "./asset-config.ts";
import { IgnoreRules } from "./ignore-rules.ts";

const IGNORE = ".assetsignore";
const HEADERS = "_headers";
const REDIRECTS = "_redirects";
/** What other platforms run, and no file to be shown. */
const WORKER = "_worker.js";
const MOST_RULES: Bytes = 2 ** 18;

/** A file that is to be served, as it lies on the disk. */
export interface AssetFile {
	/** As `/docs/index.html`. */
	path: string;
	/** Where it lies, by its real path. */
	file: string;
	size: Bytes;
	/** Its media type; empty where none is known. */
	type: string;
}

/** A folder of a site: what is to be served of it, and how its own files say that. */
export interface AssetFolder {
	files: AssetFile[];
	/** The text of `_headers`, and of `_redirects`. */
	_headers: string;
	_redirects: string;
}

/**
 * The files of a folder, but for those that its `.assetsignore` leaves out, in the order of their paths. Rejects with
 * UsageError that names what cannot be served, and whatever leads out of the folder.
 */
export async function readAssetFolder(directory: string): Promise<AssetFolder> {
	if (!(await about(directory))?.isDirectory())
		throw new UsageError(`${shown(directory)}: there is no such folder of assets`, "source_not_found");
	const root = await realpath(directory);
	const rules = await rulesIn(root, IGNORE);
	const ignored = new IgnoreRules(`/${IGNORE}\n/${HEADERS}\n/${REDIRECTS}\n${rules ?? ""}`);
	if (rules === null && (await about(join(root, WORKER))) !== null)
		throw new UsageError(
			`${shown(join(directory, WORKER))}: anybody could read it: name it in ${IGNORE}, or make an empty one if that is meant`,
		);
	const files: AssetFile[] = [];
	const look = async (folder: string): Promise<void> => {
		for (const name of (await readdir(join(root, folder))).sort()) {
			const path = folder === "" ? name : `${folder}/${name}`;
			const entry = await about(join(root, path));
			if (ignored.ignores(path, entry?.isDirectory() ?? false)) continue;
			const refuse = (why: string) =>
				new UsageError(`${shown(join(directory, path))}: ${why}, or name it in ${IGNORE}`);
			if (entry === null) throw refuse("it is a link that leads nowhere: remove it");
			const file = await realpath(join(root, path));
			if (!file.startsWith(root + sep)) throw refuse("it leads out of the folder of assets: put a copy in its place");
			if (entry.isDirectory()) {
				// One that is linked is served where it is, as wrangler has it.
				if (file === join(root, path)) await look(path);
				continue;
			}
			if (!entry.isFile()) throw refuse("it is no file: remove it");
			if (entry.size > MOST_FILE_BYTES)
				throw refuse(`it has more than ${MOST_FILE_BYTES / 2 ** 20} MB: make it smaller`);
			if (files.length === MOST_FILES)
				throw new UsageError(`${shown(directory)}: there are more than ${MOST_FILES} files of assets in it`);
			files.push({ path: `/${path}`, file, size: entry.size, type: getMimeType(name) ?? "" });
		}
	};
	await look("");
	const _headers = (await rulesIn(root, HEADERS)) ?? "";
	return { files, _headers, _redirects: (await rulesIn(root, REDIRECTS)) ?? "" };
}

/** What a path leads to, or with `lstat` what is there; `null` for nothing. */
async function about(path: string, look = stat): Promise<Stats | null> {
	try {
		return await look(path);
	} catch (error) {
		if (["ENOENT", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
		throw error;
	}
}

/** The text of a file of rules, which belongs to the folder; `null` where there is none. */
async function rulesIn(root: string, name: string): Promise<string | null> {
	const path = join(root, name);
	const entry = await about(path, lstat);
	if (entry === null) return null;
	if (!entry.isFile() || entry.size > MOST_RULES)
		throw new UsageError(`${shown(path)}: it must be a file of ${MOST_RULES / 1024} KB at most, and no link`);
	return readFile(path, "utf8");
}

/** The bytes of a file as they are now. Rejects with UsageError where it is no file of a site any more. */
export async function readAsset({ file, path }: AssetFile): Promise<Buffer> {
	const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
	await using handle = await open(file, flags).catch((error: Error) => {
		throw new UsageError(`the file ${path} of the assets cannot be read: ${error.message}`);
	});
	const entry = await handle.stat();
	if (!entry.isFile() || entry.size > MOST_FILE_BYTES)
		throw new UsageError(`the file ${path} of the assets has been replaced meanwhile`);
	return handle.readFile();
}

const shown = (path: string) => relative(process.cwd(), path) || ".";
