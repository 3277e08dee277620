import { createServer, type Server, type Socket } from "node:net";
import { takeBatches } from "../../feed/batches.ts";
import type { Milliseconds } from "../../units.ts";
import { closeWithin, listenAt } from "../feed/listening.ts";

/** Where edges bring records and lines to, which go on to the log without being read. */
export class LogIntake {
	readonly #append: (batch: Buffer) => Promise<void>;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();
	/** What is being kept. */
	readonly #keeping = new Set<Promise<void>>();

	/** `append` resolves once a batch is kept, or counted as lost. */
	constructor(append: (batch: Buffer) => Promise<void>) {
		this.#append = append;
		this.#server = createServer((socket) => this.#onEdge(socket));
	}

	/** Listens at a path; what an earlier one has left there is removed. */
	listen(path: string): Promise<void> {
		return listenAt(this.#server, path);
	}

	#onEdge(socket: Socket): void {
		this.#sockets.add(socket);
		socket.on("error", () => undefined); // Of which its end tells.
		socket.on("close", () => this.#sockets.delete(socket));
		takeBatches(socket, (batch) => {
			const kept = this.#append(batch).finally(() => this.#keeping.delete(kept));
			this.#keeping.add(kept);
			return kept;
		});
	}

	/** Takes no more edges, and resolves once those that are there have gone, or after so long; what came is kept and answered. */
	close(ms: Milliseconds): Promise<void> {
		return closeWithin(this.#server, ms, async () => {
			for (const socket of this.#sockets) socket.pause();
			await Promise.all(this.#keeping);
			for (const socket of this.#sockets) socket.destroySoon();
		});
	}
}
