import type { Socket } from "node:net";
import type { Bytes } from "../units.ts";

/** So much of what waits leaves together, and a piece or two more. */
export const BATCH: Bytes = 256 * 1024;
/** A longer batch is none. */
const MOST_BYTES: Bytes = 4 * 2 ** 20;
const HEAD = 4;

/** What is answered to a batch. */
const TAKEN = Buffer.of(1);

/** Sends a batch: its length ahead of it. The next one may follow once this one was answered. */
export function sendBatch(socket: Socket, parts: readonly Buffer[]): void {
	const head = Buffer.alloc(HEAD);
	head.writeUInt32BE(parts.reduce((sum, { length }) => sum + length, 0));
	socket.cork();
	socket.write(head);
	for (const part of parts) socket.write(part);
	socket.uncork();
}

/** Takes batches, each of which is answered once it was kept; a socket on which something else comes ends. */
export function takeBatches(socket: Socket, keep: (batch: Buffer) => Promise<void>): void {
	let parts: Buffer[] = [];
	let size = 0;
	socket.on("data", (chunk: Buffer) => {
		parts.push(chunk);
		size += chunk.length;
		if (size < HEAD) return;
		if (parts[0].length < HEAD) parts = [Buffer.concat(parts)];
		const length = parts[0].readUInt32BE();
		// Whoever sends waits for the answer before there is more.
		if (length > MOST_BYTES || size > HEAD + length) {
			socket.destroy();
			return;
		}
		if (size < HEAD + length) return;
		const batch = Buffer.concat(parts).subarray(HEAD);
		parts = [];
		size = 0;
		void keep(batch).then(() => {
			if (!socket.destroyed) socket.write(TAKEN);
		});
	});
}
