import { encodeUtf8 } from "../encoding/bytes.ts";
import { TextDecoder } from "../encoding/encoding.ts";
import { asInterface } from "../interface.ts";
import { type ReadableStream, TransformStream, type WritableStream } from "./streams.ts";

/** https://encoding.spec.whatwg.org/#interface-textencoderstream */
export class TextEncoderStream {
	readonly #transform: TransformStream<unknown, Uint8Array>;

	constructor() {
		/** The first half of a surrogate pair whose second may come with the next chunk. */
		let high = "";
		this.#transform = new TransformStream({
			transform(chunk, controller) {
				const text = `${high}${chunk as string}`;
				const last = text.charCodeAt(text.length - 1);
				const cut = last >= 0xd800 && last <= 0xdbff ? text.length - 1 : text.length;
				high = text.slice(cut);
				if (cut > 0) controller.enqueue(encodeUtf8(text.slice(0, cut)));
			},
			flush(controller) {
				if (high !== "") controller.enqueue(new Uint8Array([0xef, 0xbf, 0xbd]));
			},
		});
	}
	get encoding(): string {
		return "utf-8";
	}
	get readable(): ReadableStream<Uint8Array> {
		return this.#transform.readable;
	}
	get writable(): WritableStream<unknown> {
		return this.#transform.writable;
	}
}
asInterface(TextEncoderStream, "TextEncoderStream");

/** https://encoding.spec.whatwg.org/#interface-textdecoderstream */
export class TextDecoderStream {
	readonly #decoder: TextDecoder;
	readonly #transform: TransformStream<unknown, string>;

	constructor(label?: unknown, options?: unknown) {
		const decoder = new TextDecoder(label, options);
		this.#decoder = decoder;
		this.#transform = new TransformStream({
			transform(chunk, controller) {
				if (chunk === undefined) throw new TypeError("TextDecoderStream: a chunk is not a BufferSource");
				const text = decoder.decode(chunk, { stream: true });
				if (text !== "") controller.enqueue(text);
			},
			flush(controller) {
				const text = decoder.decode();
				if (text !== "") controller.enqueue(text);
			},
		});
	}
	get encoding(): string {
		return this.#decoder.encoding;
	}
	get fatal(): boolean {
		return this.#decoder.fatal;
	}
	get ignoreBOM(): boolean {
		return this.#decoder.ignoreBOM;
	}
	get readable(): ReadableStream<string> {
		return this.#transform.readable;
	}
	get writable(): WritableStream<unknown> {
		return this.#transform.writable;
	}
}
asInterface(TextDecoderStream, "TextDecoderStream", { constructor: 0 });
