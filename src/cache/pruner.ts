import { lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes, Milliseconds } from "../units.ts";
import { type ArtifactStore, MARK_MS, type MarkedKind } from "./artifact-store.ts";

/** What was used so recently is kept: another server on the same folder may use it too. */
const KEPT_MS: Milliseconds = 3600_000;
/** Such a share of the room is made free at a time, and may be written before it is looked again. */
const SHARE = 1 / 10;

/** The least that a file takes on disk. */
const BLOCK_BYTES: Bytes = 4096;

/**
 * An artifact with its source map and the files that were given for it, what came of a start, a file of a site, or a
 * snapshot; or what somebody who was killed had begun to write of one.
 */
const FILE = /^([0-9a-f]+)\.(artifact|map|given|start|asset|snapshot)(\.[0-9a-f]{12})?$/;

export interface PrunerSettings {
	/** How much the folder may hold. */
	maxBytes: Bytes;
	/** The keys of artifacts and files in service, which are kept however long ago they were read. */
	deployed: () => ReadonlySet<string> | Promise<ReadonlySet<string>>;
	/** Told of what was removed. */
	onPruned: (removed: { files: number; bytes: Bytes }) => void;
	/** Told of a folder that cannot be looked through. */
	onFailed: (error: Error) => void;
}

/** Files that go together. */
interface Entry {
	/** `null` for a draft, which nobody reads. */
	key: string | null;
	/** By which it is marked as used. */
	mark: MarkedKind;
	/** An artifact comes before its source map, which is of no use to anybody without it. */
	files: { name: string; bytes: Bytes }[];
	usedAt: number;
	isLeftover: boolean;
}

/**
 * Keeps a store within a bound: what was used least recently goes first. Drafts that were never finished, and snapshots
 * of other toolchains, go once they are an hour old. What is in service is marked as used, so that servers beside keep
 * it. Works in the background, one file after the other.
 */
export class Pruner {
	readonly #store: ArtifactStore;
	readonly #settings: PrunerSettings;
	/** Written since the folder was last looked through. */
	#written: Bytes = 0;
	#running: Promise<void> | null = null;
	#closed = false;
	readonly #timer: NodeJS.Timeout;

	constructor(store: ArtifactStore, settings: PrunerSettings) {
		this.#store = store;
		this.#settings = settings;
		this.#timer = setInterval(() => void this.run(), MARK_MS).unref();
		store.onWritten = (bytes) => {
			this.#written += bytes;
			if (this.#written >= settings.maxBytes * SHARE) void this.run();
		};
	}

	/** Looks through the folder, unless it does already. Resolves once that is over; never rejects. */
	async run(): Promise<void> {
		if (this.#closed) return;
		this.#running ??= this.#prune()
			.catch(this.#settings.onFailed)
			.finally(() => {
				this.#running = null;
			});
		await this.#running;
	}

	async #prune(): Promise<void> {
		this.#written = 0;
		const entries = await this.#entries();
		const deployed = await this.#settings.deployed();
		for (const { key, mark } of entries) if (key !== null && deployed.has(key)) await this.#store.use(key, mark);
		let held = 0;
		for (const { files } of entries) for (const { bytes } of files) held += bytes;
		const most = this.#settings.maxBytes * (1 - SHARE);
		const removed = { files: 0, bytes: 0 };
		for (const entry of entries.sort((a, b) => a.usedAt - b.usedAt)) {
			if (!entry.isLeftover && held <= most) continue;
			for (const { name, bytes } of entry.files) {
				if (this.#closed || this.#isInUse(entry, deployed)) break;
				await rm(join(this.#store.folder, name), { force: true });
				removed.files++;
				removed.bytes += bytes;
				held -= bytes;
			}
		}
		if (removed.files > 0 && !this.#closed) this.#settings.onPruned(removed);
	}

	/** It may have come into use since it was looked at. */
	#isInUse({ key, usedAt }: Entry, deployed: ReadonlySet<string>): boolean {
		const lastUsed = key === null ? usedAt : Math.max(usedAt, this.#store.usedAt(key));
		if (Date.now() - lastUsed < KEPT_MS) return true;
		return key !== null && (this.#store.snapshotInUse === key || deployed.has(key));
	}

	async #entries(): Promise<Entry[]> {
		const entries = new Map<string, Entry>();
		for (const name of (await readdir(this.#store.folder)).sort()) {
			const [, key, kind, draft] = FILE.exec(name) ?? [];
			if (key === undefined || this.#closed) continue;
			const stat = await lstat(join(this.#store.folder, name)).catch(() => null); // Removed meanwhile.
			if (stat === null || !stat.isFile()) continue;
			const isLeftover = draft !== undefined || kind === "snapshot";
			const id = isLeftover ? name : key;
			const mark = kind === "asset" ? "asset" : "artifact";
			const own = { key: draft === undefined ? key : null, mark, isLeftover } as const;
			const entry = entries.get(id) ?? { ...own, files: [], usedAt: 0 };
			entries.set(id, entry);
			entry.files.push({ name, bytes: Math.max(stat.size, BLOCK_BYTES) });
			entry.usedAt = Math.max(entry.usedAt, stat.mtimeMs);
		}
		return [...entries.values()];
	}

	/** Resolves once nothing is looked at any more. */
	async close(): Promise<void> {
		this.#closed = true;
		clearInterval(this.#timer);
		await this.#running;
	}
}
