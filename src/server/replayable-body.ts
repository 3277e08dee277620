import { type Exchange, KEPT_BODY } from "./exchange.ts";

/**
 * A request's body that comes as a stream, kept as long as it is small, so that the request can be run again. There
 * is one reader at a time: a new one begins at the start and ends the one before.
 */
export class ReplayableBody {
	readonly #source: AsyncIterator<Uint8Array>;
	readonly #onBytes: (bytes: number) => void;
	#kept: Uint8Array[] = [];
	#bytes = 0;
	#ended = false;
	#failure: unknown = null;
	#reading: Promise<void> | null = null;
	#reader = 0;

	/** `onBytes` is told of each part as it comes in; what it throws ends the body. */
	constructor(source: AsyncIterable<Uint8Array>, onBytes: (bytes: number) => void) {
		this.#source = source[Symbol.asyncIterator]();
		this.#onBytes = onBytes;
	}

	/** Whether all that has come in is still there. */
	get replayable(): boolean {
		return this.#bytes <= KEPT_BODY;
	}

	/** All of the body. Rejects with the source's own error. */
	async *read(): AsyncGenerator<Uint8Array> {
		const reader = ++this.#reader;
		let at = 0;
		while (reader === this.#reader) {
			if (at < this.#kept.length) {
				const part = this.#kept[at++];
				if (!this.replayable) {
					this.#kept.splice(0, at);
					at = 0;
				}
				yield part;
			} else if (this.#failure !== null) throw this.#failure;
			else if (this.#ended) return;
			else {
				this.#reading ??= this.#next();
				await this.#reading;
			}
		}
	}

	async #next(): Promise<void> {
		try {
			const { done, value } = await this.#source.next();
			if (done === true) this.#ended = true;
			else {
				this.#bytes += value.byteLength;
				this.#onBytes(value.byteLength);
				this.#kept.push(value);
			}
		} catch (error) {
			this.#failure = error;
		}
		this.#reading = null;
	}

	/** Nobody will read it any more. */
	close(): void {
		this.#reader++;
		this.#kept = [];
		if (!this.#ended) this.#source.return?.().catch(() => undefined);
		this.#ended = true;
	}
}

/** Whether a request's body is a stream, of which not all has come in yet. */
export function isStream(body: Exchange["body"]): body is AsyncIterable<Uint8Array> {
	return body !== null && !(body instanceof Uint8Array);
}
