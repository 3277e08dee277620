import { createHash, type Hash } from "node:crypto";
import {
	closeSync,
	fsyncSync,
	mkdirSync,
	openSync,
	readdirSync,
	renameSync,
	statSync,
	unlink,
	unlinkSync,
	writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes, Milliseconds } from "../units.ts";
import type { ReadSource, Stretch } from "./read-source.ts";
import { Refused } from "./store.ts";

/** One piece of a blob that is read. */
const PIECE: Bytes = 256 * 1024;
/** What is not written on, or read on, for so long is dropped. */
const IDLE_MS: Milliseconds = 120_000;
/** What nobody keeps is left for so long. */
const NEW_MS: Milliseconds = 3600_000;
/** Nothing is removed for so long after somebody has said that there is a backup. */
const HELD_MS: Milliseconds = 600_000;
/** So many may be written, or read, at a time for one tenant. */
const MOST_OPEN = 100;

interface OpenBlob {
	tenant: string;
	usedAt: Milliseconds;
}

interface WrittenBlob extends OpenBlob {
	/** `null` until the file is there. */
	file: FileHandle | null;
	/** With what is being written. */
	size: Bytes;
	hashes: ReadonlyMap<string, Hash>;
	/** All of it is on the disk. */
	finished: boolean;
}

/** What a blob that comes in is bounded by, and which of its hashes are wanted. */
export interface Intake {
	/** How large it may be. */
	most: Bytes;
	/** How much all that comes in of its tenant may be. */
	room: Bytes;
	/** Algorithms of `node:crypto`. */
	hashes: readonly string[];
}

interface Reading extends OpenBlob {
	source: ReadSource;
	/** What of the blob that is being read is left, and its file once it is open. */
	stretch: Stretch | undefined;
	file: FileHandle | null;
}

/** Values that are too large for a database's row: files with names of their own, which are never changed. */
export class Blobs {
	readonly #folder: string;
	readonly #incoming: string;
	readonly #prefix = `${Date.now().toString(36)}-${process.hrtime.bigint().toString(36)}`;
	#count = 0;
	readonly #written = new Map<string, WrittenBlob>();
	readonly #read = new Map<string, Reading>();
	/** Kept by a change that has not been written to the disk yet, and left by one. */
	#kept: string[] = [];
	#left: string[] = [];
	/** What is to be removed once no backup is made any more. */
	#gone: string[] = [];
	/** Says to all processes that have the folder that a backup is made, by when it was written. */
	readonly #hold: string;

	/** Whether what is kept has to be on the disk before it is. */
	readonly #lasting: boolean;

	constructor(folder: string, { lasting }: { lasting: boolean } = { lasting: true }) {
		this.#lasting = lasting;
		this.#hold = join(folder, "hold");
		this.#folder = join(folder, "blobs");
		this.#incoming = join(folder, "incoming");
		for (const each of [this.#folder, this.#incoming]) mkdirSync(each, { recursive: true, mode: 0o700 });
	}

	#next(): string {
		return `${this.#prefix}-${++this.#count}`;
	}

	/**
	 * Writes a piece of a blob that comes in, by its name, which is empty for the first one. Gives the name. The disk is
	 * waited for on another thread. Hashes are made on this one, while it writes: a piece takes 0.4 ms by MD5, less than
	 * the transaction that others wait for anyway, and whoever sends pieces has its turns as for any call.
	 */
	async append(tenant: string, given: string, bytes: Buffer, intake: Intake): Promise<string> {
		const name = given === "" ? this.#begin(tenant, intake.hashes) : given;
		const blob = opened(this.#written, tenant, name);
		const { most, room } = intake;
		if (blob.size + bytes.length > most) {
			this.discard(name);
			throw new Refused(`413 Value length of more than ${most} exceeds limit of ${most}.`);
		}
		if (this.#incomingOf(tenant) + bytes.length > room) {
			this.discard(name);
			throw new Refused("413 what comes in would be more than the tenant may store.");
		}
		const at = blob.size;
		blob.size += bytes.length;
		blob.finished = false;
		blob.usedAt = performance.now();
		try {
			const writing = this.#write(name, blob, bytes, at);
			for (const hash of blob.hashes.values()) hash.update(bytes);
			await writing;
		} catch (error) {
			this.discard(name);
			throw error;
		}
		return name;
	}

	async #write(name: string, blob: WrittenBlob, bytes: Buffer, from: Bytes): Promise<void> {
		blob.file ??= await open(join(this.#incoming, name), "wx", 0o600);
		// It was discarded before there was a file.
		if (this.#written.get(name) !== blob) {
			closeQuietly(blob.file);
			unlink(join(this.#incoming, name), () => undefined);
			throw new Refused("500 the value is there no longer");
		}
		for (let at = 0; at < bytes.length; )
			at += (await blob.file.write(bytes, at, bytes.length - at, from + at)).bytesWritten;
	}

	/** How much comes in of a tenant, and is not kept yet. */
	#incomingOf(tenant: string): Bytes {
		let all = 0;
		for (const one of this.#written.values()) if (one.tenant === tenant) all += one.size;
		return all;
	}

	#begin(tenant: string, hashes: readonly string[]): string {
		this.#expire();
		bounded(this.#written, tenant);
		const name = this.#next();
		this.#written.set(name, {
			...{ tenant, file: null, size: 0, usedAt: performance.now(), finished: false },
			hashes: new Map(hashes.map((algorithm) => [algorithm, createHash(algorithm)])),
		});
		return name;
	}

	/** Has one that came in whole on the disk, while others are asked for. */
	async finish(tenant: string, name: string): Promise<void> {
		const blob = opened(this.#written, tenant, name);
		try {
			if (this.#lasting) await blob.file?.sync();
		} catch (error) {
			// A second attempt would succeed, with nothing on the disk.
			this.discard(name);
			throw error;
		}
		blob.finished = true;
	}

	sizeOf(tenant: string, name: string): Bytes {
		return opened(this.#written, tenant, name).size;
	}

	/** The hashes of one that came in whole, in hexadecimal. To be asked for once. */
	hashesOf(tenant: string, name: string): Record<string, string> {
		const { hashes } = opened(this.#written, tenant, name);
		return Object.fromEntries([...hashes].map(([algorithm, hash]) => [algorithm, hash.copy().digest("hex")]));
	}

	/** One that came in whole is kept from now on, if what keeps it is. */
	keep(tenant: string, name: string): void {
		const { file, finished } = opened(this.#written, tenant, name);
		if (file === null) throw new Refused("500 the value is there no longer");
		this.#written.delete(name);
		try {
			if (!finished && this.#lasting) fsyncSync(file.fd);
		} finally {
			closeQuietly(file);
		}
		renameSync(join(this.#incoming, name), join(this.#folder, name));
		this.#kept.push(name);
	}

	/** One is kept no longer, once what says so is on the disk. Whoever reads it reads on. */
	leave(name: string): void {
		this.#left.push(name);
	}

	/** How far one call's changes reach among those that are not settled. */
	mark(): { kept: number; left: number } {
		return { kept: this.#kept.length, left: this.#left.length };
	}

	/** What was kept and left since then was not, after all. */
	undo({ kept, left }: { kept: number; left: number }): void {
		this.#gone.push(...this.#kept.splice(kept));
		this.#left.length = left;
	}

	/** The changes since the last settlement are on the disk, or were undone. */
	settle(committed: boolean): void {
		this.#gone.push(...(committed ? this.#left : this.#kept));
		this.#left = [];
		this.#kept = [];
		if (this.#gone.length === 0 || this.#isHeld()) return;
		// A large file takes a while, in which others are asked for. What is not removed is swept when a process starts.
		for (const name of this.#gone.splice(0)) unlink(join(this.#folder, name), () => undefined);
	}

	/**
	 * Has no process remove any for some minutes: whoever makes a backup says so before the database is copied, and again
	 * as long as it reads what that names.
	 */
	hold(): void {
		writeFileSync(this.#hold, new Date().toISOString(), { mode: 0o600 });
	}

	#isHeld(): boolean {
		const held = statSync(this.#hold, { throwIfNoEntry: false });
		return held !== undefined && held.mtimeMs > Date.now() - HELD_MS;
	}

	/** Has the kept blobs' names on the disk; to be called before the change that names them is committed. */
	sync(): void {
		if (this.#kept.length === 0 || !this.#lasting) return;
		const descriptor = openSync(this.#folder, "r");
		try {
			fsyncSync(descriptor);
		} finally {
			closeSync(descriptor);
		}
	}

	/** Whether one that was kept is there, and is so large. */
	has(name: string, size: Bytes): boolean {
		return statSync(join(this.#folder, name), { throwIfNoEntry: false })?.size === size;
	}

	/** Begins to read blobs piece by piece. Gives what that is done by. */
	read(tenant: string, source: ReadSource): string {
		this.#expire();
		bounded(this.#read, tenant);
		const reading = this.#next();
		this.#read.set(reading, { tenant, source, stretch: source.next(), file: null, usedAt: performance.now() });
		return reading;
	}

	/** The next piece of what is read; none at its end, where it is closed. */
	async piece(tenant: string, reading: string): Promise<Buffer> {
		const one = opened(this.#read, tenant, reading);
		one.usedAt = performance.now();
		const { stretch } = one;
		if (stretch === undefined) {
			this.close(reading);
			return Buffer.alloc(0);
		}
		try {
			const bytes = "bytes" in stretch ? stretch.bytes : await this.#readOn(reading, one, stretch);
			if (this.#read.get(reading) === one && ("bytes" in stretch || stretch.from >= stretch.to))
				this.#nextOf(reading, one);
			return bytes;
		} catch (error) {
			this.close(reading);
			throw error;
		}
	}

	async #readOn(reading: string, one: Reading, blob: Exclude<Stretch, { bytes: Buffer }>): Promise<Buffer> {
		one.file ??= await open(join(this.#folder, blob.name), "r");
		if (this.#read.get(reading) !== one) {
			closeQuietly(one.file);
			throw new Refused("500 the value is there no longer");
		}
		const bytes = Buffer.allocUnsafe(Math.min(PIECE, blob.to - blob.from));
		const { bytesRead } = await one.file.read(bytes, 0, bytes.length, blob.from);
		blob.from += bytesRead;
		if (bytesRead === 0) throw new Refused("500 the value is not whole");
		return bytes.subarray(0, bytesRead);
	}

	/** Goes on with the blob after one that was read to its end. */
	#nextOf(reading: string, one: Reading): void {
		closeQuietly(one.file);
		one.file = null;
		one.stretch = one.source.next();
		if (one.stretch === undefined) this.close(reading);
	}

	/** Nobody reads it any more. */
	close(reading: string): void {
		const one = this.#read.get(reading);
		if (one === undefined) return;
		this.#read.delete(reading);
		closeQuietly(one.file);
		one.source.close?.();
	}

	/** What came in of one is not kept. */
	discard(name: string): void {
		const blob = this.#written.get(name);
		if (blob === undefined) return;
		this.#written.delete(name);
		closeQuietly(blob.file);
		if (blob.file !== null) unlink(join(this.#incoming, name), () => undefined);
	}

	/**
	 * Removes what processes that have ended left behind: all but these, and what is so new that another process, of an
	 * edge that drains, may be about to keep it.
	 */
	sweep(known: ReadonlySet<string>): void {
		if (this.#isHeld()) return;
		const before = Date.now() - NEW_MS;
		for (const folder of [this.#incoming, this.#folder])
			for (const name of readdirSync(folder)) {
				const path = join(folder, name);
				if (!known.has(name) && statSync(path).mtimeMs < before) unlinkQuietly(path);
			}
	}

	#expire(): void {
		const before = performance.now() - IDLE_MS;
		for (const [name, { usedAt }] of this.#written) if (usedAt < before) this.discard(name);
		for (const [reading, { usedAt }] of this.#read) if (usedAt < before) this.close(reading);
	}
}

/** One that a tenant has open. */
function opened<Blob extends OpenBlob>(among: Map<string, Blob>, tenant: string, name: string): Blob {
	const blob = among.get(name);
	if (blob === undefined || blob.tenant !== tenant) throw new Refused("500 the value is there no longer");
	return blob;
}

function bounded(open: ReadonlyMap<string, OpenBlob>, tenant: string): void {
	let count = 0;
	for (const blob of open.values()) if (blob.tenant === tenant) count++;
	if (count >= MOST_OPEN) throw new Refused(`429 more than ${MOST_OPEN} large values at a time`);
}

/** What is being read or written there is waited for first. */
function closeQuietly(file: FileHandle | null): void {
	file?.close().catch(() => undefined);
}

function unlinkQuietly(path: string): void {
	try {
		unlinkSync(path);
	} catch {
		// It is swept when the next process starts.
	}
}
