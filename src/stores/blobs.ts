import {
	closeSync,
	fstatSync,
	fsync,
	fsyncSync,
	mkdirSync,
	openSync,
	readdirSync,
	readSync,
	renameSync,
	statSync,
	unlinkSync,
	writeFileSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Bytes, Milliseconds } from "../units.ts";
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
/** What comes in of one tenant, and is not kept yet, is no more than this. */
const MOST_INCOMING: Bytes = 256 * 2 ** 20;

interface OpenBlob {
	tenant: string;
	descriptor: number;
	size: Bytes;
	usedAt: Milliseconds;
}

interface WrittenBlob extends OpenBlob {
	/** All of it is on the disk. */
	finished: boolean;
}

interface ReadBlob extends OpenBlob {
	/** How far it has been read. */
	at: Bytes;
}

/** Values that are too large for a database's row: files with names of their own, which are never changed. */
export class Blobs {
	readonly #folder: string;
	readonly #incoming: string;
	readonly #prefix = `${Date.now().toString(36)}-${process.hrtime.bigint().toString(36)}`;
	#count = 0;
	readonly #written = new Map<string, WrittenBlob>();
	readonly #read = new Map<string, ReadBlob>();
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

	/** Writes a piece of a blob that comes in, by its name, which is empty for the first one. Gives the name. */
	append(tenant: string, given: string, bytes: Buffer, most: Bytes): string {
		const name = given === "" ? this.#begin(tenant) : given;
		const blob = opened(this.#written, tenant, name);
		let all = bytes.length;
		for (const one of this.#written.values()) if (one.tenant === tenant) all += one.size;
		if (all > MOST_INCOMING) {
			this.discard(name);
			throw new Refused("429 too many large values at a time");
		}
		if (blob.size + bytes.length > most) {
			this.discard(name);
			throw new Refused(`413 Value length of more than ${most} exceeds limit of ${most}.`);
		}
		for (let at = 0; at < bytes.length; ) at += writeSync(blob.descriptor, bytes, at);
		blob.size += bytes.length;
		blob.finished = false;
		blob.usedAt = performance.now();
		return name;
	}

	#begin(tenant: string): string {
		this.#expire();
		bounded(this.#written, tenant);
		const name = this.#next();
		const descriptor = openSync(join(this.#incoming, name), "wx", 0o600);
		this.#written.set(name, { tenant, descriptor, size: 0, usedAt: performance.now(), finished: false });
		return name;
	}

	/** Has one that came in whole on the disk, while others are asked for. */
	async finish(tenant: string, name: string): Promise<void> {
		const blob = opened(this.#written, tenant, name);
		if (this.#lasting) await promisify(fsync)(blob.descriptor);
		blob.finished = true;
	}

	sizeOf(tenant: string, name: string): Bytes {
		return opened(this.#written, tenant, name).size;
	}

	/** One that came in whole is kept from now on, if what keeps it is. */
	keep(tenant: string, name: string): void {
		const { descriptor, finished } = opened(this.#written, tenant, name);
		this.#written.delete(name);
		try {
			if (!finished && this.#lasting) fsyncSync(descriptor);
		} finally {
			closeSync(descriptor);
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
		for (const name of this.#gone.splice(0)) unlinkQuietly(join(this.#folder, name));
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

	/** Opens one to be read piece by piece, or so many bytes of it from some place on. Gives what it is read by. */
	read(tenant: string, name: string, size: Bytes, start: Bytes = 0): string {
		this.#expire();
		bounded(this.#read, tenant);
		const descriptor = openSync(join(this.#folder, name), "r");
		if (fstatSync(descriptor).size < start + size) {
			closeSync(descriptor);
			throw new Refused("500 the value is not whole");
		}
		const reading = this.#next();
		this.#read.set(reading, { tenant, descriptor, size: start + size, at: start, usedAt: performance.now() });
		return reading;
	}

	/** The next piece of one that is read; none at its end, where it is closed. */
	piece(tenant: string, reading: string): Buffer {
		const blob = opened(this.#read, tenant, reading);
		const bytes = Buffer.allocUnsafe(Math.min(PIECE, blob.size - blob.at));
		const length = readSync(blob.descriptor, bytes, 0, bytes.length, blob.at);
		blob.at += length;
		blob.usedAt = performance.now();
		if (blob.at >= blob.size || length === 0) this.close(reading);
		return bytes.subarray(0, length);
	}

	/** Nobody reads it any more. */
	close(reading: string): void {
		const blob = this.#read.get(reading);
		if (blob !== undefined) closeSync(blob.descriptor);
		this.#read.delete(reading);
	}

	/** What came in of one is not kept. */
	discard(name: string): void {
		const blob = this.#written.get(name);
		if (blob === undefined) return;
		this.#written.delete(name);
		closeSync(blob.descriptor);
		unlinkQuietly(join(this.#incoming, name));
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

function unlinkQuietly(path: string): void {
	try {
		unlinkSync(path);
	} catch {
		// It is swept when the next process starts.
	}
}
