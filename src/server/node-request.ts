import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { LRUCache } from "lru-cache";
import { isHopByHop, stripHopByHop } from "../bindings/fetch/edge/hop-by-hop.ts";
import { newChain } from "../bindings/functions.ts";
import { FunctionError } from "../errors.ts";
import { withoutSession } from "../http/session-cookie.ts";
import { MAX_URL_BYTES } from "../limits/limits.ts";
import type { Client } from "../link/messages.ts";
import { type Host, parseHost } from "../router/hostname.ts";
import type { Exchange } from "./exchange.ts";

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

/** A target that needs no parsing to be in normal form. */
const PLAIN_TARGET = /^\/[\w\-.~/?=&:@!$'()*+,;]*$/;

/** A request of `node:http` as the server takes it, without its body. */
export interface NodeExchange extends Exchange {
	accept: string;
	contentLength: number | null;
}

/** Reads a request's head. Throws FunctionError for what no function should see. */
export function readRequest(req: IncomingMessage): NodeExchange {
	const raw = req.rawHeaders;
	const headers = new Array<string>(raw.length);
	let hostValue: string | null = null;
	let hostAt = 0;
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
			hostAt = i + 1;
		} else if (name === "accept") accept = value;
		else if (name === "cookie") headers[i + 1] = withoutSession(value);
		else if (name === "content-length") contentLength = Number(value);
		else if (isHopByHop(name)) {
			strip = true;
			// Of other codings the body would have to be freed, and a recipient of HTTP/1.0 knows none.
			if (name === "transfer-encoding" && (value.toLowerCase() !== "chunked" || req.httpVersion !== "1.1"))
				throw new FunctionError("bad_request", "The request's transfer coding is not chunked alone.");
		}
	}
	// A proxy would take what follows the answer for a tunnel: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
	if (req.method === "CONNECT") throw new FunctionError("bad_request", "There is nothing to connect to.");
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
			absolute ??
			URL.parse(
				target.startsWith("/") ? `${base}${target}` : target === "*" && req.method === "OPTIONS" ? `${base}/` : "",
			);
		if (parsed === null || (absolute !== null && parsed.protocol !== "http:" && parsed.protocol !== "https:")) {
			throw new FunctionError("bad_request", "The request's target is malformed.");
		}
		if (absolute !== null) {
			// https://www.rfc-editor.org/rfc/rfc9110#section-4.2.4: who stands before the host hides it, and is not
			// for anybody to see.
			if (parsed.username !== "" || parsed.password !== "")
				throw new FunctionError("bad_request", "The request's target has user information.");
			// https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2: an absolute target counts, not the Host header.
			host = readHost(parsed.host);
			parsed.hostname = host.hostname;
			headers[hostAt] = parsed.host;
		}
		parsed.hash = "";
		url = parsed.href;
	}
	return {
		method: req.method ?? "GET",
		url,
		hostname: host.hostname,
		to: null,
		asked: null,
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
