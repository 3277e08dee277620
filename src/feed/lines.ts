import type { Socket } from "node:net";

/** The longest line: all functions of a large edge, with their variables. */
const MOST_BYTES = 512 * 2 ** 20;

/** Values over a socket between two trusted processes: each is a line of JSON. */
export class Lines<In, Out> {
	readonly #socket: Socket;
	#parts: Buffer[] = [];
	#bytes = 0;

	/** `onLine` gets each value; the socket ends where it throws. */
	constructor(socket: Socket, onLine: (value: In) => void) {
		this.#socket = socket;
		socket.on("data", (chunk: Buffer) => {
			try {
				this.#read(chunk, onLine);
			} catch (error) {
				socket.destroy(error as Error);
			}
		});
	}

	#read(chunk: Buffer, onLine: (value: In) => void): void {
		let from = 0;
		for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
			this.#parts.push(chunk.subarray(from, end));
			const line = Buffer.concat(this.#parts).toString();
			this.#parts = [];
			this.#bytes = 0;
			from = end + 1;
			onLine(JSON.parse(line) as In);
		}
		if (from === chunk.length) return;
		this.#parts.push(chunk.subarray(from));
		this.#bytes += chunk.length - from;
		if (this.#bytes > MOST_BYTES) throw new Error("a line is too long");
	}

	/** What the socket cannot take waits in memory: `waiting` says how much. */
	send(value: Out): void {
		if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(value)}\n`);
	}

	/** Resolves once the socket takes more, or is gone. */
	async ready(): Promise<void> {
		const socket = this.#socket;
		if (!socket.writableNeedDrain || socket.destroyed) return;
		const { promise, resolve } = Promise.withResolvers<void>();
		socket.once("drain", resolve).once("close", resolve);
		await promise;
		socket.off("drain", resolve).off("close", resolve);
	}

	/** Whether the other side is gone. */
	get closed(): boolean {
		return this.#socket.destroyed;
	}

	/** Bytes that the other side has not taken. */
	get waiting(): number {
		return this.#socket.writableLength;
	}

	close(): void {
		this.#socket.destroy();
	}
}
