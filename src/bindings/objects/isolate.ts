import type { BindingNumber } from "../../link/calls.ts";
import { encodeUtf8 } from "../../prelude/encoding/bytes.ts";
import { Body } from "../../prelude/fetch/body.ts";
import { setStreamLength } from "../../prelude/fetch/body-length.ts";
import { asInterface, requireArguments, toDictionary, toUSVString } from "../../prelude/interface.ts";
import { ask } from "./isolate/call.ts";
import { R2Object, R2ObjectBody, SECRET } from "./isolate/object.ts";
import { conditionOf, contentOf, expectedOf, metadataOf, rangeOf } from "./isolate/options.ts";
import { R2MultipartUpload } from "./isolate/upload.ts";
import { encodeKeys, type ObjectHead, type ObjectsTold, type ObjectTold } from "./schema.ts";

const MOST_KEYS = 1000;
const MOST_LISTED = 1000;

/** https://developers.cloudflare.com/r2/api/workers/workers-api-reference/#bucket-method-definitions */
export class R2Bucket {
	readonly #binding: BindingNumber;

	constructor(secret?: unknown, binding?: BindingNumber) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#binding = binding as BindingNumber;
	}

	async head(key: unknown): Promise<R2Object | null> {
		requireArguments(arguments.length, 1, "R2Bucket.head");
		const { text } = await ask(this.#binding, "head", { op: "head", key: toUSVString(key) });
		return objectOf(JSON.parse(text) as ObjectHead | null);
	}

	async get(key: unknown, options?: unknown): Promise<R2Object | R2ObjectBody | null> {
		requireArguments(arguments.length, 1, "R2Bucket.get");
		const { onlyIf, range, ssecKey } = toDictionary(options, "R2Bucket.get");
		if (ssecKey !== undefined) throw new TypeError("ssecKey: atoll does not encrypt objects with keys of functions");
		const name = toUSVString(key);
		const asked = { op: "get", key: name, onlyIf: conditionOf(onlyIf), range: rangeOf(range) } as const;
		const { text, body } = await ask(this.#binding, "get", asked);
		const told = JSON.parse(text) as ObjectTold | null;
		if (told === null) return null;
		if (told.range === null) return new R2Object(SECRET, told.head);
		const content = body ?? new Body(new Uint8Array(0), null);
		setStreamLength(content.stream, told.range.length);
		return new R2ObjectBody(SECRET, told.head, told.range, content);
	}

	async put(key: unknown, value: unknown, options?: unknown): Promise<R2Object | null> {
		requireArguments(arguments.length, 2, "R2Bucket.put");
		const said = toDictionary(options, "R2Bucket.put");
		const about = { metadata: metadataOf(said), onlyIf: conditionOf(said.onlyIf), expected: expectedOf(said) };
		const content = contentOf(value, "put");
		const { text } = await ask(this.#binding, "put", { op: "put", key: toUSVString(key), ...about }, content);
		return objectOf(JSON.parse(text) as ObjectHead | null);
	}

	async delete(keys: unknown): Promise<undefined> {
		requireArguments(arguments.length, 1, "R2Bucket.delete");
		const list: string[] = [];
		if (!Array.isArray(keys)) list.push(toUSVString(keys));
		else for (let i = 0; i < keys.length && i <= MOST_KEYS; i++) list.push(toUSVString(keys[i]));
		if (list.length > MOST_KEYS) throw new TypeError(`delete: up to ${MOST_KEYS} keys may be deleted at a time`);
		if (list.length > 0)
			await ask(this.#binding, "delete", { op: "delete" }, new Body(encodeUtf8(encodeKeys(list)), null));
		return undefined;
	}

	async list(options?: unknown): Promise<object> {
		const { prefix, cursor, delimiter, startAfter, limit, include } = toDictionary(options, "R2Bucket.list");
		const told = { http: false, custom: false };
		if (include !== undefined && include !== null)
			for (const one of include as Iterable<unknown>) {
				if (one === "httpMetadata") told.http = true;
				else if (one === "customMetadata") told.custom = true;
				else throw new TypeError(`list: include has ${one as string}, and may have httpMetadata and customMetadata`);
			}
		const { text } = await ask(this.#binding, "list", {
			op: "list",
			prefix: textOf(prefix),
			cursor: textOf(cursor),
			startAfter: textOf(startAfter),
			delimiter: textOf(delimiter),
			limit: limit === undefined || limit === null ? MOST_LISTED : wholeOf(limit),
			...told,
		});
		const { objects: heads, prefixes: delimitedPrefixes, cursor: next } = JSON.parse(text) as ObjectsTold;
		const objects: R2Object[] = [];
		for (let i = 0; i < heads.length; i++) objects.push(new R2Object(SECRET, heads[i], undefined, told));
		if (next === null) return { objects, truncated: false, delimitedPrefixes };
		return { objects, truncated: true, cursor: next, delimitedPrefixes };
	}

	async createMultipartUpload(key: unknown, options?: unknown): Promise<R2MultipartUpload> {
		requireArguments(arguments.length, 1, "R2Bucket.createMultipartUpload");
		const metadata = metadataOf(toDictionary(options, "R2Bucket.createMultipartUpload"));
		const name = toUSVString(key);
		const { text } = await ask(this.#binding, "createMultipartUpload", { op: "begin", key: name, metadata });
		return new R2MultipartUpload(SECRET, this.#binding, name, JSON.parse(text) as string);
	}

	/** Of an upload that was begun before; whether there is one is told when it is used. */
	resumeMultipartUpload(key: unknown, uploadId: unknown): R2MultipartUpload {
		requireArguments(arguments.length, 2, "R2Bucket.resumeMultipartUpload");
		return new R2MultipartUpload(SECRET, this.#binding, toUSVString(key), toUSVString(uploadId));
	}
}
asInterface(R2Bucket, "R2Bucket", {
	...{ head: 1, get: 1, put: 2, delete: 1, list: 0, createMultipartUpload: 1, resumeMultipartUpload: 2 },
});

function objectOf(head: ObjectHead | null): R2Object | null {
	return head === null ? null : new R2Object(SECRET, head);
}

function textOf(value: unknown): string {
	return value === undefined || value === null ? "" : toUSVString(value);
}

/** What is no number is none that may be asked for. */
function wholeOf(value: unknown): number {
	const number = Math.trunc(Number(value));
	return Number.isSafeInteger(number) ? number : 0;
}

export const create = (binding: BindingNumber): R2Bucket => new R2Bucket(SECRET, binding);
