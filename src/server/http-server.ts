import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, ListenOptions, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { FunctionError } from "../errors.ts";
import type { Account } from "../limits/account.ts";
import { MAX_HEADER_BYTES } from "../limits/limits.ts";
import type { ResponseHead } from "../link/messages.ts";
import type { Guard, Guarded } from "../observe/guard.ts";
import type { Milliseconds } from "../units.ts";
import { guarded, sending } from "./connection.ts";
import { Connections, type Handler, mostConnections } from "./connections.ts";
import { isWebSocketUpgrade } from "./upgrade.ts";

/** Milliseconds that a stop waits for the requests in flight. */
const DRAIN_TIMEOUT = 30_000;
/** How long a request's head may take to arrive, and how long all of it. */
const HEAD_MS: Milliseconds = 30_000;
const REQUEST_MS: Milliseconds = 300_000;
/** How often that is looked at. */
const CHECK_MS: Milliseconds = 30_000;

/** What bounds the clients of a server. */
interface ServerBounds {
	/** How many connections it may have at once. Default: as many as fit into the account of what is unfinished. */
	connections?: number;
	/** How long a request's head may take to arrive. Default: 30 s. */
	headMs?: Milliseconds;
	/** How often it is looked whether one takes longer. Default: every 30 s. */
	checkMs?: Milliseconds;
}

/** A connection that there was none of yet. */
const REFUSED: Guarded = { describe: () => ({ client: "none yet" }), cut: () => undefined };

/** What answers requests: a runtime. */
export interface Handlers {
	nodeHandler(req: IncomingMessage, res: ServerResponse): void;
	continueHandler(req: IncomingMessage, res: ServerResponse): void;
	upgradeHandler(req: IncomingMessage, socket: Duplex, head: Buffer): void;
	closeWebSockets(): void;
	refuse(error: FunctionError, answered: boolean): { head: ResponseHead; body: Uint8Array };
	readonly guard: Guard;
	readonly unfinished: Account;
}

/** The HTTP server of `atoll serve`: node:http with the limits that hold before a function is known. */
export class HttpServer {
	readonly #server: Server;

	readonly #runtime: Handlers;
	readonly #connections: Connections;
	/** Whether connections without a request are kept, since one may be on its way. */
	#lingers = false;

	constructor(runtime: Handlers, bounds: ServerBounds = {}) {
		const { connections: most = mostConnections(runtime.unfinished), headMs = HEAD_MS, checkMs = CHECK_MS } = bounds;
		this.#runtime = runtime;
		const connections = new Connections({
			most,
			unfinished: runtime.unfinished,
			onEnded: () => runtime.refuse(new FunctionError("overloaded"), false),
		});
		this.#connections = connections;
		this.#server = createServer({
			maxHeaderSize: MAX_HEADER_BYTES,
			requireHostHeader: false,
			noDelay: true,
			keepAliveTimeout: 65_000,
			requestTimeout: Math.max(REQUEST_MS, headMs),
			headersTimeout: headMs,
			connectionsCheckingInterval: checkMs,
			// What asks to upgrade to something else is an ordinary request:
			// https://www.rfc-editor.org/rfc/rfc9110#section-7.8
			shouldUpgradeCallback: isWebSocketUpgrade,
		});
		// Of itself it ends also those whose last answer has not left yet.
		this.#server.closeIdleConnections = () => {
			if (!this.#lingers) connections.endIdle();
		};
		// The size of all headers is bounded already; a bound on their number would drop the last of them silently.
		this.#server.maxHeadersCount = 0;
		const { nodeHandler, continueHandler } = runtime;
		const handleWith = (handler: Handler) => (req: IncomingMessage, res: ServerResponse) =>
			connections.request(req, res, handler);
		const handOver = (req: IncomingMessage, socket: Duplex, head: Buffer) => {
			connections.leave(req.socket);
			runtime.upgradeHandler(req, socket, head);
		};
		const ofRequest = ({ socket }: IncomingMessage) => socket;
		this.#on<[IncomingMessage, ServerResponse]>("request", ofRequest, handleWith(nodeHandler));
		this.#on<[IncomingMessage, ServerResponse]>("checkContinue", ofRequest, handleWith(continueHandler));
		// What else a client expects need not be met: https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
		this.#on<[IncomingMessage, ServerResponse]>("checkExpectation", ofRequest, handleWith(nodeHandler));
		this.#on<[IncomingMessage, Duplex, Buffer]>("upgrade", ofRequest, handOver);
		this.#on<[IncomingMessage, Duplex, Buffer]>("connect", ofRequest, handOver);
		this.#on<[Socket]>(
			"connection",
			(socket) => socket,
			(socket) => connections.add(socket),
		);
		this.#on<[Error, Socket]>(
			"clientError",
			(_, socket) => socket,
			(error, socket) => refuse(runtime, error, socket),
		);
	}

	/** What goes wrong in a listener ends the connection that it listens for. */
	#on<A extends unknown[]>(event: string, connectionOf: (...args: A) => Duplex, listener: (...args: A) => void): void {
		const { guard } = this.#runtime;
		this.#server.on(event, (...args) => {
			try {
				listener(...(args as A));
			} catch (error) {
				guard.fault(guarded(connectionOf(...(args as A))), error);
			}
		});
	}

	/** Starts listening. Rejects with the system's error where the address cannot be had. */
	async listen(port: number, host: string): Promise<AddressInfo> {
		return this.#listen({ port, host });
	}

	/** The same on a socket that was bound by another process, by its descriptor. */
	async listenOn(fd: number): Promise<AddressInfo> {
		return this.#listen({ fd });
	}

	async #listen(where: ListenOptions & { fd?: number }): Promise<AddressInfo> {
		await new Promise<void>((resolve, reject) => {
			this.#server.once("error", reject);
			this.#server.listen(where, () => {
				this.#server.off("error", reject);
				// From now on these are connections that could not be accepted, such as for want of descriptors.
				this.#server.on("error", (error) => this.#runtime.guard.fault(REFUSED, error));
				resolve();
			});
		});
		return this.#server.address() as AddressInfo;
	}

	/**
	 * Stops accepting, since another process goes on with the socket, and answers what comes over the connections that
	 * there are, each of which ends with its next answer. Resolves when there are none left, or so much later.
	 */
	async drain(ms: Milliseconds): Promise<void> {
		this.#lingers = true;
		this.#connections.draining = true;
		const { promise: over, resolve } = Promise.withResolvers<void>();
		const timer = setTimeout(resolve, ms);
		this.#server.close(() => resolve());
		await over;
		clearTimeout(timer);
		this.#lingers = false;
	}

	/** Stops accepting and finishes what is in flight, for 30 seconds at most. A connection ends with its next answer. */
	async close(): Promise<void> {
		this.#connections.draining = true;
		this.#runtime.closeWebSockets();
		// Not those that are idle at once, as Node would: the next request of one that is in use is on its way.
		this.#lingers = true;
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		this.#lingers = false;
		const idle = setInterval(() => this.#server.closeIdleConnections(), 20);
		const late = setTimeout(() => this.#server.closeAllConnections(), DRAIN_TIMEOUT);
		await closed;
		clearInterval(idle);
		clearTimeout(late);
	}
}

function refusalOf({ code }: NodeJS.ErrnoException): FunctionError {
	switch (code) {
		case "HPE_HEADER_OVERFLOW":
			return new FunctionError("headers_too_large");
		case "ERR_HTTP_REQUEST_TIMEOUT":
			return new FunctionError("request_timeout");
		default:
			return new FunctionError("bad_request", "The request is not valid HTTP.");
	}
}

/** Answers what is no HTTP request, or one whose head is too large or too slow, in the form of all other errors. */
function refuse(runtime: Handlers, error: NodeJS.ErrnoException, socket: Socket): void {
	if (error.code === "ECONNRESET" || !socket.writable) {
		socket.destroy();
		return;
	}
	const refusal = refusalOf(error);
	const current = sending(socket);
	const end = () => {
		// In the midst of a request, that one's record tells of it.
		if (current?.req.complete !== false) runtime.refuse(refusal, false);
		socket.destroy();
	};
	if (current?.req.complete) {
		// What is wrong came after that request, which gets its answer first.
		socket.pause();
		current.once("close", end);
		return;
	}
	if (socket.bytesWritten > 0) {
		end();
		return;
	}
	const { head, body } = runtime.refuse(refusal, true);
	let text = `HTTP/1.1 ${head.status} ${STATUS_CODES[head.status]}\r\n`;
	for (let i = 0; i < head.headers.length; i += 2) text += `${head.headers[i]}: ${head.headers[i + 1]}\r\n`;
	text += `content-length: ${body.byteLength}\r\nconnection: close\r\n\r\n`;
	socket.end(Buffer.concat([Buffer.from(text), body]));
}
