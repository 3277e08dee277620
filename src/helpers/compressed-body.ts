import { setTimeout } from "node:timers/promises";
import { type HelperAnswer, HelperKind } from "../link/helper-frames.ts";
import type { TenantNumber } from "../link/protocol.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { type Coding, decoderBytes, INPUT_BYTES } from "./coding.ts";
import { type Helper, HelperLost } from "./helper.ts";
import type { OpenStream, OpenStreams } from "./open-streams.ts";

/**
 * So much may be read of which nothing comes, such as empty members of gzip and frames of zstd that are to be
 * skipped. A block of zstd gives nothing before all of it is there: 128 KB at most
 * (https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.2.4).
 */
const MOST_SILENT: Bytes = 256 * 1024;
/** A body of which no more was read can be decompressed again, where the helper was lost. */
const KEPT: Bytes = 16 * 1024;
const MOST_LOSSES = 3;

export interface Compressed {
	/** `drained` tells, where it can, that there is nothing more to come. */
	body: AsyncIterable<Uint8Array> & { readonly drained?: boolean };
	coding: Coding;
	tenant: TenantNumber;
	/** So much has come of it. Returns how long to wait before it is handed on. */
	pace(bytes: Bytes): Milliseconds;
}

/** What a helper is given of a stream's input. */
interface Input {
	piece: Uint8Array;
	/** Nothing comes after it. */
	last: boolean;
}

/** Nothing more, but there is more to come of what it was given. */
const NOTHING: Input = { piece: new Uint8Array(0), last: false };
const END: Input = { ...NOTHING, last: true };

/** A compressed body; iterated over, once, what it decompresses to. Nothing is done ahead of whoever reads it. */
export class CompressedBody implements AsyncIterable<Uint8Array> {
	readonly #helper: Helper;
	readonly #streams: OpenStreams;
	readonly #coding: Coding;
	readonly #tenant: TenantNumber;
	readonly #pace: (bytes: Bytes) => Milliseconds;
	readonly #body: Compressed["body"];
	readonly #source: AsyncIterator<Uint8Array>;
	/** The source was read to its end, or has failed. */
	#over = false;
	#stream: OpenStream | null = null;
	/** The helper's process that knows the stream. */
	#generation = 0;
	/** What was read of it, until that is too much. */
	#kept: Uint8Array[] | null = [];
	#read: Bytes = 0;
	#given: Bytes = 0;
	#silent: Bytes = 0;

	constructor(helper: Helper, streams: OpenStreams, { body, coding, tenant, pace }: Compressed) {
		this.#helper = helper;
		this.#streams = streams;
		this.#coding = coding;
		this.#tenant = tenant;
		this.#pace = pace;
		this.#body = body;
		this.#source = body[Symbol.asyncIterator]();
	}

	[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
		const outputs = this.#decompressed();
		return {
			next: () => outputs.next(),
			// A generator that was never asked for anything would end here without its `finally`.
			return: () => {
				this.#cancel();
				return outputs.return(undefined);
			},
		};
	}

	/** Ends the source, unless it has ended before. Not awaited: one that has fallen silent would not answer. */
	#cancel(): void {
		if (!this.#over) this.#source.return?.().catch(() => undefined);
		this.#over = true;
	}

	async *#decompressed(): AsyncGenerator<Uint8Array> {
		try {
			for (let losses = 0; ; losses++) {
				try {
					yield* this.#outputs();
					return;
				} catch (error) {
					const again = error instanceof HelperLost && !error.blamed && this.#kept !== null && losses < MOST_LOSSES;
					if (!again) throw error;
				} finally {
					this.#close();
				}
			}
		} finally {
			this.#cancel();
		}
	}

	/** What comes of the input from its start, but for what was given out before. */
	async *#outputs(): AsyncGenerator<Uint8Array> {
		let skip = this.#given;
		this.#silent = 0;
		for await (const input of this.#inputs()) {
			for (let answer = await this.#step(input); ; answer = await this.#step(NOTHING)) {
				const { data } = answer;
				const output = data.subarray(skip);
				skip -= data.length - output.length;
				if (output.length > 0) {
					this.#given += output.length;
					const wait = this.#pace(output.length);
					if (wait >= 1) await setTimeout(wait);
					yield output;
				}
				if (answer.kind === HelperKind.ended) return;
				if (answer.kind !== HelperKind.output) break;
			}
		}
	}

	/** The input in pieces, from its start to its end. */
	async *#inputs(): AsyncGenerator<Input> {
		for (const piece of this.#kept ?? []) yield { piece, last: false };
		while (!this.#over) {
			const { done, value } = await this.#source.next();
			this.#over = done === true || this.#body.drained === true;
			if (done === true) break;
			for (let at = 0; at < value.length; at += INPUT_BYTES) {
				const piece = this.#keep(value.subarray(at, at + INPUT_BYTES));
				const last = this.#over && at + INPUT_BYTES >= value.length;
				yield { piece, last };
				if (last) return;
			}
		}
		// No body at all is a body of nothing, whatever its coding.
		if (this.#read > 0) yield END;
	}

	#keep(piece: Uint8Array): Uint8Array {
		this.#read += piece.length;
		if (this.#read > KEPT) this.#kept = null;
		// A copy: the piece is of a larger slab, which would be kept with it.
		this.#kept?.push(new Uint8Array(piece));
		return piece;
	}

	async #step(input: Input): Promise<HelperAnswer> {
		this.#silent += input.piece.length;
		if (this.#silent > MOST_SILENT) throw new Error(`${this.#silent} bytes decompress to nothing`);
		const answer = await this.#helper.run(this.#tenant, () => this.#ask(input));
		if (answer.data.length > 0) this.#silent = 0;
		return answer;
	}

	#ask({ piece, last }: Input): void {
		const stream = this.#stream ?? this.#open(piece);
		if (stream.cut) throw new Error("too much is being decompressed at once");
		if (this.#generation !== this.#helper.generation) throw new HelperLost("the helper was lost", false);
		this.#helper.send({ kind: last ? HelperKind.inputEnd : HelperKind.input, id: stream.id, data: piece });
	}

	#open(start: Uint8Array): OpenStream {
		const stream = this.#streams.open(this.#tenant, decoderBytes(this.#coding, start));
		if (stream === null) throw new Error("too much is being decompressed at once");
		this.#stream = stream;
		this.#generation = this.#helper.generation;
		this.#helper.send({ kind: HelperKind.open, id: stream.id, text: this.#coding });
		return stream;
	}

	#close(): void {
		if (this.#stream === null) return;
		if (this.#streams.close(this.#stream)) this.#helper.send({ kind: HelperKind.drop, id: this.#stream.id });
		this.#stream = null;
	}
}
