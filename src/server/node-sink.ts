import type { IncomingMessage, ServerResponse } from "node:http";
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
	onGone: () => void = () => undefined;

	constructor(req: IncomingMessage, res: ServerResponse) {
		this.#req = req;
		this.#res = res;
		res.on("close", () => {
			if (!this.#finished) this.onGone();
		});
		res.on("error", cutOff);
	}

	/** Has the response be its connection's last: a proxy may have read the request otherwise, and what comes behind it. */
	endConnection(): void {
		this.#res.shouldKeepAlive = false;
	}

	respond(head: ResponseHead, body: Uint8Array | null): void {
		const { status, headers } = head;
		const hidden = this.#req.method === "HEAD" || body === null;
		if (body !== null) headers.push("content-length", String(body.byteLength));
		else if (this.#req.method !== "HEAD" && status !== 304 && status !== 204) headers.push("content-length", "0");
		this.#writeHead(head);
		this.#finished = true;
		if (hidden) this.#res.end();
		else if (body.byteLength <= SMALL_BODY) {
			// As a string of bytes a small body leaves with the head in one write; as a Buffer it would take a writev.
			this.#res.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1"), "latin1");
		} else this.#res.end(body);
		this.#discardRequest();
	}

	begin(head: ResponseHead): void {
		this.#writeHead(head);
		this.#res.flushHeaders();
	}

	#writeHead({ status, statusText, headers }: ResponseHead): void {
		if (statusText === "") this.#res.writeHead(status, headers);
		else this.#res.writeHead(status, statusText, headers);
	}

	write(bytes: Uint8Array, taken: () => void): void {
		if (this.#req.method === "HEAD") taken();
		else if (!this.#res.destroyed) this.#res.write(bytes, taken);
	}

	end(): void {
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
