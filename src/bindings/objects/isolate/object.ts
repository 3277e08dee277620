import { copyBytes, decodeUtf8 } from "../../../prelude/encoding/bytes.ts";
import { Blob } from "../../../prelude/fetch/blob.ts";
import type { Body } from "../../../prelude/fetch/body.ts";
import { Headers } from "../../../prelude/fetch/headers.ts";
import { asInterface } from "../../../prelude/interface.ts";
import { quote } from "../../../prelude/json.ts";
import type { ReadableStream } from "../../../prelude/streams/streams.ts";
import type { ObjectHead } from "../schema.ts";

export const SECRET = Symbol("construct");

export interface HttpMetadata {
	contentType?: string;
	contentLanguage?: string;
	contentDisposition?: string;
	contentEncoding?: string;
	cacheControl?: string;
	cacheExpiry?: Date;
}

/** A property of `httpMetadata`, and the header that it is. */
export const HTTP_FIELDS: readonly (readonly [keyof HttpMetadata, string])[] = [
	["contentType", "content-type"],
	["contentLanguage", "content-language"],
	["contentDisposition", "content-disposition"],
	["contentEncoding", "content-encoding"],
	["cacheControl", "cache-control"],
	["cacheExpiry", "expires"],
];

/** https://developers.cloudflare.com/r2/api/workers/workers-api-reference/#checksums */
class Checksums {
	readonly #hex: ObjectHead["checksums"];

	constructor(secret?: unknown, hex?: ObjectHead["checksums"]) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#hex = hex as ObjectHead["checksums"];
	}

	get md5(): ArrayBuffer | undefined {
		return bytesOf(this.#hex.md5);
	}
	get sha1(): ArrayBuffer | undefined {
		return bytesOf(this.#hex.sha1);
	}
	get sha256(): ArrayBuffer | undefined {
		return bytesOf(this.#hex.sha256);
	}
	get sha384(): ArrayBuffer | undefined {
		return bytesOf(this.#hex.sha384);
	}
	get sha512(): ArrayBuffer | undefined {
		return bytesOf(this.#hex.sha512);
	}

	toJSON(): object {
		const { md5, sha1, sha256, sha384, sha512 } = this.#hex;
		return {
			...(md5 !== undefined && { md5 }),
			...(sha1 !== undefined && { sha1 }),
			...(sha256 !== undefined && { sha256 }),
			...(sha384 !== undefined && { sha384 }),
			...(sha512 !== undefined && { sha512 }),
		};
	}
}
asInterface(Checksums, "R2Checksums");

function bytesOf(hex: string | undefined): ArrayBuffer | undefined {
	if (hex === undefined) return undefined;
	const bytes = new Uint8Array(hex.length / 2);
	for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
	return bytes.buffer;
}

/** What is told of an object: https://developers.cloudflare.com/r2/api/workers/workers-api-reference/#r2object-definition */
export class R2Object {
	readonly key: string;
	readonly version: string;
	readonly size: number;
	readonly etag: string;
	readonly httpEtag: string;
	readonly checksums: Checksums;
	readonly uploaded: Date;
	readonly httpMetadata: HttpMetadata | undefined;
	readonly customMetadata: Record<string, string> | undefined;
	readonly range: { offset: number; length: number } | undefined;
	readonly storageClass: string;
	readonly ssecKeyMd5: undefined;

	constructor(secret?: unknown, head?: ObjectHead, range?: R2Object["range"], told = { http: true, custom: true }) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		const { key, version, size, etag, checksums, uploaded, http, custom, storageClass } = head as ObjectHead;
		this.key = key;
		this.version = version;
		this.size = size;
		this.etag = etag;
		this.httpEtag = `"${etag}"`;
		this.checksums = new Checksums(SECRET, checksums);
		this.uploaded = new Date(uploaded);
		this.httpMetadata = told.http ? httpIn(http) : undefined;
		this.customMetadata = told.custom ? recordOf(custom) : undefined;
		this.range = range;
		this.storageClass = storageClass;
		this.ssecKeyMd5 = undefined;
	}

	writeHttpMetadata(headers: unknown): void {
		if (!(headers instanceof Headers)) throw new TypeError("writeHttpMetadata: it takes Headers");
		const metadata = this.httpMetadata;
		if (metadata === undefined)
			throw new TypeError(
				"HTTP metadata unknown for key `" +
					this.key +
					"`. Did you forget to add 'httpMetadata' to `include` when listing?",
			);
		for (let i = 0; i < HTTP_FIELDS.length; i++) {
			const [field, name] = HTTP_FIELDS[i];
			const value = metadata[field];
			if (value !== undefined) headers.set(name, value instanceof Date ? value.toUTCString() : value);
		}
	}
}
asInterface(R2Object, "R2Object", { writeHttpMetadata: 1 });

/** The same with what is in it. */
export class R2ObjectBody extends R2Object {
	readonly #body: Body;

	constructor(secret?: unknown, head?: ObjectHead, range?: R2Object["range"], body?: Body) {
		super(secret, head, range);
		this.#body = body as Body;
	}

	get body(): ReadableStream {
		return this.#body.stream;
	}
	get bodyUsed(): boolean {
		return this.#body.used;
	}

	async #read(): Promise<Uint8Array<ArrayBuffer>> {
		if (this.#body.unusable)
			throw new TypeError(
				"Body has already been used. It can only be used once. Use tee() first if you need to read it twice.",
			);
		return this.#body.bytes();
	}

	async arrayBuffer(): Promise<ArrayBuffer> {
		return (await this.#read()).buffer;
	}
	async bytes(): Promise<Uint8Array> {
		return copyBytes(await this.#read());
	}
	async text(): Promise<string> {
		return decodeUtf8(await this.#read());
	}
	async json(): Promise<unknown> {
		return JSON.parse(decodeUtf8(await this.#read())) as unknown;
	}
	async blob(): Promise<Blob> {
		return new Blob([await this.#read()], { type: this.httpMetadata?.contentType ?? "" });
	}
}
asInterface(R2ObjectBody, "R2ObjectBody");

function httpIn(list: string[]): HttpMetadata {
	const metadata: HttpMetadata = {};
	for (let i = 0; i < list.length; i += 2)
		for (let j = 0; j < HTTP_FIELDS.length; j++) {
			const [field, name] = HTTP_FIELDS[j];
			if (name !== list[i]) continue;
			if (field === "cacheExpiry") metadata[field] = new Date(Number(list[i + 1]));
			else metadata[field] = list[i + 1];
		}
	return metadata;
}

/** As JSON has it, so that no name is a setter. */
function recordOf(list: string[]): Record<string, string> {
	let text = "";
	for (let i = 0; i < list.length; i += 2) text += `${i === 0 ? "" : ","}${quote(list[i])}:${quote(list[i + 1])}`;
	return JSON.parse(`{${text}}`) as Record<string, string>;
}
