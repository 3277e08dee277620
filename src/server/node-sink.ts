import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from "node:http";
import type { ResponseHead } from "../link/messages.ts";
import type { Guarded } from "../observe/guard.ts";
import { describe } from "./connection.ts";
import type { ResponseSink, SocketEnd } from "./exchange.ts";

const SMALL_BODY = 8 * 1024;

/** Writes a response to a `node:http` response. */
export class NodeSink implements ResponseSink, Guarded {
	readonly #req: IncomingMessage;
	readonly #res: ServerResponse;
	#finished = false;
	/** How many bytes the body must have by its Content-Length, where the function gave one. */
	#expected: number | null = null;
	#sent = 0;
	onGone: () => void = () => undefined;

	constructor(req: IncomingMessage, res: ServerResponse) {
		this.#req = req;
		this.#res = res;
		res.on("close", () => {
			if (!this.#finished) this.onGone();
		});
		res.on("error", cutOff);
	}

	respond(head: ResponseHead, body: Uint8Array | null): void {
		const { status, headers } = head;
		const out: OutgoingHttpHeader[] = [];
		const hidden = this.#req.method === "HEAD" || body === null;
		let length: string | null = null;
		for (let i = 0; i < headers.length; i += 2) {
			const name = headers[i];
			if (name === "content-length") length = headers[i + 1];
			else out.push(name, headers[i + 1]);
		}
		if (body !== null) out.push("content-length", String(body.byteLength));
		else if (this.#req.method === "HEAD" || status === 304) {
			if (length !== null && /^\d+$/.test(length)) out.push("content-length", length);
		} else if (status !== 204 && status >= 200) out.push("content-length", "0");
		this.#writeHead(head, out);
		this.#finished = true;
		if (hidden) this.#res.end();
		else if (body.byteLength <= SMALL_BODY) {
			// As a string of bytes a small body leaves with the head in one write; as a Buffer it would take a writev.
			this.#res.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1"), "latin1");
		} else this.#res.end(body);
		this.#discardRequest();
	}

	begin(head: ResponseHead): void {
		const out: OutgoingHttpHeader[] = [];
		for (let i = 0; i < head.headers.length; i += 2) {
			const name = head.headers[i];
			if (name === "content-length") {
				if (!/^\d+$/.test(head.headers[i + 1])) continue;
				this.#expected = Number(head.headers[i + 1]);
			}
			out.push(name, head.headers[i + 1]);
		}
		this.#writeHead(head, out);
		this.#res.flushHeaders();
	}

	#writeHead({ status, statusText }: ResponseHead, headers: OutgoingHttpHeader[]): void {
		if (statusText === "") this.#res.writeHead(status, headers);
		else this.#res.writeHead(status, statusText, headers);
	}

	write(bytes: Uint8Array, taken: () => void): void {
		this.#sent += bytes.byteLength;
		if (this.#expected !== null && this.#sent > this.#expected) this.cut();
		else if (!this.#res.destroyed) this.#res.write(bytes, taken);
	}

	end(): void {
		if (this.#expected !== null && this.#sent !== this.#expected) {
			this.cut();
			return;
		}
		this.#finished = true;
		this.#res.end();
		this.#discardRequest();
	}

	cut(): void {
		this.#finished = true;
		// One that waits for its turn has no connection yet, and ends it when it is its turn.
		if (this.#res.socket === null) this.#res.once("socket", (socket) => socket.destroy());
		this.#res.destroy();
	}

	describe(): object {
		return describe(this.#req.socket);
	}

	upgrade(_head: ResponseHead, _end: SocketEnd): SocketEnd {
		throw new Error("the request asked for no WebSocket");
	}

	/** A body that the function did not read must not be taken for the connection's next request. */
	#discardRequest(): void {
		if (!this.#req.complete) this.#req.resume();
	}
}

/** Its connection has ended under it: what is still written is for nobody. */
function cutOff(this: ServerResponse): void {
	this.destroy();
}
