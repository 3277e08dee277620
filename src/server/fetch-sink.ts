import type { FetchedResponse } from "../effects/effects.ts";
import type { ResponseHead } from "../link/messages.ts";
import type { ResponseSink, SocketEnd } from "./exchange.ts";

/** Collects a response; a streamed body is read no faster than its reader takes it. */
export class FetchSink implements ResponseSink {
	readonly #response = Promise.withResolvers<FetchedResponse>();
	readonly response = this.#response.promise;
	#controller: ReadableStreamDefaultController<Uint8Array> | null = null;
	#taken: (() => void)[] = [];
	/** Called when the reader of a streamed body no longer wants it. */
	onGone: () => void = () => undefined;
	/** An answer to HEAD has no body, whatever its function thinks: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2 */
	readonly #bodiless: boolean;

	constructor(method: string) {
		this.#bodiless = method === "HEAD";
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
					const waiting = this.#taken;
					this.#taken = [];
					for (const taken of waiting) taken();
				},
				cancel: () => {
					this.#controller = null;
					this.onGone();
				},
			},
			{ highWaterMark: 1 },
		);
		this.#response.resolve({ head, body });
	}

	write(bytes: Uint8Array, taken: () => void): void {
		if (this.#bodiless) taken();
		if (this.#controller === null) return;
		this.#controller.enqueue(bytes);
		if ((this.#controller.desiredSize ?? 0) > 0) taken();
		else this.#taken.push(taken);
	}

	upgrade(): SocketEnd {
		throw new Error("a WebSocket needs a request that came over a connection");
	}

	end(): void {
		this.#controller?.close();
		this.#controller = null;
	}

	cut(): void {
		const error = new TypeError("the response broke off");
		this.#response.reject(error);
		this.#controller?.error(error);
		this.#controller = null;
	}
}
