import { copyBytes, isBufferSource } from "../encoding/bytes.ts";
import { type AbortSignal, onAbort } from "../events/abort.ts";
import { setStreamLength } from "../fetch/body-length.ts";
import { asInterface, requireArguments, toDictionary } from "../interface.ts";
import { replaceSides } from "./internals.ts";
import {
	type ReadableByteStreamController,
	ReadableStream,
	TransformStream,
	WritableStream,
	type WritableStreamDefaultController,
} from "./streams.ts";

/** What a writer has brought and nobody has read yet: bytes, or, with `null`, the end. */
interface Brought {
	bytes: Uint8Array<ArrayBuffer> | null;
	read: PromiseWithResolvers<void>;
}

/** Where a writer and a reader meet: what is written waits there until it is read, and nothing queues. */
class Rendezvous {
	readonly readable: ReadableStream<Uint8Array>;
	readonly writable: WritableStream<unknown>;
	#reading!: ReadableByteStreamController;
	#writing!: WritableStreamDefaultController;
	#brought: Brought | null = null;
	/** Ends the wait of a reader. */
	#wanted: (() => void) | null = null;
	/** How much may be written still; `null` where that is not known. */
	#left: number | null;

	constructor(length: number | null, highWaterMark: number | null) {
		this.#left = length;
		this.readable = new ReadableStream<Uint8Array>(
			{
				type: "bytes",
				start: (controller: ReadableByteStreamController) => {
					this.#reading = controller;
				},
				pull: () => this.#pull(),
				cancel: (reason) => {
					this.#writing.error(reason);
					this.#fail(reason);
				},
			},
			{ highWaterMark: 0 },
		);
		this.writable = new WritableStream<unknown>(
			{
				start: (controller) => {
					this.#writing = controller;
					// A write that nobody reads would keep `abort` waiting.
					onAbort(controller.signal as unknown as AbortSignal, (reason) => this.#fail(reason));
				},
				write: (chunk) => this.#write(chunk),
				close: () => this.#close(),
			},
			highWaterMark === null
				? undefined
				: { highWaterMark, size: (chunk) => (isBufferSource(chunk) ? chunk.byteLength : 1) },
		);
	}

	async #write(chunk: unknown): Promise<void> {
		if (!isBufferSource(chunk)) {
			const what = typeof chunk === "string" ? "a string, which a TextEncoder makes bytes of" : "no bytes";
			throw this.#failed(new TypeError(`a chunk of this stream must be an ArrayBuffer or a view: it is ${what}`));
		}
		const bytes = copyBytes(chunk);
		if (bytes.byteLength === 0) return;
		if (this.#left !== null) {
			if (bytes.byteLength > this.#left)
				throw this.#failed(new TypeError("Attempt to write too many bytes through a FixedLengthStream."));
			this.#left -= bytes.byteLength;
		}
		await this.#bring(bytes);
	}

	async #close(): Promise<void> {
		if (this.#left !== null && this.#left > 0)
			throw this.#failed(new TypeError("FixedLengthStream did not see all expected bytes before close()."));
		await this.#bring(null);
	}

	/** Resolves once a reader has taken it. */
	#bring(bytes: Brought["bytes"]): Promise<void> {
		const brought = { bytes, read: Promise.withResolvers<void>() };
		this.#brought = brought;
		this.#wanted?.();
		return brought.read.promise;
	}

	async #pull(): Promise<void> {
		if (this.#brought === null) {
			await new Promise<void>((resolve) => {
				this.#wanted = resolve;
			});
			this.#wanted = null;
		}
		const brought = this.#brought as Brought | null;
		if (brought === null) return; // It has failed.
		const { bytes } = brought;
		const request = this.#reading.byobRequest;
		if (bytes === null) {
			this.#reading.close();
			request?.respond(0);
		} else if (request === null) {
			this.#reading.enqueue(bytes);
		} else {
			const { buffer, byteOffset, byteLength } = request.view as Uint8Array;
			const taken = Math.min(byteLength, bytes.byteLength);
			new Uint8Array(buffer, byteOffset, taken).set(new Uint8Array(bytes.buffer, bytes.byteOffset, taken));
			request.respond(taken);
			if (taken < bytes.byteLength) {
				brought.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset + taken);
				return;
			}
		}
		this.#brought = null;
		brought.read.resolve();
	}

	/** Whoever waits hears why there is no more to come. */
	#fail(reason: unknown): void {
		this.#brought?.read.reject(reason);
		this.#brought = null;
		this.#wanted?.();
		this.#failed(reason);
	}

	/** The readable side fails with what the writable one does. */
	#failed<Reason>(reason: Reason): Reason {
		this.#reading.error(reason);
		return reason;
	}
}

/** https://developers.cloudflare.com/workers/runtime-apis/streams/transformstream/#identitytransformstream */
export class IdentityTransformStream extends TransformStream<unknown, Uint8Array> {
	constructor(strategy?: unknown) {
		super();
		const { readable, writable } = new Rendezvous(
			null,
			toHighWaterMark(strategy, "IdentityTransformStream constructor"),
		);
		replaceSides(this, readable, writable);
	}
}
asInterface(IdentityTransformStream, "IdentityTransformStream", { constructor: 0 });

/** https://developers.cloudflare.com/workers/runtime-apis/streams/transformstream/#fixedlengthstream */
export class FixedLengthStream extends IdentityTransformStream {
	constructor(expected: unknown, strategy?: unknown) {
		const where = "FixedLengthStream constructor";
		requireArguments(arguments.length, 1, where);
		const length = Number(expected);
		if (!Number.isSafeInteger(length) || length < 0)
			throw new TypeError(`${where}: the length is not an integer from 0 to 2^53 - 1`);
		super();
		const { readable, writable } = new Rendezvous(length, toHighWaterMark(strategy, where));
		replaceSides(this, readable, writable);
		setStreamLength(readable, length);
	}
}
asInterface(FixedLengthStream, "FixedLengthStream", { constructor: 1 });

/** How many bytes are to be waiting at most for `writer.ready`; `null` where one write is. */
function toHighWaterMark(strategy: unknown, where: string): number | null {
	const { highWaterMark } = toDictionary(strategy, where);
	return highWaterMark === undefined ? null : Number(highWaterMark);
}
