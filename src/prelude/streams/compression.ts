import {
	Z_DATA_ERROR,
	Z_FINISH,
	Z_NO_FLUSH,
	Z_OK,
	Z_STREAM_END,
	ZStream,
	zlibDeflate,
	zlibDeflateInit2,
	zlibInflate,
	zlibInflateInit2,
} from "pako";
import { copyBytes, isBufferSource } from "../encoding/bytes.ts";
import { asInterface, requireArguments } from "../interface.ts";
import {
	type ReadableStream,
	type Transformer,
	TransformStream,
	type TransformStreamDefaultController,
	type WritableStream,
} from "./streams.ts";

/** zlib's window bits, which also say what stands around the compressed data. */
const WINDOW_BITS: Record<string, number> = { gzip: 31, deflate: 15, "deflate-raw": -15 };
const OUTPUT_BYTES = 64 * 1024;
const Z_DEFLATED = 8;
const DEFAULT_LEVEL = 6;
const MEMORY_LEVEL = 8;
const DEFAULT_STRATEGY = 0;

/**
 * So much is compressed or decompressed ahead of whoever reads: elsewhere a function can write all of a small text and
 * only then hand the readable side on. What reads from a server is held back all the same.
 */
const AHEAD = { highWaterMark: 1024 * 1024, size: (chunk: Uint8Array) => chunk.byteLength };

type Controller = TransformStreamDefaultController<Uint8Array>;
type Step = (stream: ZStream, flush: typeof Z_NO_FLUSH | typeof Z_FINISH) => number;

/** Runs zlib over what is in the stream's input, and hands on all that comes out. Returns zlib's last status. */
function drain(
	stream: ZStream,
	step: Step,
	flush: typeof Z_NO_FLUSH | typeof Z_FINISH,
	controller: Controller,
): number {
	for (;;) {
		stream.output = new Uint8Array(OUTPUT_BYTES);
		stream.next_out = 0;
		stream.avail_out = OUTPUT_BYTES;
		const status = step(stream, flush);
		if (stream.next_out > 0) controller.enqueue(stream.output.slice(0, stream.next_out));
		if (status !== Z_OK || stream.avail_out > 0) return status;
	}
}

function feed(stream: ZStream, chunk: unknown, where: string): void {
	if (!isBufferSource(chunk)) throw new TypeError(`${where}: a chunk is not a BufferSource`);
	stream.input = copyBytes(chunk);
	stream.next_in = 0;
	stream.avail_in = stream.input.length;
}

function windowBits(format: unknown, given: number, where: string): number {
	requireArguments(given, 1, where);
	const name = `${format as string}`;
	if (!Object.hasOwn(WINDOW_BITS, name))
		throw new TypeError(`${where}: ${JSON.stringify(name.slice(0, 50))} is not one of gzip, deflate and deflate-raw`);
	return WINDOW_BITS[name];
}

/** https://compression.spec.whatwg.org/#compression-stream */
export class CompressionStream {
	readonly #transform: TransformStream<unknown, Uint8Array>;

	constructor(format: unknown) {
		const bits = windowBits(format, arguments.length, "CompressionStream constructor");
		const stream = new ZStream();
		zlibDeflateInit2(stream, DEFAULT_LEVEL, Z_DEFLATED, bits, MEMORY_LEVEL, DEFAULT_STRATEGY);
		const transformer: Transformer<unknown, Uint8Array> = {
			transform(chunk, controller) {
				feed(stream, chunk, "CompressionStream");
				drain(stream, zlibDeflate, Z_NO_FLUSH, controller);
			},
			flush(controller) {
				stream.avail_in = 0;
				drain(stream, zlibDeflate, Z_FINISH, controller);
			},
		};
		this.#transform = new TransformStream(transformer, undefined, AHEAD);
	}
	get readable(): ReadableStream<Uint8Array> {
		return this.#transform.readable;
	}
	get writable(): WritableStream<unknown> {
		return this.#transform.writable;
	}
}
asInterface(CompressionStream, "CompressionStream");

/** https://compression.spec.whatwg.org/#decompression-stream */
export class DecompressionStream {
	readonly #transform: TransformStream<unknown, Uint8Array>;

	constructor(format: unknown) {
		const bits = windowBits(format, arguments.length, "DecompressionStream constructor");
		const stream = new ZStream();
		zlibInflateInit2(stream, bits);
		let ended = false;
		const transformer: Transformer<unknown, Uint8Array> = {
			transform(chunk, controller) {
				feed(stream, chunk, "DecompressionStream");
				if (!ended && stream.avail_in > 0) {
					const status = drain(stream, zlibInflate, Z_NO_FLUSH, controller);
					ended = status === Z_STREAM_END;
					if (status <= Z_DATA_ERROR || status > Z_STREAM_END)
						throw new TypeError(`DecompressionStream: the data is not valid ${format as string}`);
				}
				if (ended && stream.avail_in > 0)
					throw new TypeError("DecompressionStream: there is more after the end of the compressed data");
			},
			flush() {
				if (!ended) throw new TypeError("DecompressionStream: the compressed data ends too early");
			},
		};
		this.#transform = new TransformStream(transformer, undefined, AHEAD);
	}
	get readable(): ReadableStream<Uint8Array> {
		return this.#transform.readable;
	}
	get writable(): WritableStream<unknown> {
		return this.#transform.writable;
	}
}
asInterface(DecompressionStream, "DecompressionStream");
