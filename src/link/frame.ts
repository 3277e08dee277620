import type { Bytes } from "../units.ts";

/*
 * The link between two processes carries frames, on one socketpair:
 *
 *     length u32 (of all that follows) | kind u8 | fields
 *
 * Which fields a kind has stands in `commands.ts`, `events.ts` and `build-frames.ts`. Numbers are little endian; a text
 * stands behind its length (u32), in UTF-8; bytes are the last field, and go to the frame's end.
 */

/** A frame's length and its kind. */
export const HEAD: Bytes = 5;

/** Thrown for bytes that no honest peer sends. */
export class FrameError extends Error {
	override name = "FrameError";
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * A frame that has arrived, of which each field can be read once, in their order; every read throws FrameError where
 * the frame has no such field. The reader uses one for all frames: it is good until the next.
 */
export class Frame {
	kind = 0;
	#bytes = NOTHING;
	#at = 0;
	#end = 0;
	/** Of a body: what has come of its bytes. */
	#piece: Buffer | null = null;

	/**
	 * Sets it to the frame that begins at `at`. Of one that is a piece of a body, `piece` stands for its bytes,
	 * behind its other fields.
	 */
	set(bytes: Buffer, at: number, end: number, piece: Buffer | null): this {
		this.kind = bytes[at + 4];
		this.#bytes = bytes;
		this.#at = at + HEAD;
		this.#end = end;
		this.#piece = piece;
		return this;
	}

	#take(bytes: Bytes): number {
		const at = this.#at;
		if (at + bytes > this.#end) throw new FrameError("a frame that is shorter than its fields");
		this.#at = at + bytes;
		return at;
	}

	u8(): number {
		return this.#bytes[this.#take(1)];
	}

	u32(): number {
		return this.#bytes.readUInt32LE(this.#take(4));
	}

	f64(): number {
		return this.#bytes.readDoubleLE(this.#take(8));
	}

	/** A double that can only be a time or a size. */
	amount(): number {
		const value = this.f64();
		if (!(value >= 0 && value < Infinity)) throw new FrameError(`an amount of ${value}`);
		return value;
	}

	text(): string {
		const length = this.u32();
		const at = this.#take(length);
		return length === 0 ? "" : this.#bytes.toString("utf8", at, at + length);
	}

	/** The bytes up to its end: a view of what was read, valid for as long as its holder likes. */
	bytes(): Buffer {
		if (this.#piece !== null) {
			const piece = this.#piece;
			this.#piece = null;
			return piece;
		}
		return this.#bytes.subarray(this.#take(this.#end - this.#at), this.#end);
	}

	/** All its fields have been read. Throws FrameError where it has more. */
	finish(): void {
		if (this.#at !== this.#end || this.#piece !== null) throw new FrameError("a frame that is longer than its fields");
	}
}
