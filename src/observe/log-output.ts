import { createWriteStream, fstatSync } from "node:fs";
import type { Writable } from "node:stream";
import type { Bytes, Milliseconds } from "../units.ts";

/** So much waits for whoever reads the log; what does not fit is dropped, and counted. */
const MOST_WAITING: Bytes = 4 * 2 ** 20;
/** Lines leave in blocks, since a write for each would cost more than many a request; none waits longer than this. */
const BLOCK: Bytes = 4096;
const FLUSH_MS: Milliseconds = 200;
/** At the end a reader that does not read is waited for so long. */
const CLOSE_MS: Milliseconds = 1000;

/**
 * Standard output for the log: it is never waited for. What its reader does not take waits, up to a bound, and is
 * dropped beyond that.
 */
export class LogOutput {
	#stream = this.#open();
	readonly #onDropped: (lines: number) => void;
	readonly #timer = setInterval(() => this.#tend(), FLUSH_MS).unref();
	#block = "";
	#dropped = 0;

	/** `onDropped` is told how many lines were dropped, once the reader goes on. */
	constructor(onDropped: (lines: number) => void) {
		this.#onDropped = onDropped;
	}

	/** Of a file or a terminal Node's own stream would be waited for. */
	#open(): Writable {
		const about = fstatSync(1);
		const own = about.isFIFO() || about.isSocket();
		const stream = own ? process.stdout : createWriteStream("", { fd: 1, autoClose: false });
		stream.on("error", () => {
			// What waited is lost: a pipe that nobody reads any more stays so, but a disk may have room again.
			this.#dropped++;
			if (!own) this.#stream = this.#open();
		});
		return stream;
	}

	get #waiting(): Bytes {
		return this.#block.length + this.#stream.writableLength;
	}

	write(line: string): void {
		if (this.#waiting + line.length > MOST_WAITING) {
			this.#dropped++;
			return;
		}
		this.#block += line;
		if (this.#block.length >= BLOCK) this.#flush();
	}

	#flush(): void {
		if (this.#block !== "") this.#stream.write(this.#block);
		this.#block = "";
	}

	#tend(): void {
		if (this.#dropped > 0 && this.#waiting < MOST_WAITING / 2) {
			const dropped = this.#dropped;
			this.#dropped = 0;
			this.#onDropped(dropped);
		}
		this.#flush();
	}

	/** Writes out what still waits. Resolves to whether somebody has taken it. */
	close(): Promise<boolean> {
		clearInterval(this.#timer);
		this.#flush();
		return new Promise((resolve) => {
			const late = setTimeout(() => resolve(false), CLOSE_MS);
			this.#stream.write("", () => {
				clearTimeout(late);
				resolve(true);
			});
		});
	}
}
