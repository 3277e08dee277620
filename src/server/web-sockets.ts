import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { Account } from "../limits/account.ts";
import type { ResponseHead } from "../link/messages.ts";
import type { Guard, Guarded } from "../observe/guard.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { describe } from "./connection.ts";
import type { Delivery } from "./delivery.ts";
import type { SocketEnd } from "./exchange.ts";
import { NodeSink } from "./node-sink.ts";
import { Unread } from "./unread.ts";
import { lastResponse } from "./upgrade.ts";

/** The largest message that a client may send, in bytes. */
const MAX_MESSAGE = 1024 * 1024;
/**
 * In how many fragments, and parts that the system reads, a message may come: each weighs more than the byte that
 * it may bring.
 */
const MAX_FRAGMENTS = 1024;
const MAX_PARTS = 16 * 1024;
/** How much a client may have sent ahead of its function, and in how many messages: each of them is a turn. */
const MAX_AHEAD = 1024 * 1024;
const MAX_AHEAD_MESSAGES = 256;
/**
 * A message, or a part of one, counts for so much on top of its size: an empty one is held, and worked on, like
 * any.
 */
const WEIGHT = 512;
/** A client that does not take so many answers to its pings gets no more of them. */
const MAX_PONGS = 16;

/** Switches connections to WebSockets, and keeps track of them. */
export class WebSockets {
	readonly #server = new WebSocketServer({
		noServer: true,
		clientTracking: true,
		maxPayload: MAX_MESSAGE,
		maxFragments: MAX_FRAGMENTS,
		maxBufferedChunks: MAX_PARTS,
		perMessageDeflate: false,
		// One message of a connection in a round of the event loop: thousands of small ones in one read would keep
		// all others waiting.
		allowSynchronousEvents: false,
		autoPong: false,
		handleProtocols: (offered, req) => {
			const chosen = this.#heads.get(req)?.headers ?? [];
			const at = chosen.indexOf("sec-websocket-protocol");
			return at >= 0 && offered.has(chosen[at + 1]) ? chosen[at + 1] : false;
		},
	});
	/** What a function has answered to the requests that are just being upgraded. */
	readonly #heads = new WeakMap<IncomingMessage, ResponseHead>();

	readonly #guard: Guard;
	readonly #delivery: Delivery;

	/** A client that takes nothing of what waits for it, or answers no ping, for its `stalledMs` is gone. */
	constructor(guard: Guard, delivery: Delivery) {
		this.#guard = guard;
		this.#delivery = delivery;
		this.#server.on("headers", (lines: string[], req: IncomingMessage) => {
			const { headers } = this.#heads.get(req) as ResponseHead;
			for (let i = 0; i < headers.length; i += 2)
				if (!headers[i].startsWith("sec-websocket-")) lines.push(`${headers[i]}: ${headers[i + 1]}`);
		});
	}

	/** A place for the answer to a request that asks for a WebSocket, be it one or an ordinary response. */
	sink(req: IncomingMessage, socket: Duplex, head: Buffer): NodeSink {
		const open: Open = (answer, end, account) =>
			new OpenSocket(this.#open(req, socket, head, answer), {
				connection: socket as Socket,
				end,
				account,
				guard: this.#guard,
				stalledMs: this.#delivery.stalledMs,
			});
		return new UpgradeSink(req, socket, open, this.#delivery);
	}

	#open(req: IncomingMessage, socket: Duplex, head: Buffer, answer: ResponseHead): WebSocket {
		this.#heads.set(req, answer);
		let open: WebSocket | null = null;
		// The handshake is written at once: what else makes it fail was checked before the function saw the request.
		this.#server.handleUpgrade(req, socket, head, (webSocket) => {
			open = webSocket;
		});
		if (open === null) throw new Error("the WebSocket handshake failed");
		return open;
	}

	/** Tells all clients that the server goes away. */
	close(): void {
		for (const client of this.#server.clients) client.close(1001);
	}
}

type Open = (answer: ResponseHead, end: SocketEnd, account: Account | null) => OpenSocket;

interface OpenSocketSettings {
	connection: Socket;
	end: SocketEnd;
	account: Account | null;
	guard: Guard;
	stalledMs: Milliseconds;
}

/** One WebSocket, as the function's side of it sees the client. */
class OpenSocket implements SocketEnd, Guarded {
	readonly #socket: WebSocket;
	readonly #client: object;
	readonly #end: SocketEnd;
	readonly #account: Account | null;
	/** What has come of a message that is not there in whole. */
	#begun: Bytes = 0;
	/** What the function was sent and has not taken, in how many messages; and what waits until it has. */
	#ahead: Bytes = 0;
	#aheadMessages = 0;
	#waiting: (string | Buffer)[] = [];
	#next = 0;
	#waitingBytes: Bytes = 0;
	/** How many messages the client has not taken, and how many answers to its pings. */
	#unread = 0;
	#pongs = 0;
	/** What of all this is on the account. */
	#held: Bytes = 0;
	#settled = false;
	readonly #onSent = () => {
		this.#unread--;
		this.#count();
	};
	readonly #onPong = () => {
		this.#pongs--;
		this.#count();
	};

	constructor(socket: WebSocket, { connection, end, account, guard, stalledMs }: OpenSocketSettings) {
		this.#socket = socket;
		this.#client = describe(connection);
		this.#end = end;
		this.#account = account;
		socket.binaryType = "nodebuffer";
		connection.on("data", (part: Buffer) => {
			this.#begun += part.length + WEIGHT;
			this.#count();
		});
		socket.on("message", (data: Buffer, isBinary) =>
			guard.run(this, () => {
				// Counted as the function will count it when it takes the message: a text by its UTF-16 units.
				const message = isBinary ? data : data.toString();
				this.#begun = 0;
				this.#waiting.push(message);
				this.#waitingBytes += message.length + WEIGHT;
				this.#hand();
			}),
		);
		socket.on("ping", (data) => {
			if (this.#pongs === MAX_PONGS) return;
			this.#pongs++;
			socket.pong(data, false, this.#onPong);
		});
		let alive = true;
		socket.on("pong", () => {
			alive = true;
		});
		const unread = new Unread(connection);
		const ping = setInterval(
			() =>
				guard.run(this, () => {
					// One that is not read from, since its function takes nothing, may well have answered.
					if ((!alive && !socket.isPaused) || unread.stalls()) socket.terminate();
					alive = false;
					socket.ping();
				}),
			stalledMs,
		);
		socket.on("error", () => undefined); // A close follows.
		socket.on("close", (code, reason) => {
			clearInterval(ping);
			guard.run(this, () => end.close(code, reason.toString()));
			this.#count();
			if (this.#settled) account?.close();
		});
	}

	describe(): object {
		return this.#client;
	}

	cut(): void {
		this.#socket.terminate();
	}

	/**
	 * Hands the function as many of the client's messages as it may have ahead of it. No more is read as long as
	 * there are others.
	 */
	#hand(): void {
		while (this.#next < this.#waiting.length && this.#ahead <= MAX_AHEAD && this.#aheadMessages < MAX_AHEAD_MESSAGES) {
			const message = this.#waiting[this.#next++];
			const size = message.length + WEIGHT;
			this.#waitingBytes -= size;
			this.#ahead += size;
			this.#aheadMessages++;
			this.#end.message(message);
		}
		if (this.#next < this.#waiting.length) {
			if (!this.#socket.isPaused) this.#socket.pause();
		} else {
			this.#waiting.length = 0;
			this.#next = 0;
			if (this.#socket.isPaused) this.#socket.resume();
		}
		this.#count();
	}

	/** What is held of it now goes onto the account. */
	#count(): void {
		const { bufferedAmount, readyState } = this.#socket;
		const messages = (this.#unread + this.#pongs) * WEIGHT;
		const toFunction = this.#begun + this.#waitingBytes + this.#ahead;
		const held = readyState === WebSocket.CLOSED ? 0 : toFunction + bufferedAmount + messages;
		if (held > this.#held) this.#account?.hold(held - this.#held);
		else this.#account?.release(this.#held - held);
		this.#held = held;
	}

	message(data: string | Uint8Array): void {
		this.#unread++;
		this.#socket.send(data, this.#onSent);
		this.#count();
	}

	taken(size: number): void {
		if (!(size >= 0)) return; // It is the sandbox's word.
		this.#ahead = Math.max(0, this.#ahead - size - WEIGHT);
		this.#aheadMessages = Math.max(0, this.#aheadMessages - 1);
		this.#hand();
	}

	/** Its request is over: its account is closed with it. */
	settle(): void {
		this.#settled = true;
		if (this.#socket.readyState === WebSocket.CLOSED) this.#account?.close();
	}

	/** Ends the connection without waiting for its other end. */
	drop(): void {
		this.#socket.terminate();
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
	readonly #open: Open;
	readonly #response: ServerResponse;
	readonly #socket: Duplex;
	#webSocket: OpenSocket | null = null;

	constructor(req: IncomingMessage, socket: Duplex, open: Open, delivery: Delivery) {
		const response = lastResponse(req, socket);
		super(req, response, delivery);
		this.#response = response;
		this.#socket = socket;
		this.#open = open;
	}

	override upgrade(head: ResponseHead, end: SocketEnd): SocketEnd {
		this.#response.detachSocket(this.#socket as never);
		this.#webSocket = this.#open(head, end, this.account);
		return this.#webSocket;
	}

	override cut(): void {
		if (this.#webSocket === null) super.cut();
		else this.#webSocket.close(1011, "");
	}

	override drop(): void {
		if (this.#webSocket === null) super.drop();
		else this.#webSocket.drop();
	}

	override settle(): void {
		if (this.#webSocket === null) super.settle();
		else this.#webSocket.settle();
	}
}
