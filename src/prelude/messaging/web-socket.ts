import { copyBytes, encodeUtf8, isBufferSource } from "../encoding/bytes.ts";
import { DOMException } from "../errors/dom-exception.ts";
import { dispatchTrusted, Event, EventTarget } from "../events/event.ts";
import { defineEventHandler } from "../events/event-handler.ts";
import { Blob, blobBytes, isBlob } from "../fetch/blob.ts";
import { asInterface, requireArguments, toDictionary, toUSVString } from "../interface.ts";

const { MessageEvent } = require("./message-channel.ts") as typeof import("./message-channel.ts");

/** https://websockets.spec.whatwg.org/#the-closeevent-interface */
export class CloseEvent extends Event {
	readonly #wasClean: boolean;
	readonly #code: number;
	readonly #reason: string;

	constructor(type: unknown, init?: unknown) {
		requireArguments(arguments.length, 1, "CloseEvent constructor");
		super(type, init);
		const { wasClean = false, code = 0, reason = "" } = toDictionary(init, "CloseEvent constructor");
		this.#wasClean = Boolean(wasClean);
		this.#code = Number(code) & 0xffff;
		this.#reason = toUSVString(reason);
	}
	get wasClean(): boolean {
		return this.#wasClean;
	}
	get code(): number {
		return this.#code;
	}
	get reason(): string {
		return this.#reason;
	}
}
asInterface(CloseEvent, "CloseEvent", { constructor: 1 });

type Message = string | ArrayBuffer;

/** The other end of a socket: the pair's other socket, or the client at the other end of the connection. */
interface Peer {
	message(data: Message): void;
	close(code: number, reason: string): void;
}

const SECRET = Symbol("construct");
const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const NO_STATUS = 1005;

let connect: (socket: WebSocket, peer: Peer) => void;
let peerOf: (socket: WebSocket) => Peer;
let forward: (socket: WebSocket, end: Peer) => void;
let isFresh: (socket: WebSocket) => boolean;

/**
 * One end of a WebSocketPair: https://websockets.spec.whatwg.org/#the-websocket-interface, opened by `accept()`
 * instead of an address. What comes before that waits.
 */
export class WebSocket extends EventTarget {
	#peer: Peer | null = null;
	#state = CONNECTING;
	/** What has come before it was accepted. */
	#waiting: ((end: Peer) => void)[] = [];
	#handedOver = false;
	#binaryType: "blob" | "arraybuffer" = "arraybuffer";

	constructor(secret?: unknown) {
		if (secret !== SECRET)
			throw new TypeError(
				"a function opens no WebSockets of its own: new WebSocketPair() makes one to answer a request with",
			);
		super();
	}

	get readyState(): number {
		return this.#state;
	}
	get url(): string | null {
		return null;
	}
	get protocol(): string {
		return "";
	}
	get extensions(): string {
		return "";
	}
	get bufferedAmount(): number {
		return 0;
	}
	get binaryType(): string {
		return this.#binaryType;
	}
	set binaryType(value: unknown) {
		if (value === "blob" || value === "arraybuffer") this.#binaryType = value;
	}

	/** https://developers.cloudflare.com/workers/runtime-apis/websockets/#accept */
	accept(): void {
		if (this.#handedOver) throw new TypeError("WebSocket.accept: this socket was handed over in a Response");
		if (this.#state !== CONNECTING) return;
		this.#state = OPEN;
		this.#forward({ message: (data) => this.#receive(data), close: (code, reason) => this.#closed(code, reason) });
	}

	/** Hands on what has waited. */
	#forward(end: Peer): void {
		const waiting = this.#waiting;
		this.#waiting = [];
		for (const deliver of waiting) deliver(end);
	}

	send(data: unknown): void {
		requireArguments(arguments.length, 1, "WebSocket.send");
		if (this.#state === CONNECTING)
			throw new DOMException("WebSocket.send: accept() must be called first", "InvalidStateError");
		if (this.#state !== OPEN) return;
		if (isBufferSource(data)) this.#peer?.message(copyBytes(data).buffer);
		else if (isBlob(data)) this.#peer?.message(copyBytes(blobBytes(data)).buffer);
		else this.#peer?.message(toUSVString(data));
	}

	close(code?: unknown, reason?: unknown): void {
		const number = code === undefined ? NO_STATUS : Math.trunc(Number(code));
		if (code !== undefined && number !== 1000 && !(number >= 3000 && number <= 4999))
			throw new DOMException(
				"WebSocket.close: the code is neither 1000 nor between 3000 and 4999",
				"InvalidAccessError",
			);
		const text = reason === undefined ? "" : toUSVString(reason);
		if (encodeUtf8(text).byteLength > 123)
			throw new DOMException("WebSocket.close: the reason is longer than 123 bytes", "SyntaxError");
		if (this.#state >= CLOSING) return;
		this.#state = CLOSING;
		this.#peer?.close(number, text);
	}

	#receive(data: Message): void {
		if (this.#state === CONNECTING) this.#waiting.push((end) => end.message(data));
		if (this.#state !== OPEN) return;
		const value = typeof data === "string" || this.#binaryType === "arraybuffer" ? data : new Blob([data]);
		dispatchTrusted(this, new MessageEvent("message", { data: value }));
	}

	#closed(code: number, reason: string): void {
		if (this.#state === CONNECTING) this.#waiting.push((end) => end.close(code, reason));
		if (this.#state === CONNECTING || this.#state === CLOSED) return;
		const answer = this.#state !== CLOSING;
		this.#state = CLOSED;
		if (answer) this.#peer?.close(code, reason);
		dispatchTrusted(this, new CloseEvent("close", { code, reason, wasClean: code !== 1006 }));
	}

	static {
		connect = (socket, peer) => {
			socket.#peer = peer;
		};
		peerOf = (socket) => ({
			message: (data) => socket.#receive(data),
			close: (code, reason) => socket.#closed(code, reason),
		});
		isFresh = (socket) => {
			const fresh = socket.#state === CONNECTING && !socket.#handedOver;
			socket.#handedOver = true;
			return fresh;
		};
		forward = (socket, end) => socket.#forward(end);
	}
}
asInterface(WebSocket, "WebSocket", { constructor: 1, close: 0 });
for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED }))
	for (const holder of [WebSocket, WebSocket.prototype])
		Object.defineProperty(holder, name, { value, enumerable: true });
for (const type of ["open", "message", "close", "error"]) defineEventHandler(WebSocket.prototype, type);

/** The other ends of the sockets of pairs, which a Response hands over. */
const others = new WeakMap<object, WebSocket>();

/** https://developers.cloudflare.com/workers/runtime-apis/websockets/: two sockets, each the other's peer. */
export class WebSocketPair {
	readonly 0: WebSocket;
	readonly 1: WebSocket;

	constructor() {
		const one = new WebSocket(SECRET);
		const other = new WebSocket(SECRET);
		connect(one, peerOf(other));
		connect(other, peerOf(one));
		others.set(one, other);
		others.set(other, one);
		this[0] = one;
		this[1] = other;
	}
}
Object.defineProperty(WebSocketPair.prototype, Symbol.toStringTag, { value: "WebSocketPair", configurable: true });

/**
 * Takes the socket that a Response hands over: from now on the client stands in its place. Returns the function's
 * end, for the client's messages, and what sends the client those that have waited; `null` if the value is no socket
 * of a pair, or was used.
 */
export function handOver(value: unknown, client: Peer): { end: Peer; begin(): void } | null {
	const other = others.get(Object(value));
	if (other === undefined || !isFresh(value as WebSocket)) return null;
	connect(other, client);
	return { end: peerOf(other), begin: () => forward(value as WebSocket, client) };
}
