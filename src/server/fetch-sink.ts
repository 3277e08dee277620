import type { FetchedResponse } from "../bindings/functions.ts";
import type { Account } from "../limits/account.ts";
import type { ResponseHead } from "../link/messages.ts";
import type { ResponseSink, SocketEnd } from "./exchange.ts";

interface Piece {
	bytes: Uint8Array;
	taken: () => void;
}

/** Collects a response; a streamed body is read no faster than its reader takes it. */
export class FetchSink implements ResponseSink {
	readonly #response = Promise.withResolvers<FetchedResponse>();
	readonly response = this.#response.promise;
	/** Whether its reader is this process's own, which reads to the end or says that it does not. */
	readonly #ours: boolean;
	account: Account | null = null;
	#controller: ReadableStreamDefaultController<Uint8Array> | null = null;
	#pieces: Piece[] = [];
	#wanted = false;
	#ended = false;
	#settled = false;
	/** Called when the reader of a streamed body no longer wants it. */
	onGone: () => void = () => undefined;
	/** Called when nothing more comes of the request. */
	onSettled: () => void = () => undefined;
	/**
	 * An answer to HEAD has no body, whatever its function thinks:
	 * https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2
	 */
	readonly #bodiless: boolean;

	/** `reader` says whose what is read of it is: what a program that embeds atoll does with a response is its own. */
	constructor({ method, reader }: { method: string; reader: "function" | "program" }) {
		this.#bodiless = method === "HEAD";
		this.#ours = reader === "function";
	}

	respond(head: ResponseHead, body: Uint8Array | null): void {
		if (this.#bodiless && body !== null) head.headers.push("content-length", String(body.byteLength));
		this.#response.resolve({ head, body: this.#bodiless ? null : body });
	}

	begin(head: ResponseHead): void {
		if (this.#bodiless) {
			this.#response.resolve({ head, body: null });
			return;
		}
		const body = new ReadableStream<Uint8Array>(
			{
				start: (controller) => {
					this.#controller = controller;
				},
				pull: () => {
					this.#wanted = true;
					this.#give();
				},
				cancel: () => {
					this.#leave();
					this.onGone();
				},
			},
			{ highWaterMark: 0 },
		);
		this.#response.resolve({ head, body });
	}

	write(bytes: Uint8Array, taken: () => void): void {
		if (this.#bodiless) taken();
		if (this.#controller === null) return;
		this.#pieces.push({ bytes, taken });
		this.#give();
	}

	#give(): void {
		if (this.#controller === null || !this.#wanted) return;
		const piece = this.#pieces.shift();
		if (piece !== undefined) {
			this.#wanted = false;
			this.#controller.enqueue(piece.bytes);
			piece.taken();
		} else if (this.#ended) {
			this.#controller.close();
			this.#leave();
		}
	}

	/** Nothing is held for the reader any more. */
	#leave(): void {
		this.#controller = null;
		this.#pieces = [];
		if (this.#settled) this.account?.close();
	}

	upgrade(): SocketEnd {
		throw new Error("a WebSocket needs a request that came over a connection");
	}

	endConnection(): void {}

	end(): void {
		this.#ended = true;
		this.#give();
	}

	cut(): void {
		const error = new TypeError("the response broke off");
		this.#response.reject(error);
		this.#controller?.error(error);
		this.#leave();
	}

	drop(): void {
		this.cut();
	}

	settle(): void {
		this.#settled = true;
		this.onSettled();
		if (this.#pieces.length === 0 || !this.#ours) this.account?.close();
	}
}
