import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Milliseconds } from "../../units.ts";

/** https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2 */
const ACCEPT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const Opcode = { text: 1, close: 8, ping: 9, pong: 10 } as const;
/** A client of a tail says next to nothing. */
const MOST_FRAME = 4096;
/** One that does not even take answers to its pings gets no more of them. */
const MOST_WAITING = 64 * 1024;
/** What it has not taken so long after the end is lost. */
const END_MS: Milliseconds = 1000;

/**
 * The server's end of a tail's WebSocket: it sends texts, answers pings, and takes no notice of what else comes.
 * wrangler sends its first frame without a mask, which the standard has servers refuse and `ws` does refuse
 * (https://www.rfc-editor.org/rfc/rfc6455#section-5.1): here such frames are read as they are.
 */
export class TailSocket {
	readonly #socket: Duplex;
	#read: Buffer = Buffer.alloc(0);

	/** Accepts an upgrade. `onClose` is called once, whoever ends it. */
	constructor(req: IncomingMessage, socket: Duplex, onClose: () => void) {
		this.#socket = socket;
		const key = createHash("sha1").update(`${req.headers["sec-websocket-key"]}${ACCEPT}`).digest("base64");
		const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
		lines.push(`Sec-WebSocket-Accept: ${key}`, "Sec-WebSocket-Protocol: trace-v1", "", "");
		socket.write(lines.join("\r\n"));
		socket.on("data", (chunk: Buffer) => this.#onData(chunk));
		socket.on("error", () => undefined); // Of which its end tells.
		socket.on("end", () => socket.destroy());
		socket.once("close", onClose);
	}

	/** Bytes that the client has not taken. */
	get waiting(): number {
		return this.#socket.writableLength;
	}

	send(text: string): void {
		this.#write(Opcode.text, Buffer.from(text));
	}

	/** Ends it as something that is over, so that nobody connects again. */
	close(): void {
		this.#write(Opcode.close, Buffer.from([1000 >> 8, 1000 & 255]));
		this.#socket.end(() => this.#socket.destroy());
		setTimeout(() => this.#socket.destroy(), END_MS).unref();
	}

	#write(opcode: number, payload: Buffer): void {
		if (this.#socket.destroyed || this.#socket.writableEnded) return;
		const { length } = payload;
		const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
		head[0] = 0x80 | opcode;
		head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
		if (head.length === 4) head.writeUInt16BE(length, 2);
		else if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
		this.#socket.write(Buffer.concat([head, payload]));
	}

	#onData(chunk: Buffer): void {
		this.#read = Buffer.concat([this.#read, chunk]);
		for (let frame = this.#frame(); frame !== null; frame = this.#frame()) {
			if (frame.opcode === Opcode.ping && this.waiting <= MOST_WAITING) this.#write(Opcode.pong, frame.payload);
			else if (frame.opcode === Opcode.close) this.close();
		}
	}

	/** The next whole frame: https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
	#frame(): { opcode: number; payload: Buffer } | null {
		const bytes = this.#read;
		if (bytes.length < 2) return null;
		const isMasked = bytes[1] >= 0x80;
		let length = bytes[1] & 0x7f;
		let at = 2;
		if (length === 126) {
			if (bytes.length < 4) return null;
			length = bytes.readUInt16BE(2);
			at = 4;
		}
		if (length > MOST_FRAME) {
			this.#socket.destroy();
			return null;
		}
		const mask = isMasked ? bytes.subarray(at, at + 4) : null;
		at += mask === null ? 0 : 4;
		if (bytes.length < at + length) return null;
		const payload = Buffer.from(bytes.subarray(at, at + length));
		if (mask !== null) for (let i = 0; i < length; i++) payload[i] ^= mask[i % 4];
		this.#read = bytes.subarray(at + length);
		return { opcode: bytes[0] & 0x0f, payload };
	}
}
