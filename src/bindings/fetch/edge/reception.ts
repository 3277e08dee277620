import type { Dispatcher } from "undici";
import type { Intake } from "./intake.ts";

/** Of what was received and not taken so much is kept; then the sender waits. */
const WINDOW = 64 * 1024;
/** So many responses may come before the one that counts: https://www.rfc-editor.org/rfc/rfc9110#section-15.2 */
const MOST_INFORMATIONAL = 16;

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

/** The response to one request to the outside, as it comes in; iterated over, its body. */
export class Reception implements Dispatcher.DispatchHandler, AsyncIterable<Uint8Array> {
	/** Rejects where the response does not get as far as its body. */
	readonly head: Promise<{ status: number; headers: Headers }>;
	readonly #head = Promise.withResolvers<{ status: number; headers: Headers }>();
	readonly #signal: AbortSignal;
	readonly #intake: Intake;
	readonly #onAbort = () => this.#fail(this.#signal.reason as Error);
	#controller: Dispatcher.DispatchController | null = null;
	#informational = 0;
	#pieces: Buffer[] = [];
	#weight = 0;
	#failure: Error | null = null;
	#ended = false;
	#ignored = false;
	#wake: (() => void) | null = null;

	/** It ends, with the signal's reason, when `signal` aborts. `intake` is what its connection is read by. */
	constructor(signal: AbortSignal, intake: Intake) {
		this.#intake = intake;
		this.head = this.#head.promise;
		this.head.catch(() => undefined); // It may fail before anybody waits for it.
		this.#signal = signal;
		signal.addEventListener("abort", this.#onAbort, { once: true });
		if (signal.aborted) this.#onAbort();
	}

	onRequestStart(controller: Dispatcher.DispatchController): void {
		this.#controller = controller;
		if (this.#failure !== null) controller.abort(this.#failure);
	}

	onResponseStart({ rawHeaders }: Dispatcher.DispatchController, status: number, headers: Headers): void {
		this.#intake.heard(0);
		this.#intake.fields(fieldsOf(rawHeaders));
		if (status >= 200) this.#head.resolve({ status, headers });
		else if (++this.#informational > MOST_INFORMATIONAL)
			throw new Error(`more than ${MOST_INFORMATIONAL} informational responses`);
	}

	onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
		this.#weight += this.#intake.heard(piece.length);
		if (this.#ignored) {
			this.cancel();
			return;
		}
		this.#pieces.push(piece);
		if (this.#weight >= WINDOW) controller.pause();
		this.#wake?.();
	}

	onResponseEnd({ rawTrailers }: Dispatcher.DispatchController): void {
		this.#intake.fields(fieldsOf(rawTrailers));
		this.#end();
	}

	onResponseError(_: Dispatcher.DispatchController, error: Error): void {
		this.#fail(error);
	}

	#fail(error: Error): void {
		if (this.#ended) return;
		this.#failure ??= error;
		this.#head.reject(error);
		this.#controller?.abort(error);
		this.#end();
	}

	#end(): void {
		this.#ended = true;
		this.#signal.removeEventListener("abort", this.#onAbort);
		this.#wake?.();
	}

	/** There is to be no body; one that comes all the same ends the connection. */
	ignore(): void {
		this.#ignored = true;
		if (this.#pieces.length > 0) this.cancel();
	}

	/** Ends the connection, unless the response has ended before. */
	cancel(why = new Error("nobody reads the response's body")): void {
		this.#fail(why);
	}

	/** Whether there is nothing more to come, and it came whole. */
	get drained(): boolean {
		return this.#ended && this.#failure === null && this.#pieces.length === 0;
	}

	/** The next of the body; many small pieces come as one. */
	async next(): Promise<IteratorResult<Uint8Array, undefined>> {
		while (this.#pieces.length === 0) {
			if (this.#failure !== null) throw this.#failure;
			if (this.#ended) return { done: true, value: undefined };
			const { promise, resolve } = Promise.withResolvers<void>();
			this.#wake = resolve;
			if (this.#controller?.paused) this.#controller.resume();
			await promise;
		}
		const [first, ...rest] = this.#pieces.splice(0);
		this.#weight = 0;
		return { done: false, value: rest.length === 0 ? first : Buffer.concat([first, ...rest]) };
	}

	async return(): Promise<IteratorResult<Uint8Array, undefined>> {
		this.cancel();
		return { done: true, value: undefined };
	}

	[Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
		return this;
	}
}

/** How many fields there are in names and values as they came: where a name comes twice that is two. */
function fieldsOf(raw: Dispatcher.DispatchController["rawHeaders"]): number {
	return Array.isArray(raw) ? raw.length / 2 : 0;
}
