import { SOCKETS } from "../../link/calls.ts";
import { Call } from "../../prelude/call.ts";
import { isBufferSource, viewBytes } from "../../prelude/encoding/bytes.ts";
import { AbortController } from "../../prelude/events/abort.ts";
import { Body } from "../../prelude/fetch/body.ts";
import { asInterface, requireArguments, toDictionary } from "../../prelude/interface.ts";
import {
	type ReadableByteStreamController,
	ReadableStream,
	type ReadableStreamDefaultController,
	type ReadableStreamDefaultReader,
	WritableStream,
	type WritableStreamDefaultController,
} from "../../prelude/streams/streams.ts";
import { encodeSocketAsked } from "./schema.ts";

const SECRET = Symbol("construct");

interface SocketInfo {
	remoteAddress: string;
	localAddress: null;
}
interface Opening {
	/** Tells it from the isolate's others, for TLS to be started on it. */
	number: number;
	argument: string;
	hostname: string;
	/** What it is connected to, as an address of a URL has it. */
	host: string;
	secureTransport: "off" | "on" | "starttls";
	halfOpen: boolean;
}

let count = 0;

/** Until a stream has gone on with what was queued in it: to no more than the next chunk, in so many microtasks. */
async function settled(): Promise<void> {
	for (let i = 0; i < 6; i++) await null;
}

/** https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/#socket: one call, with a body each way. */
export class Socket {
	readonly #opening: Opening;
	readonly #call: Call;
	readonly #controller = new AbortController();
	readonly #closed = Promise.withResolvers<void>();
	readonly #opened: Promise<SocketInfo>;
	readonly #readable: ReadableStream<Uint8Array>;
	readonly #writable: WritableStream;
	/** What goes out, of which one chunk is there at a time. */
	#outgoing: ReadableStreamDefaultController<Uint8Array> | null = null;
	/** Of the chunk that has not gone out. */
	#sent: (() => void) | null = null;
	#incoming: ReadableStreamDefaultReader<Uint8Array> | null = null;
	#writing: WritableStreamDefaultController | null = null;
	#closing = false;
	#over = false;
	#upgraded = false;

	constructor(secret?: unknown, opening?: Opening) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#opening = opening as Opening;
		const outgoing = new ReadableStream<Uint8Array>(
			{
				start: (controller) => {
					this.#outgoing = controller;
				},
				pull: () => this.#taken(),
				cancel: () => {
					this.#outgoing = null;
					this.#taken();
				},
			},
			{ highWaterMark: 0 },
		);
		this.#call = new Call(SOCKETS, {
			what: "connect()",
			argument: this.#opening.argument,
			body: new Body(null, outgoing as ReadableStream),
			signal: this.#controller.signal,
		});
		this.#opened = this.#open();
		// Whoever does not look at them hears of a failure by what is read and written.
		this.#opened.catch(() => undefined);
		this.#closed.promise.catch(() => undefined);
		this.#readable = new ReadableStream<Uint8Array>(
			{
				type: "bytes",
				pull: (controller: ReadableByteStreamController) => this.#pull(controller),
				cancel: () => this.#end(null),
			},
			{ highWaterMark: 0 },
		);
		this.#writable = new WritableStream({
			start: (controller) => {
				this.#writing = controller;
			},
			write: (chunk) => this.#write(chunk),
			close: () => this.#finish(),
			abort: (reason) => this.#end(reason),
		});
	}

	get readable(): ReadableStream<Uint8Array> {
		return this.#readable;
	}
	get writable(): WritableStream {
		return this.#writable;
	}
	get opened(): Promise<SocketInfo> {
		return this.#opened;
	}
	get closed(): Promise<void> {
		return this.#closed.promise;
	}
	get secureTransport(): "off" | "on" | "starttls" {
		return this.#opening.secureTransport;
	}
	get upgraded(): boolean {
		return this.#upgraded;
	}

	/** Closes it in both directions, once what was written has left. */
	close(): Promise<void> {
		if (this.#closing || this.#over) return this.#closed.promise;
		this.#closing = true;
		void this.#drain();
		return this.#closed.promise;
	}

	/** Gives a socket that goes on with this one's connection, under TLS. */
	startTls(options?: unknown): Socket {
		const { number, hostname, secureTransport } = this.#opening;
		if (secureTransport !== "starttls") throw new TypeError('The `secureTransport` option must be "starttls".');
		if (this.#upgraded || this.#closing || this.#over) throw new TypeError("The socket is closed.");
		const { expectedServerHostname } = toDictionary(options, "Socket.startTls");
		const servername = expectedServerHostname === undefined ? hostname : hostnameOf(`${expectedServerHostname}`);
		this.#upgraded = true;
		const argument = encodeSocketAsked({ kind: "starttls", socket: number, servername });
		const secure = new Socket(SECRET, { ...this.#opening, argument, secureTransport: "on" });
		this.#fail(new TypeError("The socket goes on under TLS."));
		this.#outgoing?.error(new Error("it goes on under TLS"));
		this.#outgoing = null;
		return secure;
	}

	async #open(): Promise<SocketInfo> {
		try {
			await this.#call.answered;
			if (this.#call.failure !== null) throw new Error(`connect failed: ${this.#call.failure}`);
		} catch (error) {
			this.#fail(error);
			throw error;
		}
		this.#incoming = (this.#call.body as Body).stream.getReader() as ReadableStreamDefaultReader<Uint8Array>;
		return { remoteAddress: this.#opening.host, localAddress: null };
	}

	async #pull(controller: ReadableByteStreamController): Promise<void> {
		await this.#opened;
		const { done, value } = await this.#receive();
		if (!done) {
			controller.enqueue(value as Uint8Array<ArrayBuffer>);
			return;
		}
		controller.close();
		controller.byobRequest?.respond(0);
	}

	async #receive(): Promise<{ done: boolean; value?: Uint8Array }> {
		let read: { done: boolean; value?: Uint8Array };
		try {
			read = await (this.#incoming as ReadableStreamDefaultReader<Uint8Array>).read();
		} catch (error) {
			this.#fail(error);
			throw error;
		}
		if (read.done) this.#fail(new TypeError("The socket is closed."), true);
		return read;
	}

	/** It has come to its end: nothing more can be written. */
	#fail(reason: unknown, wellEnded = false): void {
		if (this.#over) return;
		this.#over = true;
		if (wellEnded) this.#closed.resolve();
		else this.#closed.reject(reason);
		this.#writing?.error(reason);
		this.#taken();
	}

	#taken(): void {
		const sent = this.#sent;
		this.#sent = null;
		sent?.();
	}

	#write(chunk: unknown): Promise<void> {
		if (!isBufferSource(chunk)) throw new TypeError("a socket takes an ArrayBuffer, or a view of one");
		// It is the function's, and may change before it has left.
		const bytes = viewBytes(chunk).slice();
		if (this.#outgoing === null) throw new TypeError("The socket is closed.");
		const { promise, resolve } = Promise.withResolvers<void>();
		if (bytes.byteLength === 0) return Promise.resolve();
		this.#sent = resolve;
		this.#outgoing.enqueue(bytes);
		return promise;
	}

	/** Nothing more is written. */
	#finish(): void {
		// What has been closed altogether ends otherwise, by which the edge tells the two from each other.
		if (this.#closing) this.#outgoing?.error(new Error("closed"));
		else this.#outgoing?.close();
		this.#outgoing = null;
	}

	/** Lets what was written leave, and passes over what still comes in. */
	async #drain(): Promise<void> {
		if (this.#writable.locked) {
			await settled();
			while (this.#sent !== null) await this.#afterwards();
			this.#finish();
			this.#writing?.error(new TypeError("The socket is closed."));
		} else await this.#writable.close().catch(() => this.#finish());
		try {
			await this.#opened;
			while (!this.#over) await this.#receive();
		} catch {
			// It is closed either way, and `closed` says how.
		}
	}

	/** Until the chunk that is on its way has left, and the next one, if any is queued, has come. */
	async #afterwards(): Promise<void> {
		await new Promise<void>((resolve) => {
			const sent = this.#sent;
			this.#sent = () => {
				sent?.();
				resolve();
			};
		});
		await settled();
	}

	/** Ends it at once. */
	#end(reason: unknown): void {
		this.#fail(reason ?? new TypeError("The socket is closed."), true);
		this.#controller.abort(reason ?? new TypeError("The socket is closed."));
	}
}
asInterface(Socket, "Socket", { constructor: 0 });

/** https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/#connect */
export function connect(address: unknown, options?: unknown): Socket {
	requireArguments(arguments.length, 1, "connect");
	const { secureTransport = "off", allowHalfOpen } = toDictionary(options, "connect");
	if (secureTransport !== "off" && secureTransport !== "on" && secureTransport !== "starttls")
		throw new TypeError('The `secureTransport` option must be "off", "on" or "starttls".');
	const { hostname, port } = addressOf(address);
	const number = count++;
	const halfOpen = Boolean(allowHalfOpen);
	const tls = secureTransport === "on";
	const argument = encodeSocketAsked({ kind: "connect", socket: number, tls, halfOpen, hostname, port });
	const host = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
	return new Socket(SECRET, { number, argument, hostname, host, secureTransport, halfOpen });
}

function addressOf(address: unknown): { hostname: string; port: number } {
	let hostname: string;
	let digits: string;
	if (typeof address === "object" && address !== null) {
		const given = address as { hostname?: unknown; port?: unknown };
		hostname = `${given.hostname as string}`;
		digits = `${given.port as string}`;
	} else {
		const text = `${address as string}`;
		const colon = text.lastIndexOf(":");
		if (colon === -1) throw new TypeError("The address must be of the form host:port.");
		hostname = text.slice(0, colon);
		digits = text.slice(colon + 1);
	}
	const port = Number(digits);
	if (!/^\d+$/.test(digits) || port < 1 || port > 65535) throw new TypeError(`${digits} is no port.`);
	return { hostname: hostnameOf(hostname), port };
}

function hostnameOf(text: string): string {
	const hostname = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
	if (!/^[\w.:-]{1,253}$/.test(hostname)) throw new TypeError(`${text} is no hostname.`);
	return hostname;
}
