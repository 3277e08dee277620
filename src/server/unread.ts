import type { Socket } from "node:net";
import type { Bytes } from "../units.ts";

/** What a connection was given to send, and its client has not taken yet. */
export class Unread {
	readonly #socket: Socket;
	#done: Bytes;
	#queued: Bytes;

	constructor(socket: Socket) {
		this.#socket = socket;
		this.#done = this.#completed();
		this.#queued = this.#inSystem();
	}

	/** Whether the client has taken nothing since this was last asked, although there was something for it to take. */
	stalls(): boolean {
		const [done, queued] = [this.#completed(), this.#inSystem()];
		const stalls = this.#socket.writableLength > 0 && done === this.#done && queued === this.#queued;
		this.#done = done;
		this.#queued = queued;
		return stalls;
	}

	/** What was taken of writes that are complete. */
	#completed(): Bytes {
		return (this.#socket.bytesWritten ?? 0) - this.#socket.writableLength;
	}

	/** What is left of the write that is being done: a large one is taken in parts, of which only its handle tells. */
	#inSystem(): Bytes {
		return (this.#socket as unknown as { _handle?: { writeQueueSize?: Bytes } | null })._handle?.writeQueueSize ?? 0;
	}
}
