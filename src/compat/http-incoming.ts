import { Readable } from "readable-stream";
import { Buffer } from "./buffer.ts";
import { IdleTimer } from "./http-idle-timer.ts";
import type { HttpSocket } from "./http-socket.ts";

/** Of these Node takes the first. */
const SINGLE = new Set(
	(
		"age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since " +
		"last-modified location max-forwards proxy-authorization referer retry-after server user-agent"
	).split(" "),
);

/** https://nodejs.org/api/http.html#class-httpincomingmessage */
export class IncomingMessage extends Readable {
	httpVersion = "1.1";
	httpVersionMajor = 1;
	httpVersionMinor = 1;
	/** Whether the whole body has come. */
	complete = false;
	aborted = false;
	readonly upgrade = false;
	/** Name, value, name, value, … */
	rawHeaders: string[] = [];
	readonly rawTrailers: string[] = [];
	readonly trailers: Record<string, string> = {};
	readonly trailersDistinct: Record<string, string[]> = {};
	/** Of a request. */
	method: string | undefined;
	/** Of a request: path and query. */
	url = "";
	/** Of a response. */
	statusCode: number | undefined;
	/** Of a response. */
	statusMessage: string | undefined;
	socket: HttpSocket;
	#headers: Record<string, string | string[]> | null = null;
	#body: ReadableStreamDefaultReader<Uint8Array> | null = null;
	#onChunk = () => {};
	readonly #idle = new IdleTimer(this);

	constructor(socket: HttpSocket) {
		super();
		this.socket = socket;
	}

	/** What it is read from; `onChunk` hears of whatever comes. */
	receive(
		headers: Iterable<[string, string]>,
		body: ReadableStream<Uint8Array> | null,
		onChunk: () => void = () => undefined,
	): void {
		for (const [name, value] of headers) this.rawHeaders.push(name, value);
		this.#body = body?.getReader() ?? null;
		this.#onChunk = onChunk;
	}

	get connection(): HttpSocket {
		return this.socket;
	}

	get headers(): Record<string, string | string[] | undefined> {
		if (this.#headers !== null) return this.#headers;
		const headers: Record<string, string | string[]> = {};
		for (const [name, values] of Object.entries(this.headersDistinct)) {
			if (name === "set-cookie") headers[name] = values;
			else headers[name] = SINGLE.has(name) ? values[0] : values.join(name === "cookie" ? "; " : ", ");
		}
		this.#headers = headers;
		return headers;
	}
	set headers(headers: Record<string, string | string[]>) {
		this.#headers = headers;
	}

	get headersDistinct(): Record<string, string[]> {
		const headers = Object.create(null) as Record<string, string[]>;
		for (let i = 0; i < this.rawHeaders.length; i += 2) {
			const name = this.rawHeaders[i].toLowerCase();
			headers[name] ??= [];
			headers[name].push(this.rawHeaders[i + 1]);
		}
		return headers;
	}

	setTimeout(milliseconds: number, callback?: () => void): this {
		this.#idle.set(milliseconds, callback);
		return this;
	}

	override _read(): void {
		if (this.#body === null) {
			this.complete = true;
			this.push(null);
			return;
		}
		this.#body.read().then(
			({ done, value }) => {
				this.#idle.refresh();
				this.#onChunk();
				if (done) this.complete = true;
				this.push(done ? null : Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength));
			},
			(error: Error) => this.destroy(error),
		);
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		this.#idle.set(0);
		if (!this.complete) {
			this.aborted = true;
			this.emit("aborted");
			this.#body?.cancel(error).catch(() => undefined); // It has failed already.
		}
		// It is told later, so that whoever destroys it can still listen.
		queueMicrotask(() => done(error));
	}
}
