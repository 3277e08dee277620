import { concatBytes, copyBytes, decodeUtf8, encodeUtf8, isBufferSource } from "../encoding/bytes.ts";
import { toUSVString } from "../interface.ts";
import { isDisturbed, isLocked, lazyByteStream } from "../streams/internals.ts";
import { ReadableStream } from "../streams/streams.ts";
import { decodeStream } from "../streams/text-stream.ts";
import { isURLSearchParams, parseForm, type URLSearchParams } from "../url/url-search-params.ts";
import { Blob, blobBytes, isBlob } from "./blob.ts";
import { copyStreamLength } from "./body-length.ts";
import { encodeMultipart, FormData, isFormData } from "./form-data.ts";
import { type HeadersOwner, headerValue } from "./headers.ts";
import { parseMime } from "./mime.ts";
import { parseMultipart } from "./multipart.ts";

/** What a body was made from, as long as nobody has asked for it as a stream and read from that. */
type Source = string | Uint8Array;

/** A body that comes in one piece: its bytes, or what they are as ASCII; nothing where it is empty. */
export type Whole = ArrayBuffer | string | undefined;

/** Such a body. */
export function wholeBody(data: Whole): Body {
	return new Body(
		typeof data === "string" ? data : data === undefined ? new Uint8Array(0) : new Uint8Array(data),
		null,
	);
}

/**
 * A body: https://fetch.spec.whatwg.org/#concept-body. One made from a string or bytes stays just that, also after it
 * was handed on as `response.body` into another Response (as Hono does): its stream is only a view until it is read.
 */
export class Body {
	source: Source | null;
	/** Makes the stream at first touch; a body that has only a stream has it from the start. */
	#stream: ReadableStream | null;
	#used = false;

	constructor(source: Source | null, stream: ReadableStream | null) {
		this.source = source;
		this.#stream = stream;
		if (stream !== null && source !== null) sources.set(stream, this);
	}

	get stream(): ReadableStream {
		if (this.#stream === null) {
			this.#stream = lazyByteStream((controller) => {
				if (this.#used) throw new TypeError("the response has been sent, and its body with it");
				const bytes = this.#takeBytes();
				if (bytes.byteLength > 0) controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
				controller.close();
				controller.byobRequest?.respond(0);
			});
			if (this.#used) lock(this.#stream);
			else sources.set(this.#stream, this);
		}
		return this.#stream;
	}

	#takeBytes(): Uint8Array {
		const { source } = this;
		this.source = null;
		return typeof source === "string" ? encodeUtf8(source) : source === null ? new Uint8Array(0) : copyBytes(source);
	}

	/** Whether the body has been read, or its stream has. */
	get used(): boolean {
		return this.#used || (this.#stream !== null && isDisturbed(this.#stream));
	}

	get unusable(): boolean {
		if (this.#used) return true;
		return this.#stream !== null && (isDisturbed(this.#stream) || isLocked(this.#stream));
	}

	/** The string or bytes it was made from, if they can still be had; the body counts as read then. */
	take(): Source | null {
		if (this.unusable) return null;
		const source = this.send();
		if (source !== null && this.#stream !== null) lock(this.#stream);
		return source;
	}

	/** The same for a response that leaves and can be used: nobody looks at what has become of its stream. */
	send(): Source | null {
		const { source } = this;
		if (source === null) return null;
		this.#used = true;
		this.source = null;
		return source;
	}

	/** All of the body, from wherever it comes. */
	async bytes(): Promise<Uint8Array<ArrayBuffer>> {
		const source = this.take();
		if (source !== null) return typeof source === "string" ? encodeUtf8(source) : copyBytes(source);
		const reader = this.stream.getReader();
		const parts: Uint8Array[] = [];
		for (;;) {
			const { done, value } = await reader.read();
			if (done) break;
			if (!(value instanceof Uint8Array)) {
				const error = new TypeError("a body's stream must yield Uint8Array chunks");
				void reader.cancel(error).catch(() => undefined);
				throw error;
			}
			parts.push(value);
		}
		return parts.length === 1 ? new Uint8Array(parts[0]) : concatBytes(parts);
	}

	async text(): Promise<string> {
		const source = this.take();
		if (typeof source === "string") return source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
		return decodeUtf8(source ?? (await this.bytes()));
	}

	/** https://fetch.spec.whatwg.org/#concept-body-clone */
	clone(): Body {
		if (this.source !== null) {
			// Nothing of it was read: both are made from the same, and a stream that was handed out is locked as by
			// tee().
			if (this.#stream !== null) {
				sources.delete(this.#stream);
				lock(this.#stream);
			}
			this.#stream = null;
			return new Body(this.source, null);
		}
		const [one, two] = this.stream.tee();
		copyStreamLength(this.stream, one);
		copyStreamLength(this.stream, two);
		this.#stream = one;
		this.source = null;
		return new Body(null, two);
	}
}

const sources = new WeakMap<ReadableStream, Body>();

/** Makes a stream whose bytes were taken another way look read and locked, as the standard says it is. */
function lock(stream: ReadableStream): void {
	const reader = stream.getReader();
	void reader.cancel().catch(() => undefined);
}

/** https://fetch.spec.whatwg.org/#concept-bodyinit-extract */
export function extractBody(init: unknown): { body: Body; type: string | null } {
	if (typeof init === "string")
		return { body: new Body(init.isWellFormed() ? init : init.toWellFormed(), null), type: TEXT };
	if (init instanceof ReadableStream) {
		if (isDisturbed(init) || isLocked(init)) throw new TypeError("the body's stream has been read or is locked");
		return { body: sources.get(init) ?? new Body(null, init), type: null };
	}
	if (isBufferSource(init)) return { body: new Body(copyBytes(init), null), type: null };
	if (isBlob(init)) return { body: new Body(blobBytes(init), null), type: init.type === "" ? null : init.type };
	if (isURLSearchParams(init)) {
		return {
			body: new Body((init as URLSearchParams).toString(), null),
			type: "application/x-www-form-urlencoded;charset=UTF-8",
		};
	}
	if (isFormData(init)) {
		const { bytes, boundary } = encodeMultipart(init);
		return { body: new Body(bytes, null), type: `multipart/form-data; boundary=${boundary}` };
	}
	// Not in the standard, but Node, Deno and Bun take an async iterable, and edge code passes one.
	if (
		typeof init === "object" &&
		init !== null &&
		typeof (init as AsyncIterable<unknown>)[Symbol.asyncIterator] === "function"
	) {
		return { body: new Body(null, ReadableStream.from(init as AsyncIterable<unknown>)), type: null };
	}
	return { body: new Body(toUSVString(init), null), type: TEXT };
}

const TEXT = "text/plain;charset=UTF-8";

/** The state that Request and Response share. */
export interface BodyOwner extends HeadersOwner {
	readonly body: Body | null;
}

type Get = (object: unknown) => BodyOwner;

/** As Workers say it. */
const USED = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice.";

/** Adds https://fetch.spec.whatwg.org/#body-mixin to a class. `get` finds the state behind an object, or throws. */
export function mixinBody(prototype: object, get: Get): void {
	const members: PropertyDescriptorMap = {
		body: {
			get() {
				return get(this).body?.stream ?? null;
			},
		},
		bodyUsed: {
			get() {
				return get(this).body?.used ?? false;
			},
		},
	};
	const methods: Record<string, (owner: BodyOwner) => Promise<unknown>> = {
		async arrayBuffer({ body }) {
			return body === null ? new ArrayBuffer(0) : (await body.bytes()).buffer;
		},
		async bytes({ body }) {
			return body === null ? new Uint8Array(0) : body.bytes();
		},
		async text({ body }) {
			return body === null ? "" : body.text();
		},
		async json({ body }) {
			return JSON.parse(body === null ? "" : await body.text());
		},
		async blob(owner) {
			const mime = parseMime(headerValue(owner, "content-type") ?? "");
			return new Blob(owner.body === null ? [] : [await owner.body.bytes()], { type: mime?.text ?? "" });
		},
		async formData(owner) {
			const mime = parseMime(headerValue(owner, "content-type") ?? "");
			if (mime?.essence === "multipart/form-data") {
				const boundary = mime.parameters.get("boundary");
				if (boundary === undefined) throw new TypeError("the multipart/form-data body's Content-Type has no boundary");
				return parseMultipart(owner.body === null ? new Uint8Array(0) : await owner.body.bytes(), boundary);
			}
			if (mime?.essence === "application/x-www-form-urlencoded") {
				const form = new FormData();
				for (const [name, value] of parseForm(owner.body === null ? "" : await owner.body.text()))
					form.append(name, value);
				return form;
			}
			throw new TypeError(
				`formData(): the Content-Type is ${mime === null ? "missing" : `${mime.essence}`}, not multipart/form-data or application/x-www-form-urlencoded`,
			);
		},
	};
	/** https://fetch.spec.whatwg.org/#dom-body-textstream */
	members.textStream = {
		writable: true,
		value: function textStream(this: unknown): ReadableStream<string> {
			const { body } = get(this);
			if (body?.unusable) throw new TypeError(USED);
			return decodeStream(body === null ? new Body("", null).stream : body.stream);
		},
	};
	for (const name of Object.keys(methods)) {
		const method = methods[name];
		members[name] = {
			writable: true,
			value: {
				// It counts as read from the call on.
				async [name](this: unknown) {
					const owner = get(this);
					if (owner.body?.unusable) throw new TypeError(USED);
					return method(owner);
				},
			}[name],
		};
	}
	for (const name of Object.keys(members))
		Object.defineProperty(prototype, name, { ...members[name], enumerable: true, configurable: true });
}
