import type { Bytes } from "../units.ts";
import { Frame, FrameError, HEAD } from "./frame.ts";
import { Kind } from "./messages.ts";

export interface FrameReaderOptions {
	/** The longest frame that an honest peer sends. */
	maxBytes: Bytes;
	/** How many bytes of fields stand before those of a body; without them no body comes over this link. */
	bodyFields?: Bytes;
}

/**
 * Cuts what arrives into frames. A piece of a body is handed on as it comes, as several where it came so: put
 * together first, a stream would leave three times its bytes for the garbage collector.
 */
export class FrameReader {
	readonly #maxBytes: Bytes;
	/** The length of a body's frame without its bytes; 0 where none comes. */
	readonly #bodyHead: Bytes;
	readonly #onFrame: (frame: Frame) => void;
	readonly #frame = new Frame();
	#rest: Buffer[] = [];
	#restBytes = 0;
	#needed = 4;
	/** The head of the piece of a body of which more is to come, and how many bytes. */
	#piece: Buffer | null = null;
	#pieceBytes = 0;

	/** `onFrame` reads each frame before it returns. What it throws, `read` does. */
	constructor({ maxBytes, bodyFields = 0 }: FrameReaderOptions, onFrame: (frame: Frame) => void) {
		this.#maxBytes = maxBytes;
		this.#bodyHead = bodyFields === 0 ? 0 : HEAD + bodyFields;
		this.#onFrame = onFrame;
	}

	/** Throws FrameError where the bytes are no frames. */
	read(chunk: Buffer): void {
		let bytes = chunk;
		if (this.#piece !== null) {
			bytes = this.#goOn(this.#piece, chunk);
		} else if (this.#restBytes > 0) {
			this.#rest.push(chunk);
			this.#restBytes += chunk.length;
			if (this.#restBytes < this.#needed) return;
			bytes = Buffer.concat(this.#rest, this.#restBytes);
			this.#rest = [];
			this.#restBytes = 0;
		}
		let at = 0;
		while (bytes.length - at >= 4) {
			const length = bytes.readUInt32LE(at);
			if (length < HEAD - 4 || length > this.#maxBytes) throw new FrameError(`a frame of ${length} bytes`);
			const end = at + 4 + length;
			if (bytes.length < end) {
				if (this.#begin(bytes, at, end)) return;
				break;
			}
			this.#onFrame(this.#frame.set(bytes, at, end, null));
			at = end;
		}
		if (at === bytes.length) return;
		const rest = bytes.subarray(at);
		this.#rest = [rest];
		this.#restBytes = rest.length;
		this.#needed = rest.length >= 4 ? rest.readUInt32LE(0) + 4 : 4;
	}

	/** Takes what is there of a piece of a body that is not all there yet. Returns whether it is one. */
	#begin(bytes: Buffer, at: number, end: number): boolean {
		const head = this.#bodyHead;
		if (head === 0 || bytes.length - at < head || end - at < head || bytes[at + 4] !== Kind.body) return false;
		this.#piece = bytes.subarray(at, at + head);
		this.#pieceBytes = end - at - head;
		this.#goOn(this.#piece, bytes.subarray(at + head));
		return true;
	}

	/** Hands on what has come of the rest of a piece, and returns what came behind it. */
	#goOn(head: Buffer, bytes: Buffer): Buffer {
		const data = bytes.subarray(0, this.#pieceBytes);
		this.#pieceBytes -= data.length;
		if (this.#pieceBytes === 0) this.#piece = null;
		if (data.length > 0) this.#onFrame(this.#frame.set(head, 0, head.length, data));
		return bytes.subarray(data.length);
	}
}
