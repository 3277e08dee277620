/** `node:http`, `node:https`, and what gives their servers requests. */
declare module "node:http" {
	import { EventEmitter } from "node:events";
	import { Readable, Writable } from "node:stream";

	type HeaderValue = string | number | readonly string[];
	export type IncomingHttpHeaders = Record<string, string | string[] | undefined>;
	export type OutgoingHttpHeaders = Record<string, HeaderValue | undefined>;
	type HeadersGiven = OutgoingHttpHeaders | readonly HeaderValue[] | Headers;
	/** What a message says of its connection, which is the edge's. */
	interface HttpSocket extends EventEmitter {
		readonly remoteAddress: string | undefined;
		readonly remotePort: number | undefined;
		readonly remoteFamily: "IPv4" | "IPv6" | undefined;
		readonly encrypted: boolean;
		readonly destroyed: boolean;
		destroy(error?: Error): this;
	}
	/** https://nodejs.org/api/http.html#class-httpincomingmessage */
	export class IncomingMessage extends Readable {
		constructor(socket: HttpSocket);
		readonly httpVersion: string;
		readonly httpVersionMajor: number;
		readonly httpVersionMinor: number;
		readonly complete: boolean;
		readonly aborted: boolean;
		readonly headers: IncomingHttpHeaders;
		readonly headersDistinct: Record<string, string[]>;
		readonly rawHeaders: string[];
		/** Always empty, as are the others. */
		readonly trailers: Record<string, string>;
		readonly trailersDistinct: Record<string, string[]>;
		readonly rawTrailers: string[];
		/** Of a request. */
		method: string | undefined;
		/** Of a request: path and query. */
		url: string;
		/** Of a response. */
		statusCode: number | undefined;
		/** Of a response. */
		statusMessage: string | undefined;
		readonly socket: HttpSocket;
		readonly connection: HttpSocket;
		setTimeout(milliseconds: number, callback?: () => void): this;
	}
	/** https://nodejs.org/api/http.html#class-httpoutgoingmessage */
	export abstract class OutgoingMessage extends Writable {
		readonly headersSent: boolean;
		readonly finished: boolean;
		sendDate: boolean;
		readonly socket: HttpSocket | null;
		readonly connection: HttpSocket | null;
		setHeader(name: string, value: HeaderValue): this;
		appendHeader(name: string, value: HeaderValue): this;
		setHeaders(headers: Headers | Map<string, HeaderValue>): this;
		getHeader(name: string): HeaderValue | undefined;
		getHeaders(): OutgoingHttpHeaders;
		getHeaderNames(): string[];
		getRawHeaderNames(): string[];
		hasHeader(name: string): boolean;
		removeHeader(name: string): void;
		flushHeaders(): void;
		/** Trailers are not sent. */
		addTrailers(headers: HeadersGiven): void;
		setTimeout(milliseconds: number, callback?: () => void): this;
	}
	/** https://nodejs.org/api/http.html#class-httpserverresponse */
	export class ServerResponse extends OutgoingMessage {
		constructor(request: IncomingMessage);
		readonly req: IncomingMessage;
		statusCode: number;
		statusMessage: string | undefined;
		writeHead(status: number, headers?: HeadersGiven): this;
		writeHead(status: number, message: string, headers?: HeadersGiven): this;
		writeContinue(): void;
		writeProcessing(): void;
		writeEarlyHints(hints: Record<string, HeaderValue>, done?: () => void): void;
	}
	/** Taken, and nothing to the edge, which keeps the connections. */
	export class Agent extends EventEmitter {
		constructor(options?: { keepAlive?: boolean; [option: string]: unknown });
		protocol: string;
		defaultPort: number;
		readonly keepAlive: boolean;
		maxSockets: number;
		maxTotalSockets: number;
		maxFreeSockets: number;
		getName(options?: { host?: string; port?: number | string }): string;
		destroy(): void;
	}
	export interface RequestOptions {
		protocol?: string | null;
		host?: string | null;
		hostname?: string | null;
		port?: number | string | null;
		defaultPort?: number | string;
		path?: string | null;
		method?: string;
		headers?: HeadersGiven;
		auth?: string | null;
		timeout?: number;
		signal?: AbortSignal;
		agent?: Agent | boolean;
	}
	type Responded = (response: IncomingMessage) => void;
	/** https://nodejs.org/api/http.html#class-httpclientrequest */
	export class ClientRequest extends OutgoingMessage {
		constructor(options: RequestOptions, standard: Agent, responded?: Responded);
		readonly method: string;
		readonly protocol: string;
		readonly host: string;
		readonly path: string;
		readonly agent: Agent | undefined;
		readonly reusedSocket: boolean;
		readonly aborted: boolean;
		readonly res: IncomingMessage | null;
		abort(): void;
		setNoDelay(): void;
		setSocketKeepAlive(): void;
	}
	type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
	/** https://nodejs.org/api/http.html#class-httpserver: gets what `cloudflare:node` hands to its port. */
	export class Server extends EventEmitter {
		constructor(listener?: Listener);
		constructor(options: object, listener?: Listener);
		readonly listening: boolean;
		timeout: number;
		requestTimeout: number;
		headersTimeout: number;
		keepAliveTimeout: number;
		listen(port?: number | { port?: number }, ...hostAndCallback: unknown[]): this;
		listen(callback: () => void): this;
		close(done?: (error?: Error) => void): this;
		closeAllConnections(): void;
		closeIdleConnections(): void;
		address(): { address: string; family: "IPv6"; port: number } | null;
		setTimeout(milliseconds?: number, callback?: () => void): this;
		ref(): this;
		unref(): this;
		[Symbol.asyncDispose](): Promise<void>;
	}
	export const METHODS: string[];
	export const STATUS_CODES: Record<number, string>;
	export const globalAgent: Agent;
	export const maxHeaderSize: number;
	export function createServer(listener?: Listener): Server;
	export function createServer(options: object, listener?: Listener): Server;
	export function validateHeaderName(name: string, label?: string): void;
	export function validateHeaderValue(name: string, value: unknown): void;
	/** By `fetch`: redirects are not followed, and bodies are decompressed. */
	export function request(options: RequestOptions | string | URL, responded?: Responded): ClientRequest;
	export function request(url: string | URL, options: RequestOptions, responded?: Responded): ClientRequest;
	export function get(options: RequestOptions | string | URL, responded?: Responded): ClientRequest;
	export function get(url: string | URL, options: RequestOptions, responded?: Responded): ClientRequest;
	const http: {
		Agent: typeof Agent;
		ClientRequest: typeof ClientRequest;
		createServer: typeof createServer;
		get: typeof get;
		globalAgent: Agent;
		IncomingMessage: typeof IncomingMessage;
		METHODS: string[];
		maxHeaderSize: number;
		OutgoingMessage: typeof OutgoingMessage;
		request: typeof request;
		Server: typeof Server;
		ServerResponse: typeof ServerResponse;
		STATUS_CODES: Record<number, string>;
		validateHeaderName: typeof validateHeaderName;
		validateHeaderValue: typeof validateHeaderValue;
	};
	export default http;
}
declare module "http" {
	export * from "node:http";
	export { default } from "node:http";
}
declare module "node:https" {
	import {
		type createServer as create,
		type get as getBy,
		Agent as HttpAgent,
		type request as requestBy,
		Server,
	} from "node:http";

	export class Agent extends HttpAgent {}
	export const globalAgent: Agent;
	export const createServer: typeof create;
	export const get: typeof getBy;
	export const request: typeof requestBy;
	export { Server };

	const https: {
		Agent: typeof Agent;
		createServer: typeof createServer;
		get: typeof get;
		globalAgent: Agent;
		request: typeof request;
		Server: typeof Server;
	};
	export default https;
}
declare module "https" {
	export * from "node:https";
	export { default } from "node:https";
}
/** https://developers.cloudflare.com/workers/runtime-apis/nodejs/http/ */
declare module "cloudflare:node" {
	import type { Server } from "node:http";

	type Target = { port: number } | Server;
	/** A handler that gives a server of `node:http` all requests. */
	export function httpServerHandler(target: Target | number): { fetch(request: Request): Promise<Response> };
	/** Hands a request to the server of `node:http` that listens on a port. */
	export function handleAsNodeRequest(target: Target | number, request: Request): Promise<Response>;
}
