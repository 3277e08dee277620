import { Kind, STREAM_CHUNK, STREAM_WINDOW } from "../../link/messages.ts";
import { exactBytes, isBufferSource, viewBytes } from "../encoding/bytes.ts";
import { describeError } from "../errors/report-error.ts";
import type { IoContext, Operation } from "../io-context.ts";
import { disturb, isDisturbed } from "../streams/internals.ts";
import {
	type ReadableByteStreamController,
	ReadableStream,
	type ReadableStreamDefaultReader,
} from "../streams/streams.ts";

/** Has the edge hand on a body that comes in as that of operation `op`, and tells when that is over. */
type HandOn = (to: IoContext, op: number, over: (isHandedOn: boolean) => void) => void;

const handOns = new WeakMap<ReadableStream, HandOn>();

/**
 * A stream of bytes that arrive from the edge. The edge sends no more than the window ahead of what the function has
 * read, so an unread body costs the isolate 256 KB at most.
 */
export function receiveStream(context: IoContext, op: number, operation: Operation): ReadableStream<Uint8Array> {
	const queue: Uint8Array[] = [];
	let wake: (() => void) | null = null;
	let ended = false;
	let failed = false;
	let failure: unknown;
	let taken = 0;
	operation.chunk = (bytes) => {
		queue.push(bytes);
		wake?.();
	};
	operation.end = (reason) => {
		if (ended) return;
		ended = true;
		failed = reason !== "";
		failure = typeof reason === "string" ? new TypeError(reason) : reason;
		if (failed) queue.length = 0;
		wake?.();
	};
	context.operations.set(op, operation);
	const stream = new ReadableStream<Uint8Array>(
		{
			type: "bytes",
			async pull(controller: ReadableByteStreamController) {
				if (queue.length === 0 && !ended) {
					await new Promise<void>((resolve) => {
						wake = resolve;
					});
					wake = null;
				}
				if (queue.length > 0) {
					const bytes = queue.shift() as Uint8Array;
					taken += bytes.byteLength;
					controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
					if (taken >= STREAM_WINDOW / 4 && !ended) {
						context.emit(Kind.credit, op, "", taken);
						taken = 0;
					}
				} else if (failed) {
					controller.error(failure);
				} else if (ended) {
					controller.close();
					controller.byobRequest?.respond(0);
				}
			},
			cancel() {
				queue.length = 0;
				if (!ended) context.emit(Kind.cancel, op);
				ended = true;
			},
		},
		{ highWaterMark: 0 },
	);
	handOns.set(stream, (to, toOp, over) => {
		if (to !== context || ended) {
			over(false);
			return;
		}
		const end = operation.end;
		operation.end = (reason) => {
			end?.(reason);
			over(false);
		};
		operation.handedOn = () => {
			ended = true;
			queue.length = 0;
			over(true);
		};
		to.emit(Kind.handOn, toOp, "", op);
	});
	return stream;
}

/**
 * Sends a stream's bytes to the edge, no faster than its receiver takes them, or has the edge hand them on, where they
 * come from there and nobody has read any. Resolves when the stream has ended or failed, or nobody wants it any more; it
 * never rejects.
 */
export async function sendStream(
	context: IoContext,
	op: number,
	stream: ReadableStream,
	operation: Operation,
): Promise<void> {
	let credit = STREAM_WINDOW;
	let gone = false;
	let wake: (() => void) | null = null;
	const handOn = isDisturbed(stream) ? undefined : handOns.get(stream);
	const reader = stream.getReader() as ReadableStreamDefaultReader<unknown>;
	operation.abort = () => {
		gone = true;
		wake?.();
		void reader.cancel(new Error("the receiver has gone away")).catch(() => undefined);
	};
	context.operations.set(op, operation);
	if (handOn !== undefined) {
		disturb(stream);
		const isHandedOn = await new Promise<boolean>((resolve) => {
			wake = () => resolve(true);
			handOn(context, op, resolve);
		});
		wake = null;
		if (isHandedOn) return;
	}
	operation.credit = (bytes) => {
		credit += bytes;
		wake?.();
	};
	try {
		while (!gone) {
			const { done, value } = await reader.read();
			if (gone) return;
			if (done) {
				context.emit(Kind.end, op);
				return;
			}
			if (!isBufferSource(value))
				throw new TypeError(`a body's stream must yield Uint8Array chunks, not ${kindOf(value)}`);
			const bytes = viewBytes(value);
			for (let offset = 0; offset < bytes.byteLength && !gone; offset += STREAM_CHUNK) {
				while (credit <= 0 && !gone) {
					await new Promise<void>((resolve) => {
						wake = resolve;
					});
					wake = null;
				}
				if (gone) return;
				const piece = bytes.byteLength <= STREAM_CHUNK ? bytes : pieceOf(bytes, offset);
				credit -= piece.byteLength;
				context.emit(Kind.body, op, "", exactBytes(piece));
			}
		}
	} catch (error) {
		if (gone) return;
		context.emit(Kind.end, op, describeError(error).stack);
		void reader.cancel(error).catch(() => undefined);
	}
}

/** Not by `subarray`, which asks for the species that a function may have given typed arrays. */
function pieceOf(bytes: Uint8Array, offset: number): Uint8Array {
	return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, Math.min(STREAM_CHUNK, bytes.byteLength - offset));
}

function kindOf(value: unknown): string {
	return value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
}
