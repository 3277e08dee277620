import type { Writable } from "node:stream";
import type { Bytes } from "../units.ts";

const SLAB: Bytes = 256 * 1024;
/**
 * So many frames leave without waiting for more: the other process can begin on them while this one makes the next.
 * With all of a round in one write the two would take turns instead of working side by side.
 */
const BATCH = 8;
/** From this size on bytes are written as they are, without copying them into the slab. */
const DIRECT: Bytes = 16 * 1024;
/** Behind so much that is unread nothing should be written that can wait. */
const MOST_UNREAD: Bytes = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Writes frames: each is begun, given its fields in the order in which they are read, and ended. What is written in
 * one round of the event loop leaves in one system call.
 */
export class FrameWriter {
	#socket: Writable | null;
	#slab = Buffer.allocUnsafeSlow(SLAB);
	/**
	 * Where in the slab what has not been cut into parts begins, where the frame does, and where its next field goes.
	 */
	#start = 0;
	#frame = 0;
	#end = 0;
	/** The frame's bytes that are not in the slab. */
	#outside: Bytes = 0;
	#parts: Buffer[] = [];
	#frames = 0;
	#scheduled: NodeJS.Immediate | null = null;
	/** Who waits for what was written to be read. */
	#waiting: (() => void)[] = [];

	/** Without a socket what is written waits for `open`. */
	constructor(socket: Writable | null = null) {
		this.#socket = socket;
	}

	/** The link is there. */
	open(socket: Writable): void {
		this.#socket = socket;
		this.flush();
	}

	begin(kind: number): this {
		this.#frame = this.#end;
		this.#outside = 0;
		this.#reserve(5);
		this.#slab[this.#end + 4] = kind;
		this.#end += 5;
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
		this.#reserve(4 + value.length * 3);
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
		this.#slab.writeUInt32LE(this.#end - this.#frame - 4 + this.#outside, this.#frame);
		if (++this.#frames >= BATCH) this.flush();
		else this.#scheduled ??= setImmediate(() => this.flush());
	}

	/** Sees to it that the slab has room. Where it has none, the frame that was begun goes on in another. */
	#reserve(bytes: Bytes): void {
		if (this.#end + bytes <= this.#slab.length) return;
		const begun = this.#slab.subarray(this.#frame, this.#end);
		this.#end = this.#frame;
		this.#cutPart();
		this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB, begun.length + bytes));
		this.#slab.set(begun);
		this.#start = this.#frame = 0;
		this.#end = begun.length;
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
		if (parts.length === 0 && this.#waiting.length === 0) return;
		this.#parts = [];
		const told = this.#tellLater();
		if (!this.#socket.writable) {
			told?.();
			return;
		}
		if (parts.length === 1 && told === null) {
			this.#socket.write(parts[0]);
			return;
		}
		this.#socket.cork();
		for (const part of parts) this.#socket.write(part);
		if (told !== null) this.#socket.write(NOTHING, told);
		this.#socket.uncork();
	}

	#tellLater(): (() => void) | null {
		const waiting = this.#waiting;
		if (waiting.length === 0) return null;
		this.#waiting = [];
		return () => {
			for (const callback of waiting) callback();
		};
	}

	/** Whether the other process has much to read; `resume` is called once it has read that, or the link is gone. */
	clogged(resume: () => void): boolean {
		if (this.unread < MOST_UNREAD || this.#socket?.writable !== true) return false;
		this.#waiting.push(resume);
		this.#scheduled ??= setImmediate(() => this.flush());
		return true;
	}

	/** What the other process has not read. */
	get unread(): Bytes {
		return this.#socket?.writableLength ?? 0;
	}

	/** Stops the flush that is still to come; for a link that is gone. */
	close(): void {
		if (this.#scheduled !== null) clearImmediate(this.#scheduled);
		this.#scheduled = null;
		this.#parts = [];
		this.#tellLater()?.();
	}
}
