import { EventEmitter } from "./events.ts";
import { type HeadersGiven, pairsOf, STATUS_CODES } from "./http-headers.ts";
import { IncomingMessage } from "./http-incoming.ts";
import { type OutgoingBody, OutgoingMessage } from "./http-outgoing.ts";
import { HttpSocket } from "./http-socket.ts";
import { aborted, withCode } from "./node-errors.ts";

type Responded = (response: IncomingMessage) => void;

/** https://nodejs.org/api/http.html#httprequesturl-options-callback; what is about the connection is not looked at. */
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

/** https://nodejs.org/api/http.html#class-httpagent: taken, and nothing to the edge, which keeps the connections. */
export class Agent extends EventEmitter {
	readonly options: object;
	protocol = "http:";
	defaultPort = 80;
	readonly keepAlive: boolean;
	maxSockets = Number.POSITIVE_INFINITY;
	maxTotalSockets = Number.POSITIVE_INFINITY;
	maxFreeSockets = 256;
	readonly requests = {};
	readonly sockets = {};
	readonly freeSockets = {};

	constructor(options: { keepAlive?: boolean } = {}) {
		super();
		this.options = { ...options };
		this.keepAlive = options.keepAlive ?? false;
	}
	getName({ host = "localhost", port = "" }: { host?: string; port?: number | string } = {}): string {
		return `${host}:${port}:`;
	}
	destroy(): void {}
}
export const globalAgent = new Agent();

/** https://nodejs.org/api/http.html#class-httpclientrequest: `fetch` does it. */
export class ClientRequest extends OutgoingMessage {
	readonly method: string;
	readonly protocol: string;
	readonly host: string;
	readonly path: string;
	readonly agent: Agent | undefined;
	readonly reusedSocket = false;
	aborted = false;
	res: IncomingMessage | null = null;
	readonly #url: string;
	readonly #controller = new AbortController();

	constructor(options: RequestOptions, standard: Agent, responded?: Responded) {
		super({ autoDestroy: false });
		const agent = typeof options.agent === "object" ? options.agent : standard;
		const protocol = options.protocol ?? agent.protocol;
		if (protocol !== agent.protocol)
			throw withCode(
				new TypeError(`Protocol "${protocol}" not supported. Expected "${agent.protocol}"`),
				"ERR_INVALID_PROTOCOL",
			);
		const path = options.path || "/";
		// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a path cannot have
		if (/[\x00-\x20]/.test(path))
			throw withCode(new TypeError("Request path contains unescaped characters"), "ERR_UNESCAPED_CHARACTERS");
		const method = (options.method ?? "GET").toUpperCase();
		if (!/^[!#$%&'*+\-.^_`|~0-9A-Z]+$/.test(method))
			throw withCode(new TypeError(`Method must be a valid HTTP token ["${method}"]`), "ERR_INVALID_HTTP_TOKEN");
		this.method = method;
		this.protocol = protocol;
		this.path = path;
		this.agent = options.agent === false ? undefined : agent;
		this.host = options.hostname ?? options.host ?? "localhost";
		const defaultPort = options.defaultPort ?? agent.defaultPort;
		const port = options.port || defaultPort;
		const name = this.host.includes(":") && !this.host.startsWith("[") ? `[${this.host}]` : this.host;
		const host = Number(port) === Number(defaultPort) ? name : `${name}:${port}`;
		this.#url = new URL(`${protocol}//${name}:${port}${path.startsWith("/") ? path : `/${path}`}`).href;
		for (const [key, value] of pairsOf(options.headers)) this.appendHeader(key, value);
		if (!this.hasHeader("host")) this.setHeader("Host", host);
		if (options.auth && !this.hasHeader("authorization"))
			this.setHeader("Authorization", `Basic ${btoa(options.auth)}`);
		if (responded !== undefined) this.once("response", responded);
		if (options.timeout !== undefined) this.setTimeout(options.timeout);
		const { signal } = options;
		const abort = () => this.destroy(aborted(signal?.reason));
		if (signal?.aborted) queueMicrotask(abort);
		else signal?.addEventListener("abort", abort, { once: true });
		const socket = new HttpSocket(protocol === "https:", (error) => this.destroy(error));
		this.socket = socket;
		queueMicrotask(() => this.emit("socket", socket));
	}

	override _implicitHeader(): void {
		this._header = `${this.method} ${this.path} HTTP/1.1\r\n`;
	}

	protected override dispatch(body: OutgoingBody): void {
		const headers = this.outgoing.toHeaders();
		if (headers.has("expect")) queueMicrotask(() => this.emit("continue"));
		const { signal } = this.#controller;
		const init = { method: this.method, headers, body, signal, redirect: "manual", duplex: "half" } as const;
		// It throws at once for what it cannot send, which is told as an event like all else.
		new Promise<Response>((resolve) => resolve(fetch(this.#url, init))).then(
			(response) => this.#respond(response),
			(error: Error) => {
				if (!this.destroyed) this.destroy(failureOf(error));
			},
		);
	}

	#respond(response: Response): void {
		if (this.destroyed) return void response.body?.cancel();
		this.active();
		const message = new IncomingMessage(this.socket as HttpSocket);
		message.receive(response.headers, response.body, () => this.active());
		message.statusCode = response.status;
		message.statusMessage = response.statusText || (STATUS_CODES[response.status] ?? "");
		Object.assign(message, { req: this });
		this.res = message;
		message.once("close", () => this.destroy());
		if (!this.emit("response", message)) message.resume();
	}

	override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
		const { res } = this;
		if (res !== null && !res.complete) res.destroy(error ?? withCode(new Error("aborted"), "ECONNRESET"));
		const hungUp = res === null && error === null ? withCode(new Error("socket hang up"), "ECONNRESET") : error;
		this.#controller.abort(hungUp ?? undefined);
		this.socket?.closed();
		super._destroy(res === null ? hungUp : null, done);
	}

	abort(): void {
		if (this.aborted) return;
		this.aborted = true;
		queueMicrotask(() => this.emit("abort"));
		this.destroy();
	}
	setNoDelay(): void {}
	setSocketKeepAlive(): void {}
}

/** An error as Node's network would have it, of one that `fetch` tells in words. */
function failureOf(cause: Error): Error {
	if (cause.name !== "TypeError") return cause;
	const error = new Error(cause.message.replace(/^fetch failed: (?:\S+: )?/, ""), { cause });
	const [code] = /\bE[A-Z]{4,}\b/.exec(error.message) ?? [];
	if (code !== undefined) return withCode(error, code);
	if (error.message === "the name does not resolve") return withCode(error, "ENOTFOUND");
	return /other side closed|terminated/.test(error.message) ? withCode(error, "ECONNRESET") : error;
}

type Arguments = [url: string | URL | RequestOptions, options?: RequestOptions | Responded, responded?: Responded];
export type RequestFunction = (...args: Arguments) => ClientRequest;

/** `request` and `get` of a module whose agent that is. */
export function requestsBy(agent: Agent): { request: RequestFunction; get: RequestFunction } {
	const request: RequestFunction = (url, second, third) => {
		const given = typeof url === "string" || url instanceof URL;
		const rest = given ? second : url;
		const options = { ...(given ? optionsOf(new URL(url)) : {}), ...(typeof rest === "object" ? rest : {}) };
		const responded = [second, third].find((one) => typeof one === "function") as Responded | undefined;
		return new ClientRequest(options, agent, responded);
	};
	const get: RequestFunction = (...args) => {
		const asked = request(...args);
		asked.end();
		return asked;
	};
	return { request, get };
}

function optionsOf({ protocol, hostname, port, pathname, search, username, password }: URL): RequestOptions {
	const auth = username || password ? `${decodeURIComponent(username)}:${decodeURIComponent(password)}` : null;
	return { protocol, hostname: hostname.replace(/^\[|\]$/g, ""), port, path: pathname + search, auth };
}
