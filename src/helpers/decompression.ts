import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { type Coding, OUTPUT_BYTES } from "./coding.ts";

/** It stands still with one such piece of output, until that is taken. */
const OPTIONS = { chunkSize: 64 * 1024, readableHighWaterMark: 1 };
/** 2^23 bytes. */
const MOST_ZSTD_WINDOW = 23;

const DECODERS = {
	gzip: () => createGunzip(OPTIONS),
	deflate: () => createInflate(OPTIONS),
	// Without the large windows that no browser takes: Node's default, said again.
	br: () => createBrotliDecompress({ ...OPTIONS, params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 0 } }),
	zstd: () => createZstdDecompress({ ...OPTIONS, params: { [constants.ZSTD_d_windowLogMax]: MOST_ZSTD_WINDOW } }),
} satisfies Record<Coding, () => unknown>;

/** What a step has come to. */
export interface Decompressed {
	output: Buffer;
	state: "output" | "hungry" | "ended";
}

/** One stream that is decompressed, a step at a time: nothing of it goes on between two steps. */
export class Decompression {
	readonly #decoder: ReturnType<(typeof DECODERS)["gzip"]>;
	#hungry = true;
	#ended = false;
	#failure: Error | null = null;
	#wake: (() => void) | null = null;

	constructor(coding: Coding) {
		this.#decoder = DECODERS[coding]() as ReturnType<(typeof DECODERS)["gzip"]>;
		this.#decoder.on("readable", () => this.#wake?.());
		this.#decoder.on("end", () => {
			this.#ended = true;
			this.#wake?.();
		});
		this.#decoder.on("error", (error) => {
			this.#failure = error;
			this.#wake?.();
		});
	}

	/**
	 * Takes more input, none, or the last of it, and gives what comes of that: all, or some of it. Rejects where it
	 * is malformed.
	 */
	async step(input: Buffer, last: boolean): Promise<Decompressed> {
		if (input.length > 0 || last) this.#hungry = false;
		if (last) this.#decoder.end(input);
		else if (input.length > 0) {
			this.#decoder.write(input, () => {
				this.#hungry = true;
				this.#wake?.();
			});
		}
		const pieces: Buffer[] = [];
		let bytes = 0;
		for (;;) {
			await this.#settled();
			if (this.#decoder.readableLength === 0 || bytes >= OUTPUT_BYTES) break;
			const piece = this.#decoder.read() as Buffer;
			pieces.push(piece);
			bytes += piece.length;
		}
		const output = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, bytes);
		const more = this.#decoder.readableLength > 0;
		return { output, state: more ? "output" : this.#ended ? "ended" : "hungry" };
	}

	/** Waits until the decoder does nothing any more: it has output that is to be taken first, or no input. */
	async #settled(): Promise<void> {
		while (this.#decoder.readableLength === 0 && !this.#hungry && !this.#ended) {
			if (this.#failure !== null) throw this.#failure;
			// The end is told to whoever reads on.
			if (this.#decoder.read() !== null) throw new Error("output that was not there");
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
			this.#wake = null;
		}
		if (this.#failure !== null) throw this.#failure;
	}

	close(): void {
		this.#decoder.destroy();
	}
}
