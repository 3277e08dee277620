import { fetch } from "../../bindings/fetch/isolate.ts";
import { DOMException } from "../errors/dom-exception.ts";
import { AbortController } from "../events/abort.ts";
import { dispatchTrusted, Event, EventTarget } from "../events/event.ts";
import { defineEventHandler } from "../events/event-handler.ts";
import { parseMime } from "../fetch/mime.ts";
import type { Response } from "../fetch/response.ts";
import { asInterface, requireArguments, toDictionary } from "../interface.ts";
import { ReadableStream, type ReadableStreamDefaultReader } from "../streams/streams.ts";
import { decodeStream } from "../streams/text-stream.ts";
import { setTimer } from "../timing/timers.ts";
import { parseUrl } from "../url/url.ts";
import { EventStreamParser } from "./event-stream-parser.ts";

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;
/** How long is waited before the next attempt, until the server says something else. */
const RETRY_MS = 2000;

const messageEvent = () =>
	(require("./message-channel.ts") as typeof import("./message-channel.ts")).MessageEvent as unknown as new (
		type: string,
		init: object,
	) => Event;

/** What sends its requests: a service binding, say, in the place of the global `fetch`. */
interface Fetcher {
	fetch(url: string, init: object): Promise<Response>;
}

let read: (source: EventSource, stream: ReadableStream) => void;

/**
 * https://html.spec.whatwg.org/#the-eventsource-interface, with what Workers have beside it: the option `fetcher`, and
 * `from(stream)` (https://developers.cloudflare.com/workers/runtime-apis/eventsource/). It lives as long as the
 * request that has made it.
 */
export class EventSource extends EventTarget {
	static from(stream: unknown): EventSource {
		requireArguments(arguments.length, 1, "EventSource.from");
		if (!(stream instanceof ReadableStream)) throw new TypeError("EventSource.from: it is no ReadableStream");
		const source = new EventSource(FROM_STREAM);
		read(source, stream);
		return source;
	}

	#url: string | null = null;
	#withCredentials = false;
	#fetcher: Fetcher | null = null;
	#state = CONNECTING;
	#lastEventId = "";
	#retryMs = RETRY_MS;
	#abort = new AbortController();

	constructor(url: unknown, init?: unknown) {
		requireArguments(arguments.length, 1, "EventSource constructor");
		super();
		if (url === FROM_STREAM) return;
		const { withCredentials, fetcher } = toDictionary(init, "EventSource constructor");
		try {
			this.#url = parseUrl(url, "Invalid URL").href;
		} catch {
			throw new DOMException("EventSource constructor: the URL is not absolute", "SyntaxError");
		}
		if (fetcher !== undefined && typeof (fetcher as Fetcher | null)?.fetch !== "function")
			throw new TypeError("EventSource constructor: fetcher has no method fetch");
		this.#withCredentials = Boolean(withCredentials);
		this.#fetcher = (fetcher as Fetcher | undefined) ?? null;
		void this.#connect();
	}

	get url(): string | null {
		return this.#url;
	}
	get withCredentials(): boolean {
		return this.#withCredentials;
	}
	get readyState(): number {
		return this.#state;
	}
	close(): void {
		this.#state = CLOSED;
		this.#abort.abort();
	}

	#tell(event: Event): void {
		dispatchTrusted(this, event);
	}

	async #connect(): Promise<void> {
		const headers: Record<string, string> = { accept: "text/event-stream", "cache-control": "no-cache" };
		if (this.#lastEventId !== "") headers["last-event-id"] = this.#lastEventId;
		const init = { headers, signal: this.#abort.signal };
		try {
			const url = this.#url as string;
			const response = this.#fetcher === null ? await fetch(url, init) : await this.#fetcher.fetch(url, init);
			const { status, body } = response;
			if (this.#state === CLOSED) return;
			const type = parseMime(response.headers.get("content-type") ?? "")?.essence;
			if (status !== 200 || type !== "text/event-stream" || body === null) {
				await body?.cancel();
				this.#fail();
				return;
			}
			await this.#read(body);
		} catch {
			// What breaks off is tried again, as what ends.
		}
		this.#reconnect();
	}

	async #read(stream: ReadableStream): Promise<void> {
		this.#state = OPEN;
		this.#tell(new Event("open"));
		const MessageEvent = messageEvent();
		const origin = this.#url === null ? "" : parseUrl(this.#url, "Invalid URL").origin;
		const parser = new EventStreamParser(this.#lastEventId, {
			event: (type, data, lastEventId) => {
				this.#lastEventId = lastEventId;
				if (this.#state !== CLOSED) this.#tell(new MessageEvent(type, { data, origin, lastEventId }));
			},
			retry: (ms) => {
				this.#retryMs = ms;
			},
		});
		const reader = decodeStream(stream).getReader() as ReadableStreamDefaultReader<string>;
		for (;;) {
			const { done, value } = await reader.read();
			if (this.#state === CLOSED) {
				await reader.cancel();
				return;
			}
			if (done) return;
			parser.push(value);
		}
	}

	/** https://html.spec.whatwg.org/#reestablish-the-connection */
	#reconnect(): void {
		if (this.#state === CLOSED) return;
		if (this.#url === null) {
			this.#fail();
			return;
		}
		this.#state = CONNECTING;
		this.#tell(new Event("error"));
		if (this.#state === CONNECTING)
			setTimer(
				() => {
					if (this.#state === CONNECTING) void this.#connect();
				},
				this.#retryMs,
				false,
			);
	}

	/** https://html.spec.whatwg.org/#fail-the-connection */
	#fail(): void {
		if (this.#state === CLOSED) return;
		this.#state = CLOSED;
		this.#tell(new Event("error"));
	}

	static {
		read = (source, stream) => {
			void (async () => {
				try {
					await null; // Whoever has it listens first.
					await source.#read(stream);
				} catch {
					// It ends in the same way.
				}
				source.#reconnect();
			})();
		};
	}
}
const FROM_STREAM = Symbol("from a stream");
asInterface(EventSource, "EventSource", { constructor: 1 });
for (const type of ["open", "message", "error"]) defineEventHandler(EventSource.prototype, type);
for (const [name, value] of [
	["CONNECTING", CONNECTING],
	["OPEN", OPEN],
	["CLOSED", CLOSED],
] as const) {
	Object.defineProperty(EventSource, name, { value, enumerable: true });
	Object.defineProperty(EventSource.prototype, name, { value, enumerable: true });
}
