import { concatBytes, decodeUtf8, encodeUtf8 } from "../encoding/bytes.ts";
import type { Body } from "../fetch/body.ts";
import type { ReadableStreamDefaultReader } from "../streams/streams.ts";

const EMPTY = new Uint8Array(0);
const LINE_FEED = 0x0a;

/** A body that is read by lines and by counts of bytes. */
export class Incoming {
	#left: Uint8Array = EMPTY;
	/** The same of a body that came as a string, before any of it is asked for as bytes. */
	#text: string | null = null;
	/** Of a body that comes in pieces, as long as it may go on. */
	#reader: ReadableStreamDefaultReader<Uint8Array> | null;

	constructor(body: Body) {
		const source = body.take();
		if (typeof source === "string") this.#text = source;
		else this.#left = source ?? EMPTY;
		this.#reader = source === null ? body.stream.getReader() : null;
	}

	/** Up to a line feed, which is left out. */
	async line(): Promise<string> {
		const end = this.#text?.indexOf("\n") ?? -1;
		if (this.#text === null || end < 0) return decodeUtf8(await this.#line(), true);
		const line = this.#text.slice(0, end);
		this.#text = this.#text.slice(end + 1);
		return line;
	}

	async #line(): Promise<Uint8Array> {
		const parts: Uint8Array[] = [];
		this.#toBytes();
		for (;;) {
			const end = this.#left.indexOf(LINE_FEED);
			parts.push(this.#cut(end < 0 ? this.#left.length : end));
			if (end >= 0) break;
			await this.#more();
		}
		this.#cut(1);
		return parts.length === 1 ? parts[0] : concatBytes(parts);
	}

	/** So many bytes, in a buffer of their own. */
	async take(length: number): Promise<Uint8Array<ArrayBuffer>> {
		const parts: Uint8Array[] = [];
		this.#toBytes();
		for (let missing = length; missing > 0; ) {
			if (this.#left.length === 0) await this.#more();
			const part = this.#cut(Math.min(missing, this.#left.length));
			missing -= part.length;
			parts.push(part);
		}
		return concatBytes(parts);
	}

	#toBytes(): void {
		if (this.#text === null) return;
		this.#left = encodeUtf8(this.#text);
		this.#text = null;
	}

	/** Takes what comes next; rejects where nothing does. */
	async #more(): Promise<void> {
		const { done, value } = this.#reader === null ? { done: true, value: EMPTY } : await this.#reader.read();
		if (done) throw new TypeError("what another function has sent is not whole");
		this.#left = value as Uint8Array;
	}

	/** Takes so many of the bytes that are there. */
	#cut(length: number): Uint8Array {
		const { buffer, byteOffset } = this.#left;
		const part = new Uint8Array(buffer, byteOffset, length);
		this.#left = new Uint8Array(buffer, byteOffset + length, this.#left.length - length);
		return part;
	}

	/** Nobody reads the rest. */
	cancel(reason?: unknown): void {
		void this.#reader?.cancel(reason).catch(() => undefined);
		this.#reader = null;
	}
}
