import type { IncomingMessage, ServerResponse } from "node:http";
import type { Account } from "../limits/account.ts";
import type { ResponseHead } from "../link/messages.ts";
import type { Guarded } from "../observe/guard.ts";
import type { Bytes } from "../units.ts";
import { describe } from "./connection.ts";
import type { Delivery } from "./delivery.ts";
import type { ResponseSink, SocketEnd } from "./exchange.ts";
import { linger } from "./linger.ts";
import { Unread } from "./unread.ts";

const NOTHING = new Uint8Array(0);
const SMALL_BODY = 8 * 1024;

/** Writes a response to a `node:http` response. */
export class NodeSink implements ResponseSink, Guarded {
	readonly #req: IncomingMessage;
	readonly #res: ServerResponse;
	readonly #delivery: Delivery;
	account: Account | null = null;
	/** There is something of the response that the client has not taken. */
	#watched = false;
	#settled = false;
	#finished = false;
	/**
	 * What is aborted when the client goes. No closure that would do it: one for each request has V8 keep the requests
	 * alive beyond their end, and its scavenges take four times as long (c=64, `--trace-gc`).
	 */
	running: { abort(): void } | null = null;

	constructor(req: IncomingMessage, res: ServerResponse, delivery: Delivery) {
		this.#req = req;
		this.#res = res;
		this.#delivery = delivery;
		res.on("close", () => {
			if (!this.#finished) this.running?.abort();
		});
		res.on("error", cutOff);
	}

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
		const waiting = this.#res.writableLength;
		if (waiting > 0) this.#watch(waiting);
		this.#discardRequest();
	}

	begin(head: ResponseHead): void {
		this.#writeHead(head);
		// Of itself node:http would send a head alone in UTF-8, and one with a body's bytes behind it as the bytes
		// that it is.
		this.#res.write(NOTHING);
		this.#res.flushHeaders();
		this.#res.socket?.uncork();
		this.#watch(0);
	}

	/**
	 * Ends the connection of a client that stops taking the response, of which so many bytes are held until it has
	 * all of it.
	 */
	#watch(held: Bytes): void {
		const { socket } = this.#req;
		if (socket.destroyed) return; // Nothing more is heard of it.
		const { account } = this;
		const unread = new Unread(socket);
		const timer = setInterval(() => {
			if (unread.stalls()) socket.destroy();
		}, this.#delivery.stalledMs).unref();
		const over = () => {
			// A connection that closes under its response tells it twice, though one of the listeners is gone by then.
			if (!this.#watched) return;
			clearInterval(timer);
			this.#res.off("close", over);
			socket.off("close", over);
			this.#watched = false;
			this.#delivery.end();
			if (this.#settled) account?.close();
			else account?.release(held);
		};
		this.#watched = true;
		this.#delivery.begin();
		account?.hold(held);
		this.#res.on("close", over);
		// A response that waits behind others of its connection hears nothing of its end.
		socket.on("close", over);
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

	drop(): void {
		if (!this.#res.writableFinished) this.#req.socket.destroy();
	}

	settle(): void {
		this.#settled = true;
		if (!this.#watched) this.account?.close();
	}

	upgrade(_head: ResponseHead, _end: SocketEnd): SocketEnd {
		throw new Error("the request asked for no WebSocket");
	}

	/** A body that the function did not read must not be taken for the connection's next request. */
	#discardRequest(): void {
		if (this.#req.complete) return;
		this.#req.resume();
		if (!this.#res.shouldKeepAlive) linger(this.#req.socket);
	}
}

/** Its connection has ended under it: what is still written is for nobody. */
function cutOff(this: ServerResponse): void {
	this.destroy();
}
