import { EventEmitter } from "./events.ts";
import { type HeadersGiven, type HeaderValue, pairsOf, STATUS_CODES } from "./http-headers.ts";
import { IncomingMessage } from "./http-incoming.ts";
import { type OutgoingBody, OutgoingMessage } from "./http-outgoing.ts";
import { HttpSocket } from "./http-socket.ts";
import { withCode } from "./node-errors.ts";

type Callback = () => void;
type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Whom the response of a ServerResponse is given to. */
const answers = new WeakMap<ServerResponse, PromiseWithResolvers<Response>>();

const EMPTY = new Set([101, 204, 205, 304]);

/** https://nodejs.org/api/http.html#class-httpserverresponse */
export class ServerResponse extends OutgoingMessage {
	readonly req: IncomingMessage;
	statusCode = 200;
	statusMessage: string | undefined;

	constructor(request: IncomingMessage) {
		super();
		this.req = request;
		this.socket = request.socket;
	}

	protected override get bodiless(): boolean {
		return this.req.method === "HEAD" || EMPTY.has(this.statusCode);
	}

	writeHead(status: number, message?: string | HeadersGiven, given?: HeadersGiven): this {
		if (this.headersSent)
			throw withCode(new Error("Cannot write headers after they are sent to the client"), "ERR_HTTP_HEADERS_SENT");
		const code = Number(status) | 0;
		if (code < 100 || code > 999)
			throw withCode(new RangeError(`Invalid status code: ${status}`), "ERR_HTTP_INVALID_STATUS_CODE");
		this.statusCode = code;
		if (typeof message === "string") this.statusMessage = message;
		const headers = typeof message === "string" ? given : (message ?? given);
		const seen = new Set<string>();
		for (const [name, value] of pairsOf(headers)) {
			// A list may have a name several times.
			if (seen.has(name.toLowerCase())) this.appendHeader(name, value);
			else this.setHeader(name, value);
			seen.add(name.toLowerCase());
		}
		this.statusMessage ??= STATUS_CODES[code] ?? "unknown";
		this._header = `HTTP/1.1 ${code} ${this.statusMessage}\r\n`;
		return this;
	}
	override _implicitHeader(): void {
		this.writeHead(this.statusCode);
	}

	protected override dispatch(body: OutgoingBody): void {
		const { statusCode: status, statusMessage: statusText } = this;
		const answer = answers.get(this);
		try {
			answer?.resolve(new Response(body, { status, statusText, headers: this.outgoing.toHeaders() }));
		} catch (error) {
			answer?.reject(error);
			this.destroy(error as Error);
		}
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		answers.get(this)?.reject(error ?? withCode(new Error("the response was destroyed"), "ECONNRESET"));
		super._destroy(error, done);
		this.socket?.closed();
	}

	writeContinue(): void {}
	writeProcessing(): void {}
	writeEarlyHints(_: Record<string, HeaderValue>, done?: Callback): void {
		if (done !== undefined) queueMicrotask(done);
	}
}

/** The servers of a function, by the ports that they say they listen on. */
const listening = new Map<number, Server>();
/** From here on are those that a system would choose. */
const FIRST_FREE_PORT = 49152;

/** https://nodejs.org/api/http.html#class-httpserver: it gets the requests that are handed to it, by its port. */
export class Server extends EventEmitter {
	timeout = 0;
	requestTimeout = 300_000;
	headersTimeout = 60_000;
	keepAliveTimeout = 5000;
	maxHeadersCount: number | null = null;
	maxRequestsPerSocket = 0;
	#port: number | null = null;

	constructor(options?: object | Listener, listener?: Listener) {
		super();
		const onRequest = typeof options === "function" ? (options as Listener) : listener;
		if (onRequest !== undefined) this.on("request", onRequest as (...args: unknown[]) => void);
	}

	get listening(): boolean {
		return this.#port !== null;
	}

	/** Takes a port of the function's own; nothing is opened. */
	listen(...args: unknown[]): this {
		const done = args.find((one) => typeof one === "function") as Callback | undefined;
		if (this.#port !== null)
			throw withCode(
				new Error("Listen method has been called more than once without closing."),
				"ERR_SERVER_ALREADY_LISTEN",
			);
		const [first] = args;
		const asked = typeof first === "object" && first !== null ? (first as { port?: unknown }).port : first;
		const port = Number(typeof asked === "function" ? 0 : (asked ?? 0));
		if (!Number.isInteger(port) || port < 0 || port > 65535)
			throw withCode(
				new RangeError(`options.port should be >= 0 and < 65536. Received ${String(asked)}.`),
				"ERR_SOCKET_BAD_PORT",
			);
		if (listening.has(port)) {
			const error = new Error(`listen EADDRINUSE: address already in use :::${port}`);
			queueMicrotask(() => this.emit("error", Object.assign(error, { code: "EADDRINUSE", syscall: "listen", port })));
			return this;
		}
		let own = port === 0 ? FIRST_FREE_PORT : port;
		while (listening.has(own)) own++;
		this.#port = own;
		listening.set(own, this);
		if (done !== undefined) this.once("listening", done);
		queueMicrotask(() => this.emit("listening"));
		return this;
	}

	close(done?: (error?: Error) => void): this {
		const port = this.#port;
		const error = withCode(new Error("Server is not running."), "ERR_SERVER_NOT_RUNNING");
		if (done !== undefined) this.once("close", () => done(port === null ? error : undefined));
		if (port !== null) listening.delete(port);
		this.#port = null;
		queueMicrotask(() => this.emit("close"));
		return this;
	}
	async [Symbol.asyncDispose](): Promise<void> {
		if (this.listening) this.close();
	}
	closeAllConnections(): void {}
	closeIdleConnections(): void {}
	address(): { address: string; family: "IPv6"; port: number } | null {
		return this.#port === null ? null : { address: "::", family: "IPv6", port: this.#port };
	}
	setTimeout(milliseconds = 0, callback?: Callback): this {
		this.timeout = milliseconds;
		if (callback !== undefined) this.on("timeout", callback);
		return this;
	}
	ref(): this {
		return this;
	}
	unref(): this {
		return this;
	}
}

/** The server that listens on a port. */
export function serverAt(port: number): Server {
	const server = listening.get(port);
	if (server === undefined)
		throw new Error(`no node:http server listens on port ${port}: its listen() has to be called first`);
	return server;
}

/** Hands a request to a server, as if it had come over a connection. */
export async function serve(server: Server, request: Request): Promise<Response> {
	const { pathname, search, host, protocol } = new URL(request.url);
	const socket = new HttpSocket(protocol === "https:", (error) => {
		incoming.destroy(error);
		response.destroy(error);
	});
	socket.remoteAddress = request.client?.ip;
	socket.remotePort = request.client?.port;
	socket.remoteFamily = socket.remoteAddress?.includes(":") ? "IPv6" : "IPv4";
	socket.localPort = server.address()?.port;
	const incoming = new IncomingMessage(socket);
	incoming.method = request.method;
	incoming.url = pathname + search;
	incoming.receive(headersOf(request, host), request.body);
	const response = new ServerResponse(incoming);
	const answer = Promise.withResolvers<Response>();
	answers.set(response, answer);
	request.signal.addEventListener("abort", () => socket.destroy(), { once: true });
	if (!server.emit("request", incoming, response)) throw new Error("the node:http server has no listener of requests");
	return answer.promise;
}

/** With what Node's have beside a `Request`'s: whom it is for, and that there is a body of unknown length. */
function headersOf(request: Request, host: string): [string, string][] {
	const headers = [...request.headers] as [string, string][];
	if (!request.headers.has("host")) headers.unshift(["host", host]);
	if (request.body !== null && !request.headers.has("content-length")) headers.push(["transfer-encoding", "chunked"]);
	return headers;
}

export const createServer = (options?: object | Listener, listener?: Listener): Server => new Server(options, listener);
