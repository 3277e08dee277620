import { decodeUtf8 } from "../encoding/bytes.ts";
import { type ReadableByteStreamController, ReadableStream } from "../streams/streams.ts";
import type { Incoming } from "./incoming.ts";

const { END, FAILURE, FRAME_HEAD, MOST_STREAMS } = require("./multiplex.ts") as typeof import("./multiplex.ts");

/** One of the streams. */
class Sink {
	queue: Uint8Array[] = [];
	ended = false;
	failed = false;
	failure: unknown;
	/** Nobody reads it. */
	cancelled = false;
}

/**
 * So many streams out of one body. It is read as far as somebody waits for one of them; what comes of the others
 * meanwhile is kept.
 */
export function demultiplex(incoming: Incoming, count: number): ReadableStream[] {
	if (!(count <= MOST_STREAMS)) throw new RangeError(`more than ${MOST_STREAMS} streams`);
	const sinks: Sink[] = [];
	const streams: ReadableStream[] = [];
	let reading: Promise<void> | null = null;
	const advance = async () => {
		reading ??= readFrame(incoming, sinks);
		await reading;
		reading = null;
	};
	for (let i = 0; i < count; i++) {
		const sink = new Sink();
		sinks[i] = sink;
		streams[i] = new ReadableStream(
			{
				type: "bytes",
				async pull(controller: ReadableByteStreamController) {
					while (sink.queue.length === 0 && !sink.ended) await advance();
					if (sink.queue.length > 0) {
						controller.enqueue(sink.queue.shift() as Uint8Array<ArrayBuffer>);
					} else if (sink.failed) {
						controller.error(sink.failure);
					} else {
						controller.close();
						controller.byobRequest?.respond(0);
					}
				},
				cancel(reason: unknown) {
					sink.cancelled = true;
					sink.ended = true;
					sink.queue.length = 0;
					if (sinks.every(({ cancelled }) => cancelled)) incoming.cancel(reason);
				},
			},
			{ highWaterMark: 0 },
		);
	}
	return streams;
}

/** Reads a frame. It never rejects: what goes wrong is every stream's failure. */
async function readFrame(incoming: Incoming, sinks: Sink[]): Promise<void> {
	try {
		const { buffer } = await incoming.take(FRAME_HEAD);
		const head = new DataView(buffer);
		const sink = sinks[head.getUint16(0)];
		const kind = head.getUint8(2);
		const bytes = await incoming.take(head.getUint32(3));
		if (sink.ended) return;
		if (kind === END) sink.ended = true;
		else if (kind === FAILURE) fail(sink, new Error(decodeUtf8(bytes)));
		else if (bytes.length > 0) sink.queue.push(bytes);
	} catch (error) {
		for (const sink of sinks) if (!sink.ended) fail(sink, error);
	}
}

function fail(sink: Sink, failure: unknown): void {
	sink.ended = true;
	sink.failed = true;
	sink.failure = failure;
}
