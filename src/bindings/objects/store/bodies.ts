import type { StatementSync } from "node:sqlite";
import type { Blobs } from "../../../stores/blobs.ts";
import type { Quota } from "../../../stores/quota.ts";
import type { ReadSource, Stretch } from "../../../stores/read-source.ts";
import type { DataFiles } from "../../../stores/store.ts";
import type { Bytes, Milliseconds } from "../../../units.ts";

/** What a body takes, and each of its parts, beside what is in it. */
const BODY_BYTES: Bytes = 400;
const PART_BYTES: Bytes = 200;
/** So many parts are removed at a time, and so much of what lies in rows: others wait for it. */
const MOST_PARTS = 100;
/** The same of parts that are told by their numbers, which are looked through anew each time. */
const MOST_NAMED = 1000;
const MOST_REMOVED: Bytes = 4 * 2 ** 20;
/** An upload that nobody has completed is given up after so long. */
const ABANDONED_MS: Milliseconds = 7 * 24 * 3600_000;
/** A tenant reads so many at a time at most (`stores/blobs.ts`). */
const MOST_READ = 100;

/** A body: what is in an object that is too large for its row, or what is being uploaded by parts. */
export interface Body {
	id: number;
	tenant: string;
	/** The version of its object, or the id of the upload. */
	name: string;
	bucket: string;
	key: string;
	state: "open" | "kept" | "removed";
	/** What was said of the object when the upload began, as JSON. */
	metadata: string;
}

export interface Part {
	number: number;
	size: Bytes;
	md5: string;
}

/** The bytes of a part: a blob that came in, or what is with the call. */
export type PartContent = { blob: string } | { value: Buffer };

/**
 * Bodies of objects, each of one part or more. One that nobody needs any more goes in steps, part by part, and as long as
 * it is read it stays; until it is gone it counts as its tenant's.
 */
export class Bodies {
	readonly #blobs: Blobs;
	readonly #quota: Quota;
	readonly #statements;
	/** How often each is being read. */
	readonly #read = new Map<number, number>();
	/** The tenant that was swept last, beside whoever asked. */
	#swept = "";

	constructor({ database, blobs, quota }: DataFiles) {
		this.#blobs = blobs;
		this.#quota = quota;
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		this.#statements = {
			begin: prepare(
				`INSERT INTO object_bodies (tenant, name, bucket, key, begun, state, metadata) VALUES (?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT DO NOTHING`,
			),
			named: prepare("SELECT * FROM object_bodies WHERE name = ?"),
			state: prepare("UPDATE object_bodies SET state = ? WHERE id = ?"),
			removeBody: prepare("DELETE FROM object_bodies WHERE id = ?"),
			removed: prepare(`SELECT * FROM object_bodies WHERE state = 'removed' AND tenant = ? LIMIT ${MOST_READ + 1}`),
			another: prepare(
				"SELECT tenant FROM object_bodies WHERE state = 'removed' AND tenant > ? ORDER BY tenant LIMIT 1",
			),
			abandoned: prepare(
				`UPDATE object_bodies SET state = 'removed' WHERE id IN
				(SELECT id FROM object_bodies WHERE state = 'open' AND begun < ? LIMIT 5)`,
			),
			ofBucket: prepare("SELECT id FROM object_bodies WHERE tenant = ? AND bucket = ? AND state = 'open' LIMIT 1000"),
			addPart: prepare("INSERT INTO object_parts (body, number, size, md5, blob, value) VALUES (?, ?, ?, ?, ?, ?)"),
			part: prepare("SELECT id, size, blob FROM object_parts WHERE body = ? AND number = ?"),
			parts: prepare("SELECT number, size, md5 FROM object_parts WHERE body = ? ORDER BY number"),
			first: prepare("SELECT size FROM object_parts WHERE body = ? ORDER BY number LIMIT 1"),
			nth: prepare("SELECT id, number, size, blob FROM object_parts WHERE body = ? ORDER BY number LIMIT 1 OFFSET ?"),
			after: prepare(
				"SELECT id, number, size, blob FROM object_parts WHERE body = ? AND number > ? ORDER BY number LIMIT 1",
			),
			value: prepare("SELECT value FROM object_parts WHERE id = ?"),
			some: prepare(`SELECT id, size, blob FROM object_parts WHERE body = ? LIMIT ${MOST_PARTS}`),
			removePart: prepare("DELETE FROM object_parts WHERE id = ?"),
			blobs: prepare("SELECT blob FROM object_parts WHERE blob IS NOT NULL"),
		};
	}

	/** Begins one; that of a name is begun once. */
	begin(body: Omit<Body, "id">, mostBytes: Bytes): Body {
		const { tenant, name, bucket, key, state, metadata } = body;
		const { changes } = this.#statements.begin.run(tenant, name, bucket, key, Date.now(), state, metadata);
		if (changes === 1) this.#quota.use(tenant, weight(body), mostBytes);
		return this.named(name) as Body;
	}

	named(name: string): Body | null {
		return (this.#statements.named.get(name) as unknown as Body | undefined) ?? null;
	}

	/** Puts a part there, in place of the one that may have its number. */
	addPart({ id, tenant }: Body, part: Part, content: PartContent, mostBytes: Bytes): void {
		const { number, size, md5 } = part;
		const before = this.#statements.part.get(id, number) as
			| { id: number; size: Bytes; blob: string | null }
			| undefined;
		this.#quota.use(tenant, size + PART_BYTES, mostBytes);
		if (before !== undefined) this.#removePart(tenant, before);
		const blob = "blob" in content ? content.blob : null;
		if (blob !== null) this.#blobs.keep(tenant, blob);
		this.#statements.addPart.run(id, number, size, md5, blob, "value" in content ? content.value : null);
	}

	/** All parts of one, in the order of their numbers. */
	parts({ id }: Body): Part[] {
		return this.#statements.parts.all(id) as unknown as Part[];
	}

	/** Removes some parts of these numbers; says whether there are none of them left. */
	removeParts({ id, tenant }: Body, numbers: readonly number[]): boolean {
		let bytes = 0;
		for (const [i, number] of numbers.entries()) {
			if (i === MOST_NAMED || bytes > MOST_REMOVED) return false;
			const part = this.#statements.part.get(id, number) as { id: number; size: Bytes; blob: string | null };
			bytes += part.blob === null ? part.size : 0;
			this.#removePart(tenant, part);
		}
		return true;
	}

	keep({ id }: Body): void {
		this.#statements.state.run("kept", id);
	}

	/** Nobody needs it any more. */
	remove(id: number): void {
		this.#statements.state.run("removed", id);
	}

	/** Gives up uploads to a bucket; says whether there are none left. */
	abortAll(tenant: string, bucket: string): boolean {
		const open = this.#statements.ofBucket.all(tenant, bucket) as unknown as { id: number }[];
		for (const { id } of open) this.remove(id);
		return open.length === 0;
	}

	/** Begins to read some of it, of which its parts are of one size but for the last. */
	read(tenant: string, id: number, { offset, length }: { offset: Bytes; length: Bytes }): string {
		const { first, nth, after } = this.#statements;
		const partSize = (first.get(id) as { size: Bytes }).size;
		const skipped = partSize === 0 ? 0 : Math.floor(offset / partSize);
		let part = nth.get(id, skipped) as unknown as StoredPart | undefined;
		let from = offset - skipped * partSize;
		let left = length;
		const source: ReadSource = {
			next: () => {
				if (left <= 0 || part === undefined) return undefined;
				const to = Math.min(part.size, from + left);
				const stretch = this.#stretch(part, from, to);
				left -= to - from;
				from = 0;
				part = left > 0 ? (after.get(id, part.number) as unknown as StoredPart | undefined) : undefined;
				return stretch;
			},
			close: () => {
				const readings = (this.#read.get(id) ?? 1) - 1;
				if (readings === 0) this.#read.delete(id);
				else this.#read.set(id, readings);
			},
		};
		this.#read.set(id, (this.#read.get(id) ?? 0) + 1);
		try {
			return this.#blobs.read(tenant, source);
		} catch (error) {
			source.close?.();
			throw error;
		}
	}

	#stretch({ id, blob }: StoredPart, from: Bytes, to: Bytes): Stretch {
		if (blob !== null) return { name: blob, from, to };
		const { value } = this.#statements.value.get(id) as { value: Uint8Array };
		return { bytes: Buffer.from(value.buffer, value.byteOffset + from, to - from) };
	}

	/**
	 * A step of the removal of what is a tenant's, and of what is another one's: both are short. Says whether nothing of the
	 * tenant is left to be removed now.
	 */
	sweep(tenant: string): boolean {
		this.#statements.abandoned.run(Date.now() - ABANDONED_MS);
		const { another } = this.#statements;
		const next = another.get(this.#swept) as { tenant: string } | undefined;
		this.#swept = next?.tenant ?? "";
		if (next !== undefined && next.tenant !== tenant) this.#step(next.tenant);
		return this.#step(tenant);
	}

	/** Whether something is to be removed still. */
	isLeft(tenant: string): boolean {
		return this.#nextOf(tenant) !== undefined;
	}

	/** What is to be removed next, which nobody reads. */
	#nextOf(tenant: string): Body | undefined {
		const bodies = this.#statements.removed.iterate(tenant) as unknown as Iterable<Body>;
		for (const body of bodies) if (!this.#read.has(body.id)) return body;
		return undefined;
	}

	#step(tenant: string): boolean {
		const body = this.#nextOf(tenant);
		if (body === undefined) return true;
		const parts = this.#statements.some.all(body.id) as unknown as StoredPart[];
		let bytes = 0;
		for (const part of parts) {
			if (bytes > MOST_REMOVED) return false;
			bytes += part.blob === null ? part.size : 0;
			this.#removePart(tenant, part);
		}
		if (parts.length === MOST_PARTS) return false;
		this.#statements.removeBody.run(body.id);
		this.#quota.use(tenant, -weight(body));
		return !this.isLeft(tenant);
	}

	#removePart(tenant: string, { id, size, blob }: Pick<StoredPart, "id" | "size" | "blob">): void {
		this.#statements.removePart.run(id);
		if (blob !== null) this.#blobs.leave(blob);
		this.#quota.use(tenant, -size - PART_BYTES);
	}

	*blobs(): Iterable<string> {
		for (const { blob } of this.#statements.blobs.iterate() as Iterable<{ blob: string }>) yield blob;
	}
}

interface StoredPart {
	id: number;
	number: number;
	size: Bytes;
	blob: string | null;
}

function weight({ key, metadata }: Pick<Body, "key" | "metadata">): Bytes {
	return BODY_BYTES + Buffer.byteLength(key) + Buffer.byteLength(metadata);
}
