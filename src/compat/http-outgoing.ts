import { Writable } from "readable-stream";
import { Buffer } from "./buffer.ts";
import { type HeadersGiven, type HeaderValue, OutgoingHeaders, pairsOf } from "./http-headers.ts";
import { IdleTimer } from "./http-idle-timer.ts";
import type { HttpSocket } from "./http-socket.ts";
import { invalidType, withCode } from "./node-errors.ts";

type Done = (error?: Error | null) => void;
type Ended = () => void;
/** A body as `fetch` and `Response` take it. */
export type OutgoingBody = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;

/**
 * https://nodejs.org/api/http.html#class-httpoutgoingmessage: a message that is written. Its head leaves with the first
 * of its body; a body that is ended at once goes whole.
 */
export abstract class OutgoingMessage extends Writable {
	/** The head as Node has it once it is fixed; here that it is. */
	_header: string | null = null;
	finished = false;
	sendDate = true;
	shouldKeepAlive = true;
	readonly chunkedEncoding = false;
	readonly strictContentLength = false;
	socket: HttpSocket | null = null;
	protected readonly outgoing = new OutgoingHeaders();
	readonly #idle = new IdleTimer(this);
	#state: "waiting" | "whole" | "streaming" = "waiting";
	#controller: ReadableStreamDefaultController<Uint8Array> | null = null;
	/** Of the chunk that nobody has read yet. */
	#written: Done | null = null;

	/** Fixes the head as it is. */
	abstract _implicitHeader(): void;
	/** Sends the head, and the body, which is there or to come. */
	protected abstract dispatch(body: OutgoingBody): void;
	/** Whether what is written is no part of the message. */
	protected get bodiless(): boolean {
		return false;
	}

	get headersSent(): boolean {
		return this._header !== null;
	}
	get connection(): HttpSocket | null {
		return this.socket;
	}

	setHeader(name: string, value: HeaderValue): this {
		this.#mustNotBeSent("set");
		this.outgoing.set(name, value);
		return this;
	}
	appendHeader(name: string, value: HeaderValue): this {
		this.#mustNotBeSent("append");
		this.outgoing.append(name, value);
		return this;
	}
	setHeaders(headers: Headers | Map<string, HeaderValue>): this {
		const pairs = headers instanceof Map ? [...headers] : pairsOf(headers);
		const cookies = pairs.filter(([name]) => name === "set-cookie").flatMap(([, value]) => value as string);
		for (const [name, value] of pairs) this.setHeader(name, name === "set-cookie" ? cookies : value);
		return this;
	}
	getHeader(name: string): HeaderValue | undefined {
		return this.outgoing.get(name);
	}
	getHeaders(): Record<string, HeaderValue> {
		return this.outgoing.toObject();
	}
	getHeaderNames(): string[] {
		return this.outgoing.names;
	}
	getRawHeaderNames(): string[] {
		return this.outgoing.rawNames;
	}
	hasHeader(name: string): boolean {
		return this.outgoing.get(name) !== undefined;
	}
	removeHeader(name: string): void {
		this.#mustNotBeSent("remove");
		this.outgoing.delete(name);
	}
	flushHeaders(): void {
		this.#start();
	}
	/** Trailers are not sent. */
	addTrailers(_: HeadersGiven): void {}

	setTimeout(milliseconds: number, callback?: () => void): this {
		this.#idle.set(milliseconds, callback);
		return this;
	}
	/** Something has come or gone. */
	protected active(): void {
		this.#idle.refresh();
	}

	#mustNotBeSent(what: string): void {
		if (this.headersSent)
			throw withCode(new Error(`Cannot ${what} headers after they are sent to the client`), "ERR_HTTP_HEADERS_SENT");
	}

	/** With all of the body where there is no more to come. */
	#start(whole?: Uint8Array<ArrayBuffer> | null): void {
		if (this.#state !== "waiting") return;
		if (this._header === null) this._implicitHeader();
		this.#state = whole === undefined && !this.bodiless ? "streaming" : "whole";
		if (this.#state === "whole") this.dispatch(this.bodiless ? null : (whole ?? null));
		else this.dispatch(this.#stream());
	}

	#stream(): ReadableStream<Uint8Array> {
		return new ReadableStream<Uint8Array>(
			{
				start: (controller) => {
					this.#controller = controller;
				},
				pull: () => this.#taken(),
				cancel: (reason) => {
					this.#controller = null;
					this.destroy(reason instanceof Error ? reason : undefined);
				},
			},
			{ highWaterMark: 0 },
		);
	}

	#taken(): void {
		const written = this.#written;
		this.#written = null;
		written?.();
	}

	override end(...args: unknown[]): this {
		const done = typeof args.at(-1) === "function" ? (args.pop() as Ended) : undefined;
		const [chunk, encoding] = args as [unknown, string | undefined];
		const isWhole = this.#state === "waiting" && this.writableLength === 0 && !this.writableEnded && !this.destroyed;
		if (isWhole) this.#start(chunk === undefined || chunk === null ? null : bytesOf(chunk, encoding));
		if (isWhole || chunk === undefined || chunk === null) super.end(done);
		else super.end(chunk, encoding as "utf8", done as Ended);
		this.finished = true;
		return this;
	}

	override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
		this.#start();
		this.active();
		if (this.#controller === null || chunk.byteLength === 0) {
			done();
			return;
		}
		this.#written = done;
		// A Buffer is nothing that the Web's streams would know.
		this.#controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
	}

	override _final(done: Done): void {
		this.#start(null);
		this.#controller?.close();
		this.#controller = null;
		done();
	}

	override _destroy(error: Error | null, done: Done): void {
		this.#idle.set(0);
		this.#controller?.error(error ?? withCode(new Error("aborted"), "ECONNRESET"));
		this.#controller = null;
		this.#taken();
		done(error);
	}
}

function bytesOf(chunk: unknown, encoding: string | undefined): Uint8Array<ArrayBuffer> {
	if (typeof chunk === "string")
		return encoding === undefined || /^utf-?8$/i.test(encoding)
			? new TextEncoder().encode(chunk)
			: Buffer.from(chunk, encoding);
	if (chunk instanceof Uint8Array) return chunk as Uint8Array<ArrayBuffer>;
	throw invalidType('The "chunk" argument must be of type string or an instance of Buffer or Uint8Array.');
}
