import { concatBytes, encodeUtf8, isBufferSource, viewBytes } from "../encoding/bytes.ts";
import { describeError } from "../errors/report-error.ts";
import { ReadableStream, type ReadableStreamDefaultReader } from "../streams/streams.ts";

/** What a frame is: a piece of a stream, its end, or why it broke. */
export const PIECE = 0;
export const END = 1;
export const FAILURE = 2;

/** Which stream (16 bits), what it is (8), and how many bytes follow (32). */
export const FRAME_HEAD = 7;
/** As many as their numbers tell. */
export const MOST_STREAMS = 65_535;

/** Bytes, and after them streams of bytes, as one: none is read further ahead than by one piece. */
export function multiplex(first: Uint8Array, streams: ReadableStream[]): ReadableStream<Uint8Array> {
	if (streams.length > MOST_STREAMS) throw new RangeError(`more than ${MOST_STREAMS} streams`);
	const sources: Source[] = [];
	for (let i = 0; i < streams.length; i++) sources[i] = new Source(i, streams[i]);
	let begun = false;
	let wake = Promise.withResolvers<void>();
	const read = async (source: Source) => {
		await source.read();
		wake.resolve();
	};
	return new ReadableStream<Uint8Array>(
		{
			async pull(controller) {
				if (!begun) {
					begun = true;
					for (const source of sources) void read(source);
					controller.enqueue(first as Uint8Array<ArrayBuffer>);
					return;
				}
				for (;;) {
					const left = sources.filter(({ over }) => !over);
					if (left.length === 0) {
						controller.close();
						return;
					}
					wake = Promise.withResolvers();
					const source = left.find(({ frame }) => frame !== null);
					if (source !== undefined) {
						controller.enqueue(source.take() as Uint8Array<ArrayBuffer>);
						if (!source.over) void read(source);
						return;
					}
					await wake.promise;
				}
			},
			async cancel(reason) {
				for (const source of sources) source.cancel(reason);
			},
		},
		{ highWaterMark: 0 },
	);
}

/** One of the streams. */
class Source {
	readonly #number: number;
	readonly #reader: ReadableStreamDefaultReader<unknown>;
	/** What has been read of it, and not gone on. */
	frame: Uint8Array | null = null;
	#ended = false;

	constructor(number: number, stream: ReadableStream) {
		this.#number = number;
		this.#reader = stream.getReader() as ReadableStreamDefaultReader<unknown>;
	}

	/** Whether nothing more comes of it. */
	get over(): boolean {
		return this.#ended && this.frame === null;
	}

	async read(): Promise<void> {
		try {
			const { done, value } = await this.#reader.read();
			if (done) this.#end(END, new Uint8Array(0));
			else if (isBufferSource(value)) this.frame = this.#frameOf(PIECE, viewBytes(value));
			else throw new TypeError("a ReadableStream that is handed to another function must yield bytes");
		} catch (error) {
			this.cancel(error);
			this.#end(FAILURE, encodeUtf8(describeError(error).message));
		}
	}

	#end(kind: number, bytes: Uint8Array): void {
		this.#ended = true;
		this.frame = this.#frameOf(kind, bytes);
	}

	take(): Uint8Array {
		const { frame } = this;
		this.frame = null;
		return frame as Uint8Array;
	}

	cancel(reason: unknown): void {
		void this.#reader.cancel(reason).catch(() => undefined);
	}

	#frameOf(kind: number, bytes: Uint8Array): Uint8Array {
		const head = new DataView(new ArrayBuffer(FRAME_HEAD));
		head.setUint16(0, this.#number);
		head.setUint8(2, kind);
		head.setUint32(3, bytes.length);
		return concatBytes([new Uint8Array(head.buffer), bytes]);
	}
}
