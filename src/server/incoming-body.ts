import type { IncomingMessage } from "node:http";
import { FunctionError } from "../errors.ts";
import type { Bytes } from "../units.ts";
import { KEPT_BODY } from "./exchange.ts";

/** A body can come in chunks of one byte, each of which is an object of its own: so many of them are put together. */
const MOST_PARTS = 1024;

/**
 * A request's body as it comes in. What is read of the connection at once is handed on as one piece, however many
 * chunks it came in, and no more is read than has been taken, but for 64 KB.
 */
export class IncomingBody implements AsyncIterableIterator<Uint8Array> {
	readonly #req: IncomingMessage;
	readonly #most: Bytes;
	#parts: Buffer[] = [];
	#held: Bytes = 0;
	#total: Bytes = 0;
	#paused = false;
	#over = false;
	/**
	 * Nobody wants the rest, which has to be read all the same: the response is still to be sent, and requests may
	 * follow.
	 */
	#discards = false;
	#failure: Error | null = null;
	#wake: (() => void) | null = null;
	/**
	 * What has come in this round of the event loop is handed on at its end: between two chunks of one read promises
	 * are settled.
	 */
	#round: NodeJS.Immediate | null = null;

	/** It fails with `body_too_large` where more than `most` bytes come. */
	constructor(req: IncomingMessage, most: Bytes) {
		this.#req = req;
		this.#most = most;
		// Of itself node:http reads on as long as its own buffer has room, in which each chunk is an object.
		const read = req._read.bind(req);
		req._read = (size) => {
			if (!this.#paused) read(size);
		};
		req.on("data", (part: Buffer) => this.#onData(part));
		req.on("end", () => this.#end(null));
		req.on("error", (error) => this.#end(error));
		req.on("close", () => this.#end(new Error("the client has gone")));
	}

	#onData(part: Buffer): void {
		if (this.#discards || this.#over) return;
		this.#total += part.length;
		if (this.#total > this.#most) {
			this.#end(new FunctionError("body_too_large"));
			return;
		}
		this.#parts.push(part);
		this.#held += part.length;
		if (this.#parts.length === MOST_PARTS) this.#parts = [Buffer.concat(this.#parts)];
		if (this.#held >= KEPT_BODY && !this.#paused) {
			this.#paused = true;
			this.#req.socket.pause();
		}
		this.#round ??= setImmediate(() => {
			this.#round = null;
			this.#wake?.();
		});
	}

	#end(failure: Error | null): void {
		if (this.#over) return;
		this.#over = true;
		this.#failure = failure;
		this.#readOn();
		this.#wake?.();
	}

	#readOn(): void {
		if (!this.#paused) return;
		this.#paused = false;
		this.#req.socket.resume();
	}

	async next(): Promise<IteratorResult<Uint8Array, undefined>> {
		while (this.#parts.length === 0 || this.#round !== null) {
			if (this.#parts.length === 0 && this.#failure !== null) throw this.#failure;
			if (this.#parts.length === 0 && (this.#over || this.#discards)) return { done: true, value: undefined };
			const { promise, resolve } = Promise.withResolvers<void>();
			this.#wake = resolve;
			await promise;
			this.#wake = null;
		}
		const value = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
		this.#parts = [];
		this.#held = 0;
		this.#readOn();
		return { done: false, value };
	}

	async return(): Promise<IteratorResult<Uint8Array, undefined>> {
		this.#discards = true;
		this.#parts = [];
		this.#readOn();
		this.#wake?.();
		return { done: true, value: undefined };
	}

	[Symbol.asyncIterator](): this {
		return this;
	}
}
