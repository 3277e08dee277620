import type { LookupAddress } from "node:dns";
import type { EventEmitter } from "node:events";
import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import { Readable } from "node:stream";
import { LRUCache } from "lru-cache";
import type { Agent, Client, Dispatcher } from "undici";
import type { Decompressor } from "../../../helpers/decompressor.ts";
import type { TenantNumber } from "../../../link/protocol.ts";
import type { Bytes } from "../../../units.ts";
import type { FetchedResponse } from "../../functions.ts";
import { AddressGuard, type EgressPolicy } from "./addresses.ts";
import { codingOf } from "./content-coding.ts";
import { isHopByHop } from "./hop-by-hop.ts";
import { Intake } from "./intake.ts";
import { Names } from "./names.ts";
import { Reception } from "./reception.ts";
import { type Hop, without } from "./redirects.ts";

type Undici = typeof import("undici");

class Refused extends Error {}

/** Of so many tenants connections are kept, and of each to so many origins. */
const MOST_TENANTS = 1000;
const MOST_ORIGINS = 1000;
/** More than may come of a head (`intake.ts`): undici makes an error of each header beyond it. */
const MAX_HEADER_BYTES = 256 * 1024;

/** A tenant's connections to the outside, and what they receive. */
interface TenantConnections {
	agent: Agent;
	intake: Intake;
}

/** Functions' requests to the outside: http and https, to allowed addresses. */
export class Egress {
	/** A hundred modules, which take as long as a fifth of the edge's own: they are read while sandboxes start. */
	readonly #undici: Promise<Undici> = import("undici");
	readonly #guard: AddressGuard;
	readonly #onFault: (origin: URL, error: Error) => void;
	readonly #decompressor: Decompressor;
	readonly #names = new Names();
	/** Tenants share no connections: what one makes of them is nothing to another. */
	readonly #connections = new LRUCache<TenantNumber, TenantConnections>({
		max: MOST_TENANTS,
		dispose: ({ agent }) => void agent.close(),
	});

	/** `onFault` hears of what went wrong in the edge itself, on a connection to an origin. */
	constructor(
		policy: EgressPolicy | undefined,
		decompressor: Decompressor,
		onFault: (origin: URL, error: Error) => void,
	) {
		this.#onFault = onFault;
		this.#guard = new AddressGuard(policy);
		this.#decompressor = decompressor;
	}

	async #connectionsOf(tenant: TenantNumber): Promise<TenantConnections> {
		const undici = await this.#undici;
		let connections = this.#connections.get(tenant);
		if (connections === undefined) {
			const intake = new Intake();
			connections = { agent: this.#newAgent(undici, tenant, intake), intake };
			this.#connections.set(tenant, connections);
		}
		return connections;
	}

	/** HTTP/1.1 alone: what is received can be bounded there. */
	#newAgent({ Agent, Client, Pool, buildConnector }: Undici, tenant: TenantNumber, intake: Intake): Agent {
		// undici tells a connection of an exception in what it calls, and ends the process where nobody hears of that.
		const newClient = (origin: URL, options: object): Client => {
			const client = new Client(origin, options);
			(client as EventEmitter).on("error", (error: Error) => this.#onFault(origin, error));
			return client;
		};
		const connect = buildConnector({ lookup: this.#lookupFor(tenant), timeout: 10_000, allowH2: false });
		return new Agent({
			connect(options, callback) {
				connect(options, (error, socket) => {
					if (error !== null) return callback(error, null);
					try {
						intake.pace(socket as Socket);
					} catch (fault) {
						socket?.destroy();
						return callback(fault as Error, null);
					}
					return callback(null, socket as Socket);
				});
			},
			factory: (origin, options) => new Pool(origin, { ...options, factory: newClient }),
			allowH2: false,
			maxOrigins: MOST_ORIGINS,
			maxHeaderSize: MAX_HEADER_BYTES,
		});
	}

	/**
	 * What a connection is made to: the addresses that the name was resolved to, and checked here. There is no second
	 * look-up between the check and the connection.
	 */
	#lookupFor(tenant: TenantNumber): LookupFunction {
		return (hostname, options, callback) => {
			this.#allowed(hostname, tenant).then(
				(addresses) => {
					if (options.all === true) callback(null, addresses);
					else callback(null, addresses[0].address, addresses[0].family);
				},
				(error: Error) => callback(error, []),
			);
		};
	}

	/** The addresses of a name that may be connected to, of which there is one at least. */
	async #allowed(hostname: string, tenant: TenantNumber): Promise<LookupAddress[]> {
		const resolved = await this.#names.resolve(hostname, tenant);
		if (resolved instanceof Error) throw resolved;
		const allowed = resolved.filter(({ address }) => this.#guard.refuseAddress(address, hostname) === null);
		if (allowed.length > 0) return allowed;
		throw new Refused(
			resolved.length === 0
				? `${hostname} has no address`
				: (this.#guard.refuseAddress(resolved[0].address, hostname) as string),
		);
	}

	/** Sends one request of a tenant's function. Rejects with what the function may know of the failure. */
	async send({ url: target, method, headers, content, signal }: Hop, tenant: TenantNumber): Promise<FetchedResponse> {
		const url = new URL(target);
		if (url.protocol !== "http:" && url.protocol !== "https:")
			throw new Error(`only http and https can be fetched, not ${url.protocol}`);
		const { hostname, isAddress } = this.#checked(url.hostname);
		url.hostname = isAddress ? url.hostname : hostname;
		const whole = content instanceof Uint8Array || content === null;
		// Of a stream it is the isolate that knows how long it is; undici sends no other number of bytes then.
		const sent = without(
			headers,
			(name) => isHopByHop(name) || name === "host" || name === "expect" || (name === "content-length" && whole),
		);
		if (!hasHeader(sent, "accept")) sent.push("accept", "*/*");
		if (!hasHeader(sent, "user-agent")) sent.push("user-agent", "atoll");
		if (!hasHeader(sent, "accept-encoding")) sent.push("accept-encoding", "gzip, deflate, br");
		let reception: Reception | null = null;
		try {
			const resolved = isAddress ? [] : await this.#names.resolve(hostname, tenant);
			if (resolved instanceof Error) throw resolved;
			const { agent, intake } = await this.#connectionsOf(tenant);
			this.#decompressor.warm();
			reception = new Reception(signal, intake);
			agent.dispatch(
				{
					origin: url.origin,
					path: url.pathname + url.search,
					method: method as Dispatcher.HttpMethod,
					headers: sent,
					body: whole ? content : Readable.from(content, { objectMode: false }),
					headersTimeout: 0,
					bodyTimeout: 0,
				},
				reception,
			);
			return await this.#answer(reception, { method, tenant, intake });
		} catch (error) {
			reception?.cancel();
			throw told(error as Error, url.host);
		}
	}

	/** A hostname in normal form, which may be asked for. Throws what the function may know of it otherwise. */
	#checked(named: string): { hostname: string; isAddress: boolean } {
		// A name with a dot at its end is the same name, and not another one that nobody has thought of denying.
		const hostname = named.replace(/^\[|\]$|\.$/g, "");
		const isAddress = isIP(hostname) !== 0;
		const refused =
			this.#guard.refuseName(hostname) ?? (isAddress ? this.#guard.refuseAddress(hostname, hostname) : null);
		if (refused !== null) throw new Error(refused);
		return { hostname, isAddress };
	}

	/** Opens a connection for a tenant's function. Rejects with what the function may know of the failure. */
	async connect(
		{ hostname: named, port, halfOpen }: { hostname: string; port: number; halfOpen: boolean },
		tenant: TenantNumber,
		signal: AbortSignal,
	): Promise<{ socket: Socket; intake: Intake }> {
		const { hostname } = this.#checked(named.toLowerCase());
		const { intake } = await this.#connectionsOf(tenant);
		intake.connected();
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const socket = connect({ host: hostname, port, lookup: this.#lookupFor(tenant), allowHalfOpen: halfOpen });
		const abort = () => reject(signal.reason as Error);
		// Heard for as long as it lives: an error that nobody hears of would end the process.
		socket.once("connect", resolve).on("error", reject);
		signal.addEventListener("abort", abort, { once: true });
		if (signal.aborted) abort();
		try {
			await promise;
			socket.setNoDelay(true);
			return { socket, intake };
		} catch (error) {
			socket.destroy();
			throw told(error as Error, `${hostname}:${port}`);
		} finally {
			signal.removeEventListener("abort", abort);
		}
	}

	/** The response as the function gets it: decompressed, without the headers that concern one connection. */
	async #answer(
		reception: Reception,
		{ method, tenant, intake }: { method: string; tenant: TenantNumber; intake: Intake },
	): Promise<FetchedResponse> {
		const { status, headers } = await reception.head;
		const empty = method === "HEAD" || status === 204 || status === 205 || status === 304;
		const coding = empty ? null : codingOf([headers["content-encoding"] ?? ""].flat().join());
		const list: string[] = [];
		for (const [name, value] of Object.entries(headers)) {
			if (value === undefined || isHopByHop(name)) continue;
			if (coding !== null && (name === "content-encoding" || name === "content-length")) continue;
			for (const one of Array.isArray(value) ? value : [value]) list.push(name, one);
		}
		const head = { status, statusText: "", headers: list, body: "stream" as const };
		if (empty) {
			reception.ignore();
			return { head, body: null };
		}
		const pace = (bytes: Bytes) => intake.decompressed(bytes);
		const body = coding === null ? reception : this.#decompressor.decompress({ body: reception, coding, tenant, pace });
		return { head, body: ReadableStream.from(body) };
	}

	async close(): Promise<void> {
		await Promise.all([...this.#connections.values()].map(({ agent }) => agent.destroy()));
	}
}

/** The function learns what a browser's developer console would tell, not what the host's stack looks like. */
function told(error: NodeJS.ErrnoException, host: string): Error {
	const { code, message } = error;
	return new Error(
		error instanceof Refused ? message : `${host}: ${code === "ENOTFOUND" ? "the name does not resolve" : message}`,
	);
}

function hasHeader(headers: string[], name: string): boolean {
	for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return true;
	return false;
}
