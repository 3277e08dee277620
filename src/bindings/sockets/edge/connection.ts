import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Content } from "../../binding.ts";
import type { Intake } from "../../fetch/edge/intake.ts";

export interface ConnectionSettings {
	/** What the function sends. */
	content: Content;
	/** Nobody wants it any more. */
	signal: AbortSignal;
	/** The pace at which it is read. */
	intake: Intake;
	/** Whether the function may send on when the other side has ended. */
	halfOpen: boolean;
}

/** An open connection of a function: what it sends goes out, and what comes in is read as fast as it is taken. */
export class Connection {
	readonly settings: ConnectionSettings;
	readonly #socket: Socket;
	#released = false;
	#wake: (() => void) | null = null;
	readonly #onChange = () => this.#wake?.();

	constructor(socket: Socket, settings: ConnectionSettings) {
		this.settings = settings;
		this.#socket = socket;
		for (const event of EVENTS) socket.on(event, this.#onChange);
		// It is told by what is read.
		socket.on("error", () => undefined);
		const { signal } = settings;
		if (signal.aborted) this.destroy();
		else signal.addEventListener("abort", () => this.destroy(), { once: true });
		void this.#send();
	}

	/** Ends this without the connection, which it gives; `null` where that is closed. */
	release(): Socket | null {
		if (this.#released || this.#socket.destroyed) return null;
		this.#released = true;
		for (const event of EVENTS) this.#socket.off(event, this.#onChange);
		this.#wake?.();
		return this.#socket;
	}

	async #send(): Promise<void> {
		const { content } = this.settings;
		const socket = this.#socket;
		try {
			for await (const bytes of content instanceof Uint8Array ? [content] : (content ?? [])) {
				if (this.#released || socket.destroyed) return;
				if (!socket.write(bytes)) await drained(socket);
			}
			if (!this.#released) socket.end();
		} catch {
			// The function has closed it, or is gone: what it has sent before still leaves.
			if (!this.#released) socket.destroySoon();
		}
	}

	/** Ends it at once, if it is still this one's. */
	destroy(): void {
		if (!this.#released) this.#socket.destroy();
	}

	/** What comes in, until one side ends it. */
	received(): AsyncIterable<Uint8Array> {
		const parts = this.#received();
		const iterator: AsyncIterator<Uint8Array> = {
			next: () => parts.next(),
			// It may be waiting for what never comes.
			return: () => {
				this.destroy();
				return parts.return(undefined);
			},
		};
		return { [Symbol.asyncIterator]: () => iterator };
	}

	async *#received(): AsyncGenerator<Uint8Array> {
		const socket = this.#socket;
		const { intake, halfOpen } = this.settings;
		try {
			while (!this.#released) {
				const bytes = socket.read() as Buffer | null;
				if (bytes !== null) {
					yield bytes;
					const wait = intake.raw(bytes.byteLength);
					if (wait >= 1) await sleep(wait);
				} else if (socket.errored !== null) throw socket.errored;
				// The function's own half is a part of the same call.
				else if (socket.destroyed || (socket.readableEnded && !halfOpen)) return;
				else await this.#change();
			}
		} finally {
			if (!this.#released) socket.destroySoon();
		}
	}

	#change(): Promise<void> {
		return new Promise((resolve) => {
			this.#wake = resolve;
		});
	}
}

/** After which there is something new to read, or nothing more. */
const EVENTS = ["readable", "end", "error", "close"] as const;

/** Until more may be written, or nothing any more. */
function drained(socket: Socket): Promise<void> {
	return new Promise((resolve) => {
		const done = () => {
			socket.off("drain", done).off("close", done);
			resolve();
		};
		socket.on("drain", done).on("close", done);
	});
}
