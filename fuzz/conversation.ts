import { connect } from "node:net";

/** What a client does with one connection. */
export interface Conversation {
	bytes: Buffer;
	/** Sizes of the writes, the last again and again; none stands for one write. */
	cuts: number[];
	/** Whether it reads what comes back. */
	reads: boolean;
	/** How it ends: by waiting for the server, by its own FIN, or by a reset. */
	ending: "wait" | "end" | "reset";
}

/** A server that has not closed by then is left: most connections are kept alive. */
const PATIENCE_MS = 1200;
/** One that has said nothing more for so long has said it all; one that has said nothing at all is given more. */
const QUIET_MS = 60;
const SILENT_MS = 250;
/** Whoever does not read holds its connection for so long. */
const HOLD_MS = 2000;

/** Has a conversation with a server on this machine; gives all that came back. */
export function converse(port: number, { bytes, cuts, reads, ending }: Conversation): Promise<Buffer> {
	return new Promise((resolve) => {
		const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
		const parts: Buffer[] = [];
		const timer = setTimeout(() => socket.destroy(), reads ? PATIENCE_MS : HOLD_MS);
		let quiet: NodeJS.Timeout | null = null;
		const hush = (ms: number) => {
			if (quiet !== null) clearTimeout(quiet);
			quiet = setTimeout(() => socket.destroy(), ms);
		};
		let at = 0;
		let cut = 0;
		const write = () => {
			if (at < bytes.length && !socket.destroyed) {
				const size = cuts.length === 0 ? bytes.length : Math.max(1, cuts[Math.min(cut++, cuts.length - 1)]);
				socket.write(bytes.subarray(at, at + size), () => setImmediate(write));
				at += size;
			} else if (ending === "reset") socket.resetAndDestroy();
			else {
				if (ending === "end") socket.end();
				if (reads && parts.length === 0) hush(SILENT_MS);
			}
		};
		if (reads)
			socket.on("data", (part: Buffer) => {
				parts.push(part);
				if (at >= bytes.length) hush(QUIET_MS);
			});
		socket.on("end", () => socket.end());
		socket.on("connect", write);
		socket.on("error", () => undefined); // A close follows.
		socket.on("close", () => {
			clearTimeout(timer);
			if (quiet !== null) clearTimeout(quiet);
			resolve(Buffer.concat(parts));
		});
	});
}
