import type { Writable } from "node:stream";
import { Kind } from "./messages.ts";

/**
 * The link between the edge and a sandbox: frames on one socketpair. A frame is a head of 22 bytes, then a text in UTF-8,
 * then data:
 *
 *     length u32 (of all that follows) | kind u8 | attempt u32 | op u32 | version u32 | data type u8 | text length u32
 */
export const FrameKind = {
	...Kind,
	/** To a sandbox, first of all: its settings. */
	settings: 64,
	/** To a sandbox: a version's image. */
	load: 65,
	/** To a sandbox: a request whose turns are to be cut early. */
	lightRequest: 72,
	/** To a sandbox: an image that it lacks is on its way. */
	expect: 71,
	unload: 66,
	/** To a sandbox: a version that it is to start an isolate of. */
	preload: 74,
	/** From a sandbox: its settings are in place. */
	ready: 67,
	want: 68,
	/** Like `done`, of an attempt with a turn that was not light. */
	doneHeavy: 73,
	failed: 69,
	stats: 70,
} as const;

export interface Frame {
	kind: number;
	attempt: number;
	op: number;
	version: number;
	text: string;
	data: Buffer | number | undefined;
}

const HEAD = 22;
const SLAB = 256 * 1024;
/**
 * So many frames leave without waiting for more: the other process can begin on them while this one makes the next. With
 * all of a round in one write the two would take turns instead of working side by side.
 */
const BATCH = 8;
/** From this size on data is written as it is, without copying it into the slab. */
const DIRECT = 16 * 1024;

/** Writes frames. What is written in one round of the event loop leaves in one system call. */
export class FrameWriter {
	#socket: Writable | null;
	#slab = Buffer.allocUnsafeSlow(SLAB);
	#start = 0;
	#end = 0;
	#parts: Buffer[] = [];
	#frames = 0;
	#scheduled: NodeJS.Immediate | null = null;

	/** Without a socket what is written waits for `open`. */
	constructor(socket: Writable | null = null) {
		this.#socket = socket;
	}

	/** The link is there. */
	open(socket: Writable): void {
		this.#socket = socket;
		this.flush();
	}

	write(kind: number, attempt: number, op: number, version: number, text: string, data?: Uint8Array | number): void {
		const size = typeof data === "number" ? 8 : data === undefined ? 0 : data.byteLength;
		const direct = size >= DIRECT;
		this.#reserve(HEAD + text.length * 3 + (direct ? 0 : size));
		const slab = this.#slab;
		const at = this.#end;
		const textBytes = text === "" ? 0 : slab.write(text, at + HEAD, "utf8");
		slab.writeUInt32LE(HEAD - 4 + textBytes + size, at);
		slab[at + 4] = kind;
		slab.writeUInt32LE(attempt, at + 5);
		slab.writeUInt32LE(op, at + 9);
		slab.writeUInt32LE(version, at + 13);
		slab[at + 17] = data === undefined ? 0 : typeof data === "number" ? 2 : 1;
		slab.writeUInt32LE(textBytes, at + 18);
		this.#end = at + HEAD + textBytes;
		if (typeof data === "number") this.#end = slab.writeDoubleLE(data, this.#end);
		else if (direct) {
			this.#cutPart();
			this.#parts.push(Buffer.from((data as Uint8Array).buffer, (data as Uint8Array).byteOffset, size));
		} else if (data !== undefined) {
			slab.set(data, this.#end);
			this.#end += size;
		}
		if (++this.#frames >= BATCH) this.flush();
		else this.#scheduled ??= setImmediate(() => this.flush());
	}

	#reserve(bytes: number): void {
		if (this.#end + bytes <= this.#slab.length) return;
		this.#cutPart();
		this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB, bytes));
		this.#start = this.#end = 0;
	}

	#cutPart(): void {
		if (this.#end > this.#start) this.#parts.push(this.#slab.subarray(this.#start, this.#end));
		this.#start = this.#end;
	}

	flush(): void {
		if (this.#scheduled !== null) clearImmediate(this.#scheduled);
		this.#scheduled = null;
		this.#frames = 0;
		if (this.#socket === null) return;
		this.#cutPart();
		const parts = this.#parts;
		if (parts.length === 0) return;
		this.#parts = [];
		if (!this.#socket.writable) return;
		if (parts.length === 1) {
			this.#socket.write(parts[0]);
			return;
		}
		this.#socket.cork();
		for (const part of parts) this.#socket.write(part);
		this.#socket.uncork();
	}

	/** Stops the flush that is still to come; for a link that is gone. */
	close(): void {
		if (this.#scheduled !== null) clearImmediate(this.#scheduled);
		this.#scheduled = null;
		this.#parts = [];
	}
}

/** Thrown for bytes that no honest peer sends. */
class FrameError extends Error {}

/**
 * Cuts what arrives into frames. Their data is a view of what was read, valid for as long as its holder likes. A piece of a
 * body is handed on as it comes, as several where it came so: put together first, a stream would leave three times its
 * bytes for the garbage collector.
 */
export class FrameReader {
	readonly #maxBytes: number;
	readonly #onFrame: (frame: Frame) => void;
	#rest: Buffer[] = [];
	#restBytes = 0;
	#needed = 4;
	/** The piece of a body of which more is to come, and how many bytes. */
	#piece: Frame | null = null;
	#pieceBytes = 0;

	constructor(maxBytes: number, onFrame: (frame: Frame) => void) {
		this.#maxBytes = maxBytes;
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
			if (bytes.length - at < length + 4) {
				if (this.#begin(bytes, at, at + 4 + length)) return;
				break;
			}
			this.#frame(bytes, at, at + 4 + length);
			at += 4 + length;
		}
		if (at === bytes.length) return;
		const rest = bytes.subarray(at);
		this.#rest = [rest];
		this.#restBytes = rest.length;
		this.#needed = rest.length >= 4 ? rest.readUInt32LE(0) + 4 : 4;
	}

	/** Takes what is there of a piece of a body that is not all there yet. Returns whether it is one. */
	#begin(bytes: Buffer, at: number, end: number): boolean {
		if (bytes.length - at < HEAD || bytes[at + 4] !== Kind.body || bytes[at + 17] !== 1) return false;
		if (bytes.readUInt32LE(at + 18) > 0) return false;
		this.#piece = readFrame(bytes, at, "", undefined);
		this.#pieceBytes = end - at - HEAD;
		this.#goOn(this.#piece, bytes.subarray(at + HEAD));
		return true;
	}

	/** Hands on what has come of the rest of a piece, and returns what came behind it. */
	#goOn(piece: Frame, bytes: Buffer): Buffer {
		const data = bytes.subarray(0, this.#pieceBytes);
		this.#pieceBytes -= data.length;
		if (this.#pieceBytes === 0) this.#piece = null;
		if (data.length > 0) this.#onFrame({ ...piece, data });
		return bytes.subarray(data.length);
	}

	#frame(bytes: Buffer, at: number, end: number): void {
		const textStart = at + HEAD;
		const dataStart = textStart + bytes.readUInt32LE(at + 18);
		if (dataStart > end) throw new FrameError("a text that is longer than its frame");
		const type = bytes[at + 17];
		let data: Buffer | number | undefined;
		if (type === 1) data = bytes.subarray(dataStart, end);
		else if (type === 2) {
			if (end - dataStart !== 8) throw new FrameError("a number that is not 8 bytes long");
			data = bytes.readDoubleLE(dataStart);
		}
		const text = dataStart === textStart ? "" : bytes.toString("utf8", textStart, dataStart);
		this.#onFrame(readFrame(bytes, at, text, data));
	}
}

/** A frame by its head, which begins at `at`. */
function readFrame(bytes: Buffer, at: number, text: string, data: Buffer | number | undefined): Frame {
	return {
		kind: bytes[at + 4],
		attempt: bytes.readUInt32LE(at + 5),
		op: bytes.readUInt32LE(at + 9),
		version: bytes.readUInt32LE(at + 13),
		text,
		data,
	};
}
