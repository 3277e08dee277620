import type { Account } from "../limits/account.ts";
import { FIRST_WINDOW, STREAM_CHUNK, STREAM_WINDOW } from "../link/messages.ts";
import type { Bytes } from "../units.ts";

/** Pieces are kept together up to this. */
const SMALL: Bytes = 4096;

/** Whom a body is sent to. */
export interface BodyTarget {
	chunk(piece: Uint8Array): void;
	/** That was all of it; a text means that it broke off, and says why. */
	end(failure: string): void;
}

/**
 * A body on its way into an isolate: no more of it is sent ahead than the isolate has asked for. As long as it has asked
 * for nothing more, the body may be handed on to somebody else instead.
 */
export class BodySender {
	readonly #account: Account;
	#target: BodyTarget;
	/** What was sent, as long as nothing more of it was asked for. */
	#unread: Uint8Array[] | null = [];
	#credit = FIRST_WINDOW;
	/** What was sent, and of which nobody knows that its receiver has it. */
	#ahead: Bytes = 0;
	#wake: (() => void) | null = null;
	#sending = false;
	#cancelled = false;
	/** Whether it goes to somebody else than the isolate. */
	isHandedOn = false;

	/** What is on its way is held on the account. */
	constructor(account: Account, isolate: BodyTarget) {
		this.#account = account;
		this.#target = isolate;
	}

	/** The isolate has taken so many bytes. */
	credit(bytes: Bytes): void {
		if (this.isHandedOn) return; // What was handed on comes no faster for what it says.
		this.#open();
		this.taken(bytes);
	}

	/** Whoever it was handed on to has taken so many bytes. */
	taken(bytes: Bytes): void {
		this.#credit = Math.min(this.#credit + bytes, STREAM_WINDOW);
		if (bytes > 0) this.#release(Math.min(bytes, this.#ahead));
		this.#wake?.();
	}

	#release(bytes: Bytes): void {
		this.#ahead -= bytes;
		this.#account.release(bytes);
	}

	/** Nobody wants the rest, and whoever it was handed on to does not get it. */
	cancel(): void {
		if (this.isHandedOn && this.#sending && !this.#cancelled) this.end("the rest of it is wanted no longer");
		this.#cancelled = true;
		this.#release(this.#ahead);
		this.#wake?.();
	}

	/** It is known who reads it: the whole of the window is there from now on. */
	#open(): void {
		if (this.#unread !== null) this.#credit += STREAM_WINDOW - FIRST_WINDOW;
		this.#unread = null;
	}

	/** Whether the isolate has read nothing of it, and was not sent all of it either. */
	get mayBeHandedOn(): boolean {
		return this.#unread !== null && this.#sending && !this.#cancelled;
	}

	/** Sends all of it to another one from now on, and again what the isolate was sent. */
	handOn(target: BodyTarget): void {
		const sent = this.#unread ?? [];
		this.isHandedOn = true;
		this.#target = target;
		for (const piece of sent) target.chunk(piece);
		this.#open();
		this.#wake?.();
	}

	/** That was all of it, or it broke off. */
	end(failure: string): void {
		this.#target.end(failure);
	}

	/** Sends all of a body, in pieces. Resolves to whether it got to the end; rejects with the body's own error. */
	async send(body: AsyncIterable<Uint8Array>): Promise<boolean> {
		this.#sending = true;
		try {
			return await this.#send(body);
		} finally {
			this.#sending = false;
		}
	}

	async #send(body: AsyncIterable<Uint8Array>): Promise<boolean> {
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
				if (this.#unread !== null) keep(this.#unread, piece);
				this.#target.chunk(piece);
			}
			if (this.#cancelled) return false;
		}
		return !this.#cancelled;
	}
}

/** Adds a piece to those that are kept; small ones together, since each would take as much as a hundred bytes. */
function keep(pieces: Uint8Array[], piece: Uint8Array): void {
	const last = pieces.at(-1);
	if (last !== undefined && last.byteLength + piece.byteLength <= SMALL)
		pieces[pieces.length - 1] = Buffer.concat([last, piece]);
	else pieces.push(piece);
}

/** A body on its way out of an isolate, read as an async iterable; what was read is credited to the isolate. */
export class BodyReceiver implements AsyncIterable<Uint8Array>, BodyTarget {
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

	/** Nobody is to have the rest: whoever still reads hears that it is not whole. */
	drop(): void {
		if (!this.#ended || this.#queue.length > 0) this.#failure ??= new Error("nobody waits for it any more");
		this.#ended = true;
		this.#wake?.();
		for (const { byteLength } of this.#queue.splice(0)) this.#account.release(byteLength);
	}
}
