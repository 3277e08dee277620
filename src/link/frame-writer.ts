import type { Writable } from "node:stream";
import type { Bytes } from "../units.ts";
import { FrameBuffer } from "./frame-buffer.ts";

/**
 * So many frames leave without waiting for more: the other process can begin on them while this one makes the next.
 * With all of a round in one write the two would take turns instead of working side by side.
 */
const BATCH = 8;
/** Behind so much that is unread nothing should be written that can wait. */
const MOST_UNREAD: Bytes = 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/** Writes frames to a socket: what is written in one round of the event loop leaves in one system call. */
export class FrameWriter extends FrameBuffer {
	#socket: Writable | null;
	#frames = 0;
	#scheduled: NodeJS.Immediate | null = null;
	/** Who waits for what was written to be read. */
	#waiting: (() => void)[] = [];

	/** Without a socket what is written waits for `open`. */
	constructor(socket: Writable | null = null) {
		super();
		this.#socket = socket;
	}

	/** The link is there. */
	open(socket: Writable): void {
		this.#socket = socket;
		this.flush();
	}

	override end(): void {
		super.end();
		if (++this.#frames >= BATCH) this.flush();
		else this.#scheduled ??= setImmediate(() => this.flush());
	}

	flush(): void {
		if (this.#scheduled !== null) clearImmediate(this.#scheduled);
		this.#scheduled = null;
		this.#frames = 0;
		if (this.#socket === null) return;
		const parts = this.take();
		if (parts.length === 0 && this.#waiting.length === 0) return;
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
		this.take();
		this.#tellLater()?.();
	}
}
