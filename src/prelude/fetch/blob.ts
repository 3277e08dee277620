import { concatBytes, copyBytes, decodeUtf8, encodeUtf8, isBufferSource } from "../encoding/bytes.ts";
import { asInterface, requireArguments, toDictionary, toUSVString } from "../interface.ts";
import { ReadableStream } from "../streams/streams.ts";
import { decodeStream } from "../streams/text-stream.ts";

let bytesOf: (blob: Blob) => Uint8Array;
let create: (bytes: Uint8Array, type: string) => Blob;

/** https://w3c.github.io/FileAPI/#blob-section */
export class Blob {
	#bytes: Uint8Array<ArrayBuffer>;
	#type: string;

	constructor(parts?: unknown, options?: unknown) {
		const chunks: Uint8Array[] = [];
		if (parts !== undefined) {
			if (
				parts === null ||
				typeof parts !== "object" ||
				typeof (parts as Iterable<unknown>)[Symbol.iterator] !== "function"
			) {
				throw new TypeError("Blob constructor: the parts are not a sequence");
			}
			const collected = [...(parts as Iterable<unknown>)];
			const dictionary = toDictionary(options, "Blob constructor");
			const native = toEndings(dictionary.endings) === "native";
			for (const part of collected) {
				if (isBufferSource(part)) chunks.push(copyBytes(part));
				else if (isBlob(part)) chunks.push(part.#bytes);
				else {
					const text = toUSVString(part);
					chunks.push(encodeUtf8(native ? text.replace(/\r\n?|\n/g, "\n") : text));
				}
			}
		}
		const { type } = toDictionary(options, "Blob constructor");
		this.#bytes = concatBytes(chunks);
		this.#type = toType(type);
	}

	get size(): number {
		return this.#bytes.byteLength;
	}
	get type(): string {
		return this.#type;
	}

	slice(start?: unknown, end?: unknown, type?: unknown): Blob {
		const size = this.#bytes.byteLength;
		const from = clampIndex(start, 0, size);
		const to = clampIndex(end, size, size);
		return create(this.#bytes.subarray(from, Math.max(from, to)), toType(type));
	}

	/** https://w3c.github.io/FileAPI/#text-stream-method-algo */
	textStream(): ReadableStream<string> {
		return decodeStream(this.stream());
	}

	stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
		const bytes = this.#bytes;
		let offset = 0;
		return new ReadableStream(
			{
				type: "bytes",
				pull(controller) {
					if (offset < bytes.byteLength) {
						const end = Math.min(offset + 65536, bytes.byteLength);
						controller.enqueue(bytes.slice(offset, end));
						offset = end;
					}
					if (offset >= bytes.byteLength) {
						controller.close();
						controller.byobRequest?.respond(0);
					}
				},
			},
			{ highWaterMark: 0 },
		) as ReadableStream<Uint8Array<ArrayBuffer>>;
	}

	async text(): Promise<string> {
		return decodeUtf8(this.#bytes);
	}
	async arrayBuffer(): Promise<ArrayBuffer> {
		return this.#bytes.slice().buffer;
	}
	async bytes(): Promise<Uint8Array> {
		return this.#bytes.slice();
	}

	static {
		bytesOf = (blob) => blob.#bytes;
		create = (bytes, type) => {
			const blob = new Blob();
			blob.#bytes = bytes as Uint8Array<ArrayBuffer>;
			blob.#type = type;
			return blob;
		};
	}
	/** @internal */
	static is(value: unknown): value is Blob {
		return typeof value === "object" && value !== null && #bytes in value;
	}
}
asInterface(Blob, "Blob", { constructor: 0, slice: 0 });
const isBlob = Blob.is;
Reflect.deleteProperty(Blob, "is");

function toType(type: unknown): string {
	if (type === undefined) return "";
	const text = `${type as string}`;
	return /[^\x20-\x7e]/.test(text) ? "" : text.toLowerCase();
}

function toEndings(endings: unknown): string {
	if (endings === undefined) return "transparent";
	const text = `${endings as string}`;
	if (text !== "transparent" && text !== "native")
		throw new TypeError(`Blob constructor: ${text} is not a valid value of endings`);
	return text;
}

function clampIndex(value: unknown, fallback: number, size: number): number {
	if (value === undefined) return fallback;
	const index = Math.trunc(Number(value)) || 0;
	return index < 0 ? Math.max(size + index, 0) : Math.min(index, size);
}

/** https://w3c.github.io/FileAPI/#file-section */
export class File extends Blob {
	#name: string;
	#lastModified: number;

	constructor(parts: unknown, name: unknown, options?: unknown) {
		requireArguments(arguments.length, 2, "File constructor");
		super(parts, options);
		this.#name = toUSVString(name);
		const { lastModified } = toDictionary(options, "File constructor");
		this.#lastModified = lastModified === undefined ? Date.now() : Math.trunc(Number(lastModified)) || 0;
	}

	get name(): string {
		return this.#name;
	}
	get lastModified(): number {
		return this.#lastModified;
	}
	get webkitRelativePath(): string {
		return "";
	}
}
asInterface(File, "File", { constructor: 2 });

export { bytesOf as blobBytes, create as createBlob, isBlob };
