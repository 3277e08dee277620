import type { Account } from "../limits/account.ts";
import { STREAM_CHUNK, STREAM_WINDOW } from "../link/messages.ts";
import type { Bytes } from "../units.ts";

/** A body on its way into an isolate: no more of it is sent ahead than the isolate has asked for. */
export class BodySender {
	readonly #account: Account;
	#credit = STREAM_WINDOW;
	/** What was sent, and of which nobody knows that the isolate has it. */
	#ahead: Bytes = 0;
	#wake: (() => void) | null = null;
	#cancelled = false;

	/** What is on its way is held on the account. */
	constructor(account: Account) {
		this.#account = account;
	}

	/** The isolate has taken so many bytes. */
	credit(bytes: Bytes): void {
		this.#credit = Math.min(this.#credit + bytes, STREAM_WINDOW);
		if (bytes > 0) this.#release(Math.min(bytes, this.#ahead));
		this.#wake?.();
	}

	#release(bytes: Bytes): void {
		this.#ahead -= bytes;
		this.#account.release(bytes);
	}

	/** Nobody wants the rest. */
	cancel(): void {
		this.#cancelled = true;
		this.#release(this.#ahead);
		this.#wake?.();
	}

	/** Sends all of a body, in pieces. Resolves to whether it got to the end; rejects with the body's own error. */
	async send(body: AsyncIterable<Uint8Array>, emit: (piece: Uint8Array) => void): Promise<boolean> {
		for await (const chunk of body) {
			for (let at = 0; at < chunk.byteLength; at += STREAM_CHUNK) {
				while (this.#credit <= 0 && !this.#cancelled) {
					await new Promise<void>((resolve) => {
						this.#wake = resolve;
					});
					this.#wake = null;
				}
				if (this.#cancelled) return false;
				const piece = chunk.byteLength <= STREAM_CHUNK ? chunk : chunk.subarray(at, at + STREAM_CHUNK);
				this.#credit -= piece.byteLength;
				this.#ahead += piece.byteLength;
				this.#account.hold(piece.byteLength);
				emit(piece);
			}
			if (this.#cancelled) return false;
		}
		return !this.#cancelled;
	}
}

/** A body on its way out of an isolate, read as an async iterable; what was read is credited to the isolate. */
export class BodyReceiver implements AsyncIterable<Uint8Array> {
	readonly #credit: (bytes: Bytes) => void;
	readonly #cancel: () => void;
	readonly #account: Account;
	#queue: Uint8Array[] = [];
	#ended = false;
	#failure: Error | null = null;
	#wake: (() => void) | null = null;

	/** What has not been read is held on the account. */
	constructor(account: Account, credit: (bytes: Bytes) => void, cancel: () => void) {
		this.#account = account;
		this.#credit = credit;
		this.#cancel = cancel;
	}

	chunk(bytes: Uint8Array): void {
		if (this.#ended) return;
		this.#account.hold(bytes.byteLength);
		this.#queue.push(bytes);
		this.#wake?.();
	}

	end(failure: string): void {
		if (this.#ended) return;
		this.#ended = true;
		if (failure !== "") this.#failure = new Error(failure);
		this.#wake?.();
	}

	async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
		try {
			for (;;) {
				const bytes = this.#queue.shift();
				if (bytes !== undefined) {
					this.#account.release(bytes.byteLength);
					yield bytes;
					this.#credit(bytes.byteLength);
				} else if (this.#failure !== null) throw this.#failure;
				else if (this.#ended) return;
				else {
					await new Promise<void>((resolve) => {
						this.#wake = resolve;
					});
					this.#wake = null;
				}
			}
		} finally {
			if (!this.#ended) this.#cancel();
			this.drop();
		}
	}

	/** Nobody reads the rest. */
	drop(): void {
		this.#ended = true;
		for (const { byteLength } of this.#queue.splice(0)) this.#account.release(byteLength);
	}
}
