import type { Bytes } from "../units.ts";
import { isStreamed } from "./heads.ts";
import { Kind, STREAM_CHUNK, STREAM_WINDOW } from "./messages.ts";
import type { Outgoing } from "./outgoing.ts";

/**
 * How much an attempt may send of the bodies that it streams, by operation: the window, and what the receiver has
 * credited since. A piece may begin as long as there is room for one byte.
 */
export class SendWindows {
	/** Made at the first body: most attempts stream none. */
	#rooms: Map<number, Bytes> | null = null;

	/** A body begins, unless it had begun already. */
	#open(op: number): boolean {
		this.#rooms ??= new Map();
		if (this.#rooms.has(op)) return false;
		this.#rooms.set(op, STREAM_WINDOW);
		return true;
	}

	/** Whether so much of a body may come. */
	#take(op: number, bytes: Bytes): boolean {
		const room = this.#rooms?.get(op);
		if (room === undefined || room - bytes <= -STREAM_CHUNK) return false;
		this.#rooms?.set(op, room - bytes);
		return true;
	}

	/** The receiver has taken so much. */
	credit(op: number, bytes: Bytes): void {
		const room = this.#rooms?.get(op);
		if (room !== undefined) this.#rooms?.set(op, room + bytes);
	}

	/** Whether a message of the sender's is one that it may send. */
	admits({ kind, op, text, data }: Outgoing<unknown>): boolean {
		switch (kind) {
			case Kind.response:
			case Kind.call:
				return !isStreamed(text) || this.#open(op);
			case Kind.body:
				return this.#take(op, (data as Uint8Array).byteLength);
			case Kind.end:
				this.#rooms?.delete(op);
				return true;
			default:
				return true;
		}
	}
}
