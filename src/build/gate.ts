import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { Bytes } from "../units.ts";
import type { Root } from "./root.ts";

/** Bounds of what one build may read: a package's largest file, and a large application with all of its packages. */
const MAX_FILE_BYTES: Bytes = 32 * 1024 * 1024;
const MAX_BYTES: Bytes = 128 * 1024 * 1024;
const MAX_FILES = 20_000;
/** Both are the system's own bounds. */
const MAX_PATH = 4096;
const MAX_LINKS = 40;

/** What lies at a path, by its real path. */
export type Place =
	| { kind: "file" | "folder"; path: string }
	/** Neither a file nor a folder. */
	| { kind: "special"; path: string }
	| { kind: "missing" }
	/**
	 * In none of the root's folders, or behind a link that leads out of them: what is there, if anything, was not
	 * looked at.
	 */
	| { kind: "outside"; byLink: boolean };

/** A file is not to be read, and why. */
export class Refusal extends Error {}

const MISSING: Place = { kind: "missing" };

/**
 * The one way by which a build comes to files. It goes by real paths: links are followed here, step by step, so that
 * nothing outside of the root's folders is even looked at. Only regular files of bounded size are read, each once.
 */
export class Gate {
	readonly root: Root;
	readonly #settings: Set<string>;
	readonly #places = new Map<string, Place>();
	readonly #contents = new Map<string, Buffer>();
	#bytes: Bytes = 0;

	constructor(root: Root) {
		this.root = root;
		this.#settings = new Set(root.settings);
	}

	/** Why a file that lies outside cannot be imported. */
	get outside(): string {
		if (this.root.given) return "lies outside of the files that were given";
		const wider = "--root DIR on the command line, the option root in the library";
		return `lies outside of the function's root, ${this.root.path} (to allow it, name a folder that holds both: ${wider})`;
	}

	/** What lies at an absolute path. */
	locate(path: string, links = 0): Place {
		const known = this.#places.get(path);
		if (known !== undefined) return known;
		if (path.length > MAX_PATH || links > MAX_LINKS) return MISSING;
		const place = this.#locate(path, links);
		this.#places.set(path, place);
		return place;
	}

	#locate(path: string, links: number): Place {
		const [root] = this.root.folders;
		if (this.root.folders.includes(path)) return { kind: "folder", path };
		if (!this.root.folders.some((folder) => isWithin(folder, path))) {
			// The root may have been named by way of a link.
			const { path: named } = this.root;
			if (named !== root && (path === named || isWithin(named, path)))
				return this.locate(join(root, relative(named, path)), links);
			return { kind: "outside", byLink: links > 0 };
		}
		const parent = this.locate(dirname(path), links);
		if (parent.kind === "outside") return parent;
		if (parent.kind !== "folder") return MISSING;
		const real = join(parent.path, basename(path));
		if (real !== path) return this.locate(real, links);
		const entry = entryAt(path);
		if (entry === null) return MISSING;
		if (entry.target !== null) return this.locate(resolve(parent.path, entry.target), links + 1);
		return { kind: entry.kind, path };
	}

	/** Reads a file. Throws Refusal where it must not, or cannot, be read. */
	read(path: string): Buffer {
		const place = this.locate(path);
		if (place.kind === "file") return this.#contentOf(place.path);
		throw new Refusal(
			place.kind === "outside" ? this.outside : place.kind === "missing" ? "does not exist" : "is no regular file",
		);
	}

	/** Reads what says how to build; `null` where there is nothing to go by. */
	readSettings(path: string): string | null {
		if (!this.#settings.has(path) && this.locate(path).kind !== "file") return null;
		try {
			return (this.#settings.has(path) ? this.#contentOf(path) : this.read(path)).toString();
		} catch (error) {
			if (error instanceof Refusal) return null;
			throw error;
		}
	}

	#contentOf(path: string): Buffer {
		let content = this.#contents.get(path);
		if (content === undefined) {
			if (this.#contents.size >= MAX_FILES) throw new Refusal(`is one of more than ${MAX_FILES} files`);
			content = readRegular(path, MAX_BYTES - this.#bytes);
			this.#bytes += content.length;
			this.#contents.set(path, content);
		}
		return content;
	}
}

/** What a folder holds under a name; `null` where it holds nothing, or will not say what. */
function entryAt(path: string): { kind: "file" | "folder" | "special"; target: string | null } | null {
	try {
		const stat = lstatSync(path);
		const target = stat.isSymbolicLink() ? readlinkSync(path) : null;
		return { kind: stat.isFile() ? "file" : stat.isDirectory() ? "folder" : "special", target };
	} catch {
		return null; // Also names that no file can have, and folders that this user may not look into.
	}
}

function isWithin(folder: string, path: string): boolean {
	return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** What is opened is checked, and not what was there when it was looked for. */
function readRegular(path: string, left: Bytes): Buffer {
	const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
	let descriptor: number;
	try {
		descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	} catch (error) {
		throw new Refusal(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
	}
	try {
		const stat = fstatSync(descriptor);
		if (!stat.isFile() || pathOf(descriptor, path) !== path) throw new Refusal("is no regular file");
		const mb = (bytes: Bytes) => `${Math.floor(bytes / 2 ** 20)} MB`;
		if (stat.size > MAX_FILE_BYTES) throw new Refusal(`has more than ${mb(MAX_FILE_BYTES)}`);
		if (stat.size > left) throw new Refusal(`is more than the ${mb(MAX_BYTES)} that a function may be built from`);
		const content = Buffer.alloc(stat.size);
		let length = 0;
		for (let read = -1; read !== 0 && length < content.length; length += read)
			read = readSync(descriptor, content, length, content.length - length, null);
		return content.subarray(0, length);
	} finally {
		closeSync(descriptor);
	}
}

/** Where an open file is now: folders above it may have been exchanged for links meanwhile. */
function pathOf(descriptor: number, path: string): string {
	try {
		return readlinkSync(`/proc/self/fd/${descriptor}`);
	} catch {
		return realpathSync(path); // No /proc: as near as can be.
	}
}
