import { concatBytes, copyBytes, encodeUtf8, isBufferSource } from "../encoding/bytes.ts";
import { DOMException } from "../errors/dom-exception.ts";
import { asInterface, requireArguments } from "../interface.ts";
import { WritableStream } from "../streams/streams.ts";
import { algorithmName, crypto, type SubtleCrypto } from "./crypto.ts";

/**
 * https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#constructors: a WritableStream whose `digest`
 * resolves once it is closed. What is written is kept until then, since WebCrypto has no digest in parts.
 */
export class DigestStream extends WritableStream {
	readonly #digest: Promise<ArrayBuffer>;
	readonly #bytesWritten: () => number;

	constructor(algorithm: unknown) {
		requireArguments(arguments.length, 1, "DigestStream constructor");
		if (!HASHES.includes(algorithmName(algorithm)))
			throw new DOMException("DigestStream constructor: the algorithm is not one of digest()", "NotSupportedError");
		let bytesWritten = 0;
		const parts: Uint8Array[] = [];
		const { promise, resolve, reject } = Promise.withResolvers<ArrayBuffer>();
		promise.catch(() => undefined); // Whoever wants the digest hears of it; nobody else must.
		const subtle = crypto.subtle as SubtleCrypto & { digest(name: unknown, data: Uint8Array): Promise<ArrayBuffer> };
		super({
			write(chunk: unknown) {
				const isText = typeof chunk === "string";
				if (!isText && !isBufferSource(chunk))
					throw new TypeError("DigestStream: a chunk is neither a string nor a BufferSource");
				const bytes = isText ? encodeUtf8(chunk) : copyBytes(chunk);
				parts.push(bytes);
				bytesWritten += bytes.byteLength;
			},
			async close() {
				await subtle.digest(algorithm, concatBytes(parts)).then(resolve, reject);
			},
			abort: reject,
		});
		this.#digest = promise;
		this.#bytesWritten = () => bytesWritten;
	}
	get bytesWritten(): bigint {
		return BigInt(this.#bytesWritten());
	}
	get digest(): Promise<ArrayBuffer> {
		return this.#digest;
	}
}
const HASHES = ["MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512"];
asInterface(DigestStream, "DigestStream");
