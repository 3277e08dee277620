import { createHash } from "node:crypto";
import type { StatementSync } from "node:sqlite";
import type { Blobs } from "../../stores/blobs.ts";
import { newTold, type Outbox } from "../../stores/outbox.ts";
import type { Quota } from "../../stores/quota.ts";
import type { BucketRule, StorageAction, StorageTelling } from "../../stores/storage-rule.ts";
import { type DataFiles, type DataStore, type Done, Refused } from "../../stores/store.ts";
import {
	type BucketCount,
	type BucketId,
	type ObjectChanged,
	ObjectCode,
	type ObjectDelete,
	type ObjectFound,
	type ObjectGet,
	type ObjectHead,
	type ObjectList,
	type ObjectMetadata,
	type ObjectPut,
	type UploadBegin,
	type UploadComplete,
	type UploadId,
	type UploadPart,
} from "./calls.ts";
import { Bodies, type Body, type PartContent } from "./store/bodies.ts";
import { bytesOf, holds } from "./store/conditions.ts";
import { Listing } from "./store/listing.ts";
import { columnsOf, HEAD, headOf, type Row, weightOf } from "./store/row.ts";
import { BucketRules } from "./store/rules.ts";
import { chosenParts, etagOfParts } from "./store/uploads.ts";

const ALGORITHMS = { md5: "MD5", sha1: "SHA-1", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" };

/** Objects of tenants' buckets. A bucket is there as soon as something is put into it. */
export class ObjectStore implements DataStore {
	readonly #blobs: Blobs;
	readonly #quota: Quota;
	readonly #outbox: Outbox;
	readonly #bodies: Bodies;
	readonly #rules: BucketRules;
	readonly #listing: Listing;
	readonly #statements;

	constructor(files: DataFiles) {
		const { database, blobs, quota, outbox } = files;
		this.#blobs = blobs;
		this.#quota = quota;
		this.#outbox = outbox;
		this.#bodies = new Bodies(files);
		this.#rules = new BucketRules(files);
		this.#listing = new Listing(database);
		const prepare = (sql: string): StatementSync => database.prepare(sql);
		const bucket = "(SELECT id FROM buckets WHERE tenant = ? AND name = ?)";
		this.#statements = {
			make: prepare("INSERT INTO buckets (tenant, name, objects, bytes) VALUES (?, ?, 0, 0) ON CONFLICT DO NOTHING"),
			count: prepare("SELECT objects, bytes FROM buckets WHERE tenant = ? AND name = ?"),
			counted: prepare("UPDATE buckets SET objects = objects + ?, bytes = bytes + ? WHERE tenant = ? AND name = ?"),
			drop: prepare("DELETE FROM buckets WHERE tenant = ? AND name = ?"),
			head: prepare(`SELECT ${HEAD} FROM objects WHERE bucket = ${bucket} AND key = ?`),
			value: prepare("SELECT value FROM objects WHERE id = ?"),
			put: prepare(
				`INSERT INTO objects
				(bucket, key, version, size, etag, uploaded, checksums, storage_class, http, custom, body, value)
				VALUES (${bucket}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT DO UPDATE SET version = excluded.version, size = excluded.size, etag = excluded.etag,
				uploaded = excluded.uploaded, checksums = excluded.checksums, storage_class = excluded.storage_class,
				http = excluded.http, custom = excluded.custom, body = excluded.body, value = excluded.value`,
			),
			remove: prepare("DELETE FROM objects WHERE id = ?"),
		};
	}

	readonly reads = {
		/** An object, and what is in it where that is small; else what it is read by. */
		get: ({ tenant, bucket, key, onlyIf, range }: ObjectGet): Done => {
			const row = this.#row({ tenant, bucket }, key);
			if (row === null) return { said: null };
			const found: ObjectFound = { head: headOf(row), range: null, reading: null };
			if (onlyIf !== null && !holds(onlyIf, row)) return { said: found };
			const { offset, length } = bytesOf(range, row.size);
			found.range = { offset, length };
			if (row.body === null) {
				const { value } = this.#statements.value.get(row.id) as { value: Uint8Array };
				return { said: found, bytes: value.subarray(offset, offset + length) };
			}
			found.reading = this.#bodies.read(tenant, row.body, { offset, length });
			return { said: found };
		},
		head: ({ tenant, bucket, key }: BucketId & { key: string }): Done => {
			const row = this.#row({ tenant, bucket }, key);
			return { said: row === null ? null : headOf(row) };
		},
		list: (asked: ObjectList): Done => ({ said: this.#listing.list(asked) }),
		count: ({ tenant, bucket }: BucketId): Done => ({ said: this.#count({ tenant, bucket }) }),
		rules: (of: BucketId): Done => ({ said: this.#rules.of(of) }),
		/** The buckets whose own rules tell a queue. */
		telling: ({ tenant, queue }: { tenant: string; queue: string }): Done => ({
			said: this.#rules.telling(tenant, queue),
		}),
	};

	readonly writes = {
		put: (put: ObjectPut, bytes: Buffer): Done => {
			const { tenant, key, version, onlyIf, blob, metadata, mostBytes } = put;
			const before = this.#begin(put, key);
			if (before?.version === version) return this.#changed(tenant, headOf(before));
			if (onlyIf !== null && !holds(onlyIf, before)) {
				if (blob !== null) this.#blobs.discard(blob);
				return this.#changed(tenant, null);
			}
			const size = blob === null ? bytes.length : this.#blobs.sizeOf(tenant, blob);
			const checksums = this.#checksumsOf(put, bytes);
			const head = { ...metadata, key, version, size, etag: checksums.md5 as string, uploaded: Date.now(), checksums };
			let body: Body | null = null;
			if (blob !== null) {
				const { bucket } = put;
				body = this.#bodies.begin({ tenant, name: version, bucket, key, state: "kept", metadata: "" }, mostBytes);
				this.#bodies.addPart(body, { number: 1, size, md5: head.etag }, { blob }, mostBytes);
			}
			return this.#replace(put, before, head, body ?? bytes, "PutObject");
		},
		delete: (asked: ObjectDelete): Done => {
			const { tenant, bucket, keys } = asked;
			const told = newTold();
			const rules = this.#rulesOf(asked);
			this.#bodies.sweep(tenant);
			const time = Date.now();
			for (const key of keys) {
				const row = this.#row(asked, key);
				if (row === null) continue;
				this.#statements.remove.run(row.id);
				this.#quota.use(tenant, -weightOf(row));
				this.#statements.counted.run(-1, -row.size, tenant, bucket);
				if (row.body !== null) this.#bodies.remove(row.body);
				const change = { tenant, action: "DeleteObject", key, time, about: { bucket, object: { key } } } as const;
				this.#outbox.tell(change, rules, asked, told);
			}
			return this.#changed(tenant, null, told);
		},
		beginUpload: ({ tenant, bucket, key, upload, metadata, mostBytes }: UploadBegin): Done => {
			this.#bodies.sweep(tenant);
			this.#statements.make.run(tenant, bucket);
			const said = { tenant, name: upload, bucket, key, state: "open", metadata: JSON.stringify(metadata) } as const;
			this.#bodies.begin(said, mostBytes);
			return {};
		},
		putPart: (part: UploadPart, bytes: Buffer): Done => {
			const { tenant, number, blob, mostBytes } = part;
			this.#bodies.sweep(tenant);
			const body = this.#uploadOf(part);
			const size = blob === null ? bytes.length : this.#blobs.sizeOf(tenant, blob);
			const md5 = blob === null ? hashOf("md5", bytes) : this.#blobs.hashesOf(tenant, blob).md5;
			const content: PartContent = blob === null ? { value: bytes } : { blob };
			this.#bodies.addPart(body, { number, size, md5 }, content, mostBytes);
			return { said: md5 };
		},
		/** Has the parts of an upload be an object; `false` as long as parts that are none of it are being removed. */
		complete: (asked: UploadComplete): Done => {
			const { tenant, key, version, parts } = asked;
			const before = this.#begin(asked, key);
			if (before?.version === version) return this.#changed(tenant, headOf(before));
			const body = this.#uploadOf(asked);
			const all = this.#bodies.parts(body);
			const chosen = chosenParts(all, parts);
			const numbers = new Set(chosen.map(({ number }) => number));
			const others = all.flatMap(({ number }) => (numbers.has(number) ? [] : [number]));
			if (!this.#bodies.removeParts(body, others)) return { said: false };
			const head: ObjectHead = {
				...(JSON.parse(body.metadata) as ObjectMetadata),
				...{ key, version, uploaded: Date.now(), checksums: {} },
				size: chosen.reduce((sum, { size }) => sum + size, 0),
				etag: etagOfParts(chosen),
			};
			this.#bodies.keep(body);
			return this.#replace(asked, before, head, body, "CompleteMultipartUpload");
		},
		abort: (asked: UploadId): Done => {
			const body = this.#bodies.named(asked.upload);
			if (body !== null && body.state === "removed") return {};
			this.#bodies.remove(this.#uploadOf(asked).id);
			return {};
		},
		/** A step of the removal of what is a tenant's; says whether nothing is left to be removed now. */
		sweep: ({ tenant }: { tenant: string }): Done => ({ said: this.#bodies.sweep(tenant) }),
		/** Removes a bucket that is empty, with the uploads to it; says whether it is gone, or `full` where it is not empty. */
		drop: (of: BucketId): Done => {
			const { tenant, bucket } = of;
			if (this.#count(of).objects > 0) return { said: "full" };
			if (!this.#bodies.abortAll(tenant, bucket)) return { said: "more" };
			this.#statements.drop.run(tenant, bucket);
			this.#rules.drop(of);
			return { said: "gone" };
		},
		addRule: ({ rule, ...of }: BucketId & { rule: BucketRule }): Done => {
			this.#rules.add(of, rule);
			return {};
		},
		removeRules: ({ ids, ...of }: BucketId & { ids: string[] }): Done => {
			this.#rules.remove(of, ids);
			return {};
		},
	};

	blobs(): Iterable<string> {
		return this.#bodies.blobs();
	}

	#count({ tenant, bucket }: BucketId): BucketCount {
		const row = this.#statements.count.get(tenant, bucket) as BucketCount | undefined;
		return { objects: row?.objects ?? 0, bytes: row?.bytes ?? 0 };
	}

	#row({ tenant, bucket }: BucketId, key: string): Row | null {
		return (this.#statements.head.get(tenant, bucket, key) as unknown as Row | undefined) ?? null;
	}

	/** What there is under a key that is to be changed. */
	#begin(of: BucketId, key: string): Row | null {
		this.#bodies.sweep(of.tenant);
		this.#statements.make.run(of.tenant, of.bucket);
		return this.#row(of, key);
	}

	/** Throws Refused where it is not what it is expected to be. */
	#checksumsOf({ tenant, blob, expected }: ObjectPut, bytes: Buffer): ObjectHead["checksums"] {
		const hashes: ObjectHead["checksums"] =
			blob === null ? { md5: hashOf("md5", bytes) } : this.#blobs.hashesOf(tenant, blob);
		if (expected === null) return hashes;
		const { hash, value } = expected;
		hashes[hash] ??= hashOf(hash, bytes);
		if (hashes[hash] === value) return hashes;
		const name = ALGORITHMS[hash];
		throw new Refused(
			`400 ${ObjectCode.badDigest} The ${name} checksum you specified did not match what we received.\nYou provided a ${name} checksum with value: ${value}\nActual ${name} was: ${hashes[hash]}`,
		);
	}

	/** Puts an object in place of what was there, and tells of it. */
	#replace(
		asked: BucketId & StorageTelling,
		before: Row | null,
		head: ObjectHead,
		content: Body | Buffer,
		action: StorageAction,
	): Done {
		const { tenant, bucket, mostBytes } = asked;
		const { key, version, size, etag, uploaded, checksums } = head;
		const { http, custom, storage_class } = columnsOf(head);
		const [body, value] = Buffer.isBuffer(content) ? [null, content] : [content.id, null];
		const row = { key, http, custom, body, size };
		this.#quota.use(tenant, weightOf(row) - (before === null ? 0 : weightOf(before)), mostBytes);
		const about = [version, size, etag, uploaded, JSON.stringify(checksums), storage_class, http, custom];
		this.#statements.put.run(tenant, bucket, key, ...about, body, value);
		this.#statements.counted.run(before === null ? 1 : 0, size - (before?.size ?? 0), tenant, bucket);
		if (before !== null && before.body !== null) this.#bodies.remove(before.body);
		const told = newTold();
		const change = { tenant, action, key, time: uploaded, about: { bucket, object: { key, size, eTag: etag } } };
		this.#outbox.tell(change, this.#rulesOf(asked), asked, told);
		return this.#changed(tenant, head, told);
	}

	#changed(tenant: string, head: ObjectHead | null, { queues, dropped } = newTold()): Done {
		const isLeft = this.#bodies.isLeft(tenant);
		return { said: { head, queues: [...queues], dropped, isLeft } satisfies ObjectChanged };
	}

	/** The rules that a change is told by: a bucket's own, and those that whoever makes it knows of. */
	#rulesOf(asked: BucketId & StorageTelling) {
		return [...asked.rules, ...this.#rules.of(asked)];
	}

	/** An upload that is under way. Throws Refused where there is none. */
	#uploadOf({ tenant, bucket, key, upload }: UploadId): Body {
		const body = this.#bodies.named(upload);
		if (body?.state === "open" && body.tenant === tenant && body.bucket === bucket && body.key === key) return body;
		throw new Refused(`400 ${ObjectCode.noUpload} The specified multipart upload does not exist.`);
	}
}

function hashOf(algorithm: string, bytes: Buffer): string {
	return createHash(algorithm).update(bytes).digest("hex");
}
