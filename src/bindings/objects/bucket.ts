import { randomBytes } from "node:crypto";
import type { Intake, StoredData } from "../../stores/data-process.ts";
import type { BucketRule, StorageTelling } from "../../stores/storage-rule.ts";
import type { Bytes } from "../../units.ts";
import type { Content } from "../binding.ts";
import { type Telling, tellingOfKeys } from "../telling.ts";
import {
	type BucketCount,
	type BucketId,
	type ObjectChanged,
	ObjectCode,
	type ObjectCondition,
	type ObjectFound,
	type ObjectHead,
	type ObjectListed,
	type ObjectMetadata,
	type ObjectPut,
	type ObjectRange,
} from "./calls.ts";
import type { ObjectsTold } from "./schema.ts";

/** https://developers.cloudflare.com/r2/platform/limits/ */
const MOST_KEY: Bytes = 1024;
const MOST_CUSTOM: Bytes = 8192;
const MOST_HTTP: Bytes = 8192;
/** In one piece, or as a part. */
const MOST_CONTENT: Bytes = 5 * 2 ** 30;
const STORAGE_CLASSES = ["Standard", "InfrequentAccess"];
/** So many objects are removed in one transaction: others wait for it. */
const REMOVED_AT_ONCE = 100;

/** An object that was asked for, and what of it was. */
export interface Gotten extends Pick<ObjectFound, "head" | "range"> {
	content: Content;
}

/** What is to be listed; empty for nothing said. */
export interface Listed {
	prefix: string;
	cursor: string;
	startAfter: string;
	delimiter: string;
	limit: number;
	http: boolean;
	custom: boolean;
}

/** A tenant's bucket, as the edge and the API use it. Errors begin with an HTTP status, and R2's code where it has one. */
export class Bucket {
	readonly #data: StoredData;
	readonly #of: BucketId;
	readonly #mostBytes: Bytes;
	readonly #telling: Telling;

	/** `mostBytes`: how much the tenant may store. */
	constructor(data: StoredData, of: BucketId, mostBytes: Bytes, telling: Telling) {
		this.#data = data;
		this.#of = of;
		this.#mostBytes = mostBytes;
		this.#telling = telling;
	}

	async #ask<Said>(
		operation: string,
		said: object = {},
		signal?: AbortSignal,
	): Promise<{ said: Said; bytes: Uint8Array }> {
		const call = { store: "objects", operation, said: { ...this.#of, ...said } };
		return (await this.#data.ask(this.#of.tenant, call, signal)) as { said: Said; bytes: Uint8Array };
	}

	#intake(hashes: string[], signal?: AbortSignal): Intake {
		return { most: MOST_CONTENT, mostBytes: this.#mostBytes, hashes, signal };
	}

	/** By what changes of these keys are told. */
	#tellingOf(keys: readonly string[]): StorageTelling {
		return tellingOfKeys(this.#telling, keys, this.#mostBytes);
	}

	async head(key: string): Promise<ObjectHead | null> {
		return (await this.#ask<ObjectHead | null>("head", { key })).said;
	}

	async get(
		key: string,
		asked: { onlyIf: ObjectCondition | null; range: ObjectRange | null },
		signal?: AbortSignal,
	): Promise<Gotten | null> {
		const { said: found, bytes } = await this.#ask<ObjectFound | null>("get", { key, ...asked }, signal);
		if (found === null) return null;
		const { head, range, reading } = found;
		if (range === null) return { head, range, content: null };
		const content = reading === null ? bytes : this.#data.read(this.#of.tenant, reading, range.length);
		return { head, range, content };
	}

	/** `null` where the condition does not hold. */
	async put(
		key: string,
		about: Pick<ObjectPut, "metadata" | "onlyIf" | "expected">,
		content: Content,
		signal?: AbortSignal,
	): Promise<ObjectHead | null> {
		const said = { ...this.#of, ...this.#tellingOf([key]), ...about, key, version: randomBytes(16).toString("hex") };
		const hashes = [...new Set(["md5", ...(about.expected === null ? [] : [about.expected.hash])])];
		const call = { store: "objects", operation: "put", said };
		const intake = this.#intake(hashes, signal);
		const result = await this.#data.store(this.#of.tenant, call, content ?? new Uint8Array(0), intake);
		return this.#changed(result.said as ObjectChanged);
	}

	async delete(keys: readonly string[]): Promise<void> {
		for (let at = 0; at < keys.length; at += REMOVED_AT_ONCE) {
			const some = keys.slice(at, at + REMOVED_AT_ONCE);
			await this.#changed((await this.#ask<ObjectChanged>("delete", { ...this.#tellingOf(some), keys: some })).said);
		}
	}

	/** Tells what came of a change, and goes on with what is to be removed after it. */
	async #changed(changed: ObjectChanged): Promise<ObjectHead | null> {
		if (changed.queues.length > 0 || changed.dropped > 0) this.#telling.told(changed);
		if (changed.isLeft) await this.#sweep();
		return changed.head;
	}

	/** Removes what is left behind. A change that was made is none that failed: what stays goes with the next one. */
	async #sweep(): Promise<void> {
		try {
			while (!(await this.#ask<boolean>("sweep")).said);
		} catch {
			// Whoever is told why is who asks for something of their own next.
		}
	}

	async list(asked: Listed): Promise<ObjectsTold> {
		const { cursor, startAfter, ...rest } = asked;
		const from = cursor !== "" ? readCursor(cursor, rest) : startAfter === "" ? "" : `${startAfter}\0`;
		const { objects, prefixes, next } = (await this.#ask<ObjectListed>("list", { ...rest, from })).said;
		return { objects, prefixes, cursor: next === null ? null : writeCursor(next, rest) };
	}

	async beginUpload(key: string, metadata: ObjectMetadata): Promise<string> {
		const upload = randomBytes(32).toString("base64url");
		await this.#ask("beginUpload", { key, upload, metadata, mostBytes: this.#mostBytes });
		return upload;
	}

	/** Gives the part's ETag. */
	async putPart(
		key: string,
		part: { upload: string; number: number },
		content: Content,
		signal?: AbortSignal,
	): Promise<string> {
		const said = { ...this.#of, ...part, key, mostBytes: this.#mostBytes };
		const call = { store: "objects", operation: "putPart", said };
		const intake = this.#intake(["md5"], signal);
		return (await this.#data.store(this.#of.tenant, call, content ?? new Uint8Array(0), intake)).said as string;
	}

	async complete(key: string, upload: string, parts: { number: number; etag: string }[]): Promise<ObjectHead> {
		const version = randomBytes(16).toString("hex");
		const said = { ...this.#tellingOf([key]), key, upload, parts, version };
		for (;;) {
			const { said: changed } = await this.#ask<ObjectChanged | false>("complete", said);
			if (changed !== false) return (await this.#changed(changed)) as ObjectHead;
		}
	}

	async abort(key: string, upload: string): Promise<void> {
		await this.#ask("abort", { key, upload });
		await this.#sweep();
	}

	async count(): Promise<BucketCount> {
		return (await this.#ask<BucketCount>("count")).said;
	}

	/** Removes it with the uploads to it; says whether that is done, which it is not as long as there are objects. */
	async drop(): Promise<boolean> {
		for (;;) {
			const { said } = await this.#ask<"full" | "more" | "gone">("drop");
			if (said === "full") return false;
			await this.#sweep();
			if (said === "gone") return true;
		}
	}

	/** The rules that are its own. */
	async rules(): Promise<BucketRule[]> {
		return (await this.#ask<BucketRule[]>("rules")).said;
	}

	async addRule(rule: BucketRule): Promise<void> {
		await this.#ask("addRule", { rule });
	}

	async removeRules(ids: readonly string[]): Promise<void> {
		await this.#ask("removeRules", { ids });
	}
}

/** Why nothing can be under a key, or `null`. */
export function refusalOfKey(key: string): string | null {
	const isOne = key !== "" && key.isWellFormed() && Buffer.byteLength(key) <= MOST_KEY;
	return isOne ? null : `400 ${ObjectCode.invalidName} The specified object name is not valid.`;
}

/** Why an object cannot have metadata, or `null`. */
export function refusalOfMetadata({ http, custom, storageClass }: ObjectMetadata): string | null {
	const bytes = (list: readonly string[]) => list.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
	if (bytes(custom) > MOST_CUSTOM || bytes(http) > MOST_HTTP)
		return `400 ${ObjectCode.metadataTooLarge} Your metadata headers exceed the maximum allowed metadata size.`;
	if (!STORAGE_CLASSES.includes(storageClass))
		return `400 ${ObjectCode.storageClass} The storage class specified is not valid.`;
	return null;
}

type Of = Pick<Listed, "prefix" | "delimiter">;

/** Where a list goes on, for the same prefix and delimiter alone. */
function writeCursor(next: string, { prefix, delimiter }: Of): string {
	return Buffer.from(JSON.stringify([prefix, delimiter, next])).toString("base64url");
}

function readCursor(cursor: string, { prefix, delimiter }: Of): string {
	try {
		const said = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
		if (said[0] === prefix && said[1] === delimiter && typeof said[2] === "string") return said[2];
	} catch {
		// It was made by somebody else.
	}
	throw new Error(
		`400 ${ObjectCode.invalidArgument} Invalid cursor: it must be one that a list of the same has given.`,
	);
}
