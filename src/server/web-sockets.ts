import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { ResponseHead } from "../link/messages.ts";
import type { Guard, Guarded } from "../observe/guard.ts";
import { describe } from "./connection.ts";
import type { SocketEnd } from "./exchange.ts";
import { NodeSink } from "./node-sink.ts";
import { lastResponse } from "./upgrade.ts";

/** The largest message that a client may send, in bytes. */
const MAX_MESSAGE = 1024 * 1024;
/** How much a client may have sent ahead of its function, and a function ahead of its client. */
const MAX_AHEAD = 1024 * 1024;
const MAX_BUFFERED = 16 * 1024 * 1024;
/** A client that answers no ping for so long is gone. */
const PING_MS = 30_000;

/** Switches connections to WebSockets, and keeps track of them. */
export class WebSockets {
	readonly #server = new WebSocketServer({
		noServer: true,
		clientTracking: true,
		maxPayload: MAX_MESSAGE,
		perMessageDeflate: false,
		handleProtocols: (offered, req) => {
			const chosen = this.#heads.get(req)?.headers ?? [];
			const at = chosen.indexOf("sec-websocket-protocol");
			return at >= 0 && offered.has(chosen[at + 1]) ? chosen[at + 1] : false;
		},
	});
	/** What a function has answered to the requests that are just being upgraded. */
	readonly #heads = new WeakMap<IncomingMessage, ResponseHead>();

	readonly #guard: Guard;

	constructor(guard: Guard) {
		this.#guard = guard;
		this.#server.on("headers", (lines: string[], req: IncomingMessage) => {
			const { headers } = this.#heads.get(req) as ResponseHead;
			for (let i = 0; i < headers.length; i += 2)
				if (!headers[i].startsWith("sec-websocket-")) lines.push(`${headers[i]}: ${headers[i + 1]}`);
		});
		// What is wrong with a handshake is the client's to fix, and it is told.
		this.#server.on("wsClientError", (_error, socket) => {
			socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
		});
	}

	/** A place for the answer to a request that asks for a WebSocket, be it one or an ordinary response. */
	sink(req: IncomingMessage, socket: Duplex, head: Buffer): NodeSink {
		return new UpgradeSink(req, socket, (answer, end) => this.#open(req, socket, head, answer, end));
	}

	#open(req: IncomingMessage, socket: Duplex, head: Buffer, answer: ResponseHead, end: SocketEnd): OpenSocket {
		this.#heads.set(req, answer);
		let open: WebSocket | null = null;
		// The handshake is written at once; what makes it fail was checked before, or is answered with 400.
		this.#server.handleUpgrade(req, socket, head, (webSocket) => {
			open = webSocket;
		});
		if (open === null) throw new Error("the WebSocket handshake failed");
		return new OpenSocket(open, end, this.#guard, describe(req.socket));
	}

	/** Tells all clients that the server goes away. */
	close(): void {
		for (const client of this.#server.clients) client.close(1001);
	}
}

/** One WebSocket, as the function's side of it sees the client. */
class OpenSocket implements SocketEnd, Guarded {
	readonly #socket: WebSocket;
	readonly #client: object;
	#ahead = 0;

	/** `client` is what the log knows the other end by. */
	constructor(socket: WebSocket, end: SocketEnd, guard: Guard, client: object) {
		this.#socket = socket;
		this.#client = client;
		socket.binaryType = "nodebuffer";
		socket.on("message", (data: Buffer, isBinary) =>
			guard.run(this, () => {
				// Counted as the function will count it when it takes the message: a text by its UTF-16 units.
				const message = isBinary ? data : data.toString();
				this.#ahead += message.length;
				if (this.#ahead > MAX_AHEAD) socket.pause();
				end.message(message);
			}),
		);
		let alive = true;
		socket.on("pong", () => {
			alive = true;
		});
		const ping = setInterval(
			() =>
				guard.run(this, () => {
					if (!alive) socket.terminate();
					alive = false;
					socket.ping();
				}),
			PING_MS,
		);
		socket.on("error", () => undefined); // A close follows.
		socket.on("close", (code, reason) => {
			clearInterval(ping);
			guard.run(this, () => end.close(code, reason.toString()));
		});
	}

	describe(): object {
		return this.#client;
	}

	cut(): void {
		this.#socket.terminate();
	}

	message(data: string | Uint8Array): void {
		this.#socket.send(data);
		if (this.#socket.bufferedAmount > MAX_BUFFERED) this.#socket.terminate();
	}

	taken(size: number): void {
		this.#ahead -= size;
		if (this.#ahead <= MAX_AHEAD) this.#socket.resume();
	}

	close(code: number, reason: string): void {
		if (code === 1005) this.#socket.close();
		else if (isSendable(code)) this.#socket.close(code, reason);
		else this.#socket.terminate();
	}
}

/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4: the codes that may go over the wire. */
const isSendable = (code: number) =>
	(code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);

/** Answers a request over a connection that `node:http` has handed over for an upgrade. */
class UpgradeSink extends NodeSink {
	readonly #open: (head: ResponseHead, end: SocketEnd) => OpenSocket;
	readonly #response: ServerResponse;
	readonly #socket: Duplex;
	#webSocket: OpenSocket | null = null;

	constructor(req: IncomingMessage, socket: Duplex, open: (head: ResponseHead, end: SocketEnd) => OpenSocket) {
		const response = lastResponse(req, socket);
		super(req, response);
		this.#response = response;
		this.#socket = socket;
		this.#open = open;
	}

	override upgrade(head: ResponseHead, end: SocketEnd): SocketEnd {
		this.#response.detachSocket(this.#socket as never);
		this.#webSocket = this.#open(head, end);
		return this.#webSocket;
	}

	override cut(): void {
		if (this.#webSocket === null) super.cut();
		else this.#webSocket.close(1011, "");
	}
}
