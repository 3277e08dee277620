import type { Bytes } from "../units.ts";
import { HEAD } from "./frame.ts";

/** Bytes are put into slabs; each is twice as large as the one before, up to here. */
const MOST_SLAB: Bytes = 256 * 1024;
/** From this size on bytes stay where they are, and are not copied into the slab. */
const DIRECT: Bytes = 16 * 1024;
/** A letter of UTF-16 takes no more in UTF-8. */
const LETTER: Bytes = 3;

/** Frames in memory: each is begun, given its fields in the order in which they are read, and ended. */
export class FrameBuffer {
	#slab: Buffer;
	/** Where in the slab what has not been cut into parts begins, where the frame does, and where its next field goes. */
	#start = 0;
	#frame = 0;
	#end = 0;
	/** The frame's bytes that are not in the slab. */
	#outside: Bytes = 0;
	#parts: Buffer[] = [];
	#size: Bytes = 0;

	/** `slab` is the size of the first slab. */
	constructor(slab: Bytes = MOST_SLAB) {
		this.#slab = Buffer.allocUnsafeSlow(slab);
	}

	/** What all frames take that were ended and not taken. */
	get size(): Bytes {
		return this.#size;
	}

	begin(kind: number): this {
		this.#frame = this.#end;
		this.#outside = 0;
		this.#reserve(HEAD);
		this.#slab[this.#end + 4] = kind;
		this.#end += HEAD;
		return this;
	}

	u8(value: number): this {
		this.#reserve(1);
		this.#slab[this.#end++] = value;
		return this;
	}

	u32(value: number): this {
		this.#reserve(4);
		this.#end = this.#slab.writeUInt32LE(value, this.#end);
		return this;
	}

	f64(value: number): this {
		this.#reserve(8);
		this.#end = this.#slab.writeDoubleLE(value, this.#end);
		return this;
	}

	/** A text in UTF-8, behind its length. */
	text(value: string): this {
		// Its size is only counted where there may not be room for it: a slab for all that it may be would be mostly empty.
		const most = this.#end + 4 + value.length * LETTER;
		if (most > this.#slab.length) this.#reserve(4 + Buffer.byteLength(value));
		const at = this.#end + 4;
		const bytes = value === "" ? 0 : this.#slab.write(value, at, "utf8");
		this.#slab.writeUInt32LE(bytes, this.#end);
		this.#end = at + bytes;
		return this;
	}

	/** Bytes up to the frame's end: its last field. */
	bytes(value: Uint8Array): this {
		const { byteLength } = value;
		if (byteLength < DIRECT) {
			this.#reserve(byteLength);
			this.#slab.set(value, this.#end);
			this.#end += byteLength;
			return this;
		}
		this.#cutPart();
		this.#parts.push(Buffer.from(value.buffer, value.byteOffset, byteLength));
		this.#outside = byteLength;
		return this;
	}

	end(): void {
		const bytes = this.#end - this.#frame + this.#outside;
		this.#slab.writeUInt32LE(bytes - 4, this.#frame);
		this.#size += bytes;
	}

	/** All frames that were ended: parts that follow each other. */
	take(): Buffer[] {
		this.#cutPart();
		const parts = this.#parts;
		this.#parts = [];
		this.#size = 0;
		return parts;
	}

	/** Sees to it that the slab has room. Where it has none, the frame that was begun goes on in another. */
	#reserve(bytes: Bytes): void {
		if (this.#end + bytes <= this.#slab.length) return;
		const begun = this.#slab.subarray(this.#frame, this.#end);
		const next = Math.min(MOST_SLAB, 2 * this.#slab.length);
		this.#end = this.#frame;
		this.#cutPart();
		this.#slab = Buffer.allocUnsafeSlow(Math.max(next, begun.length + bytes));
		this.#slab.set(begun);
		this.#start = this.#frame = 0;
		this.#end = begun.length;
	}

	#cutPart(): void {
		if (this.#end > this.#start) this.#parts.push(this.#slab.subarray(this.#start, this.#end));
		this.#start = this.#end;
	}
}
