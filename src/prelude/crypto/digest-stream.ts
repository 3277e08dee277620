import { concatBytes, copyBytes, encodeUtf8, isBufferSource } from "../encoding/bytes.ts";
import { asInterface, requireArguments } from "../interface.ts";
import { WritableStream } from "../streams/streams.ts";
import { crypto, type SubtleCrypto } from "./crypto.ts";

/**
 * https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#constructors: a WritableStream whose `digest`
 * resolves once it is closed. What is written is kept until then, since WebCrypto has no digest in parts.
 */
export class DigestStream extends WritableStream {
	readonly #digest: Promise<ArrayBuffer>;

	constructor(algorithm: unknown) {
		requireArguments(arguments.length, 1, "DigestStream constructor");
		const parts: Uint8Array[] = [];
		const { promise, resolve, reject } = Promise.withResolvers<ArrayBuffer>();
		promise.catch(() => undefined); // Whoever wants the digest hears of it; nobody else must.
		const subtle = crypto.subtle as SubtleCrypto & { digest(name: unknown, data: Uint8Array): Promise<ArrayBuffer> };
		super({
			write(chunk: unknown) {
				if (typeof chunk === "string") parts.push(encodeUtf8(chunk));
				else if (isBufferSource(chunk)) parts.push(copyBytes(chunk));
				else throw new TypeError("DigestStream: a chunk is neither a string nor a BufferSource");
			},
			async close() {
				await subtle.digest(algorithm, concatBytes(parts)).then(resolve, reject);
			},
			abort: reject,
		});
		this.#digest = promise;
	}
	get digest(): Promise<ArrayBuffer> {
		return this.#digest;
	}
}
asInterface(DigestStream, "DigestStream");
