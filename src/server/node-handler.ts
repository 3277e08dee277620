import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { LRUCache } from "lru-cache";
import { isHopByHop, stripHopByHop } from "../effects/hop-by-hop.ts";
import { FunctionError } from "../errors.ts";
import { MAX_URL_BYTES } from "../limits/limits.ts";
import type { Client, ResponseHead } from "../prelude/messages.ts";
import { type Host, parseHost } from "../router/hostname.ts";
import { type Exchange, KEPT_BODY, newChain, type ResponseSink, type SocketEnd } from "./exchange.ts";
import { nextRequestId } from "./request-id.ts";

/** Takes a request that has come in, answers into the sink, and calls `abort`'s target when the client has gone. */
export type Dispatch = (
	requestId: string,
	request: Exchange | FunctionError,
	sink: ResponseSink,
	accept: string,
) => { abort(): void } | null;

const lowerCased = new LRUCache<string, string>({ max: 2000 });
const hosts = new LRUCache<string, Host>({ max: 10_000 });

function toLowerCase(name: string): string {
	let lower = lowerCased.get(name);
	if (lower === undefined) {
		lower = name.toLowerCase();
		if (name.length <= 64) lowerCased.set(name, lower);
	}
	return lower;
}

const SMALL_BODY = 8 * 1024;

/** A target that needs no parsing to be in normal form. */
const PLAIN_TARGET = /^\/[\w\-.~/?=&:@!$'()*+,;]*$/;

/** Reads a request's head. Throws FunctionError for what no function should see. */
function readRequest(req: IncomingMessage): Exchange & { accept: string; contentLength: number | null } {
	const raw = req.rawHeaders;
	const headers = new Array<string>(raw.length);
	let hostValue: string | null = null;
	let accept = "";
	let contentLength: number | null = null;
	let strip = false;
	for (let i = 0; i < raw.length; i += 2) {
		const name = toLowerCase(raw[i]);
		const value = raw[i + 1];
		headers[i] = name;
		headers[i + 1] = value;
		if (name === "host") {
			if (hostValue !== null) throw new FunctionError("bad_request", "The request has more than one Host header.");
			hostValue = value;
		} else if (name === "accept") accept = value;
		else if (name === "content-length") contentLength = Number(value);
		else if (isHopByHop(name)) strip = true;
	}
	const target = req.url ?? "/";
	if (target.length > MAX_URL_BYTES) throw new FunctionError("url_too_long");
	if (hostValue === null || hostValue === "") throw new FunctionError("bad_request", "The request has no Host header.");
	let host = hosts.get(hostValue) ?? readHost(hostValue);
	const protocol = (req.socket as TLSSocket).encrypted ? "https:" : "http:";
	let url: string;
	if (PLAIN_TARGET.test(target) && !target.includes("/.")) {
		url = `${protocol}//${host.hostname}${portSuffix(host, protocol)}${target}`;
	} else {
		const absolute = target.startsWith("/") ? null : URL.parse(target);
		const base = `${protocol}//${host.hostname}${portSuffix(host, protocol)}`;
		const parsed =
			absolute ?? URL.parse(target.startsWith("/") ? `${base}${target}` : target === "*" ? `${base}/` : "");
		if (parsed === null || (absolute !== null && parsed.protocol !== "http:" && parsed.protocol !== "https:")) {
			throw new FunctionError("bad_request", "The request's target is malformed.");
		}
		// https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2: an absolute target counts, not the Host header.
		if (absolute !== null) host = { hostname: parsed.hostname, port: parsed.port };
		parsed.hash = "";
		url = parsed.href;
	}
	return {
		method: req.method ?? "GET",
		url,
		hostname: host.hostname,
		headers: strip ? stripHopByHop(headers) : headers,
		body: null,
		client: clientOf(req),
		chain: newChain(),
		accept,
		contentLength,
	};
}

/** By connection, since it is the same for all of its requests. */
const clients = new WeakMap<object, Client>();

function clientOf({ socket, httpVersion }: IncomingMessage): Client {
	const known = clients.get(socket);
	if (known !== undefined) return known;
	const { remoteAddress = "", remotePort = 0 } = socket;
	const tls = (socket as TLSSocket).encrypted ? (socket as TLSSocket).getProtocol() : null;
	const ip = remoteAddress.replace(/^::ffff:(?=\d+\.)/, "");
	const client = { ip, port: remotePort, protocol: `HTTP/${httpVersion}`, tls };
	clients.set(socket, client);
	return client;
}

function readHost(value: string): Host {
	const host = parseHost(value);
	if (host === null) throw new FunctionError("bad_request", "The request's Host header is malformed.");
	if (value.length <= 255) hosts.set(value, host);
	return host;
}

function portSuffix({ port }: Host, protocol: string): string {
	return port === "" || port === (protocol === "http:" ? "80" : "443") ? "" : `:${port}`;
}

/** Makes a listener for upgrades of `node:http` out of a dispatcher: what asks for a WebSocket and is one of HTTP's GETs. */
export function upgradeHandler(
	dispatch: Dispatch,
	makeSink: (req: IncomingMessage, socket: Duplex, head: Buffer) => NodeSink,
) {
	return (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
		socket.on("error", () => socket.destroy());
		const requestId = nextRequestId();
		const sink = makeSink(req, socket, head);
		try {
			const exchange = readRequest(req);
			if (!isWebSocketUpgrade(req))
				throw new FunctionError("bad_request", "The only protocol to upgrade to is websocket.");
			exchange.headers.push("upgrade", "websocket");
			const running = dispatch(requestId, exchange, sink, exchange.accept);
			if (running !== null) sink.onGone = () => running.abort();
		} catch (error) {
			if (!(error instanceof FunctionError)) throw error;
			dispatch(requestId, error, sink, String(req.headers.accept ?? ""));
		}
	};
}

/** https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1 */
export function isWebSocketUpgrade({ method, headers }: IncomingMessage): boolean {
	return (
		method === "GET" &&
		headers.upgrade?.toLowerCase() === "websocket" &&
		/^[\w+/]{22}==$/.test(headers["sec-websocket-key"] ?? "") &&
		headers["sec-websocket-version"] === "13"
	);
}

/** Makes a listener for `node:http` out of a dispatcher. `maxBody` tells how large a hostname's request bodies may be. */
export function nodeHandler(dispatch: Dispatch, maxBody: (hostname: string) => number) {
	return (req: IncomingMessage, res: ServerResponse, expectsContinue = false): void => {
		const requestId = nextRequestId();
		const sink = new NodeSink(req, res);
		let exchange: ReturnType<typeof readRequest>;
		try {
			exchange = readRequest(req);
		} catch (error) {
			if (!(error instanceof FunctionError)) throw error;
			dispatch(requestId, error, sink, String(req.headers.accept ?? ""));
			return;
		}
		const start = () => {
			const running = dispatch(requestId, exchange, sink, exchange.accept);
			if (running !== null) sink.onGone = () => running.abort();
		};
		const { method, contentLength } = exchange;
		const hasBody = contentLength === null ? req.headers["transfer-encoding"] !== undefined : contentLength > 0;
		if (!hasBody || method === "GET" || method === "HEAD") {
			if (hasBody) req.resume();
			start();
			return;
		}
		if (contentLength !== null && contentLength > maxBody(exchange.hostname)) {
			dispatch(requestId, new FunctionError("body_too_large"), sink, exchange.accept);
			return;
		}
		if (expectsContinue) res.writeContinue();
		if (contentLength === null || contentLength > KEPT_BODY) {
			exchange.body = bounded(req, maxBody(exchange.hostname));
			start();
			return;
		}
		// A small body is taken in first: a slow client then holds a socket, and nothing else.
		const parts: Buffer[] = [];
		req.on("data", (part: Buffer) => parts.push(part));
		req.on("end", () => {
			exchange.body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
			start();
		});
	};
}

async function* bounded(req: IncomingMessage, most: number): AsyncGenerator<Uint8Array> {
	let bytes = 0;
	// The connection is kept where the function leaves the body unread: its response is still to be sent.
	for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
		bytes += chunk.length;
		if (bytes > most) throw new FunctionError("body_too_large");
		yield chunk;
	}
}

/** Writes a response to a `node:http` response. */
export class NodeSink implements ResponseSink {
	readonly #req: IncomingMessage;
	readonly #res: ServerResponse;
	#finished = false;
	/** How many bytes the body must have by its Content-Length, where the function gave one. */
	#expected: number | null = null;
	#sent = 0;
	onGone: () => void = () => undefined;

	constructor(req: IncomingMessage, res: ServerResponse) {
		this.#req = req;
		this.#res = res;
		res.on("close", () => {
			if (!this.#finished) this.onGone();
		});
	}

	respond(head: ResponseHead, body: Uint8Array | null): void {
		const { status, headers } = head;
		const out: OutgoingHttpHeader[] = [];
		const hidden = this.#req.method === "HEAD" || body === null;
		let length: string | null = null;
		for (let i = 0; i < headers.length; i += 2) {
			const name = headers[i];
			if (name === "content-length") length = headers[i + 1];
			else out.push(name, headers[i + 1]);
		}
		if (body !== null) out.push("content-length", String(body.byteLength));
		else if (this.#req.method === "HEAD" || status === 304) {
			if (length !== null && /^\d+$/.test(length)) out.push("content-length", length);
		} else if (status !== 204 && status >= 200) out.push("content-length", "0");
		this.#writeHead(head, out);
		this.#finished = true;
		if (hidden) this.#res.end();
		else if (body.byteLength <= SMALL_BODY) {
			// As a string of bytes a small body leaves with the head in one write; as a Buffer it would take a writev.
			this.#res.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1"), "latin1");
		} else this.#res.end(body);
		this.#discardRequest();
	}

	begin(head: ResponseHead): void {
		const out: OutgoingHttpHeader[] = [];
		for (let i = 0; i < head.headers.length; i += 2) {
			const name = head.headers[i];
			if (name === "content-length") {
				if (!/^\d+$/.test(head.headers[i + 1])) continue;
				this.#expected = Number(head.headers[i + 1]);
			}
			out.push(name, head.headers[i + 1]);
		}
		this.#writeHead(head, out);
		this.#res.flushHeaders();
	}

	#writeHead({ status, statusText }: ResponseHead, headers: OutgoingHttpHeader[]): void {
		if (statusText === "") this.#res.writeHead(status, headers);
		else this.#res.writeHead(status, statusText, headers);
	}

	write(bytes: Uint8Array, taken: () => void): void {
		this.#sent += bytes.byteLength;
		if (this.#expected !== null && this.#sent > this.#expected) this.cut();
		else if (!this.#res.destroyed) this.#res.write(bytes, taken);
	}

	end(): void {
		if (this.#expected !== null && this.#sent !== this.#expected) {
			this.cut();
			return;
		}
		this.#finished = true;
		this.#res.end();
		this.#discardRequest();
	}

	cut(): void {
		this.#finished = true;
		this.#res.destroy();
	}

	upgrade(_head: ResponseHead, _end: SocketEnd): SocketEnd {
		throw new Error("the request asked for no WebSocket");
	}

	/** A body that the function did not read must not be taken for the connection's next request. */
	#discardRequest(): void {
		if (!this.#req.complete) this.#req.resume();
	}
}
