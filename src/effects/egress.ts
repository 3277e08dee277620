import { isIP, type LookupFunction, type Socket } from "node:net";
import { Readable } from "node:stream";
import { LRUCache } from "lru-cache";
import { Agent, buildConnector, type Dispatcher } from "undici";
import type { OwnerNumber } from "../link/protocol.ts";
import { AddressGuard, type EgressPolicy } from "./addresses.ts";
import { decode, decodersOf } from "./decoding.ts";
import type { FetchedResponse } from "./effects.ts";
import { isHopByHop } from "./hop-by-hop.ts";
import { Intake } from "./intake.ts";
import { Names } from "./names.ts";
import { Reception } from "./reception.ts";
import { type Hop, without } from "./redirects.ts";

class Refused extends Error {}

/** Of so many owners connections are kept, and of each to so many origins. */
const MOST_OWNERS = 1000;
const MOST_ORIGINS = 1000;
/** More than may come of a head (`intake.ts`): undici makes an error of each header beyond it. */
const MAX_HEADER_BYTES = 256 * 1024;

/** An owner's connections to the outside, and what they receive. */
interface OwnerConnections {
	agent: Agent;
	intake: Intake;
}

/** Functions' requests to the outside: http and https, to allowed addresses. */
export class Egress {
	readonly #guard: AddressGuard;
	readonly #names = new Names();
	/** Owners share no connections: what one makes of them is nothing to another. */
	readonly #connections = new LRUCache<OwnerNumber, OwnerConnections>({
		max: MOST_OWNERS,
		dispose: ({ agent }) => void agent.close(),
	});

	constructor(policy: EgressPolicy | undefined) {
		this.#guard = new AddressGuard(policy);
	}

	#connectionsOf(owner: OwnerNumber): OwnerConnections {
		let connections = this.#connections.get(owner);
		if (connections === undefined) {
			const intake = new Intake();
			connections = { agent: this.#newAgent(owner, intake), intake };
			this.#connections.set(owner, connections);
		}
		return connections;
	}

	/** HTTP/1.1 alone: what is received can be bounded there. */
	#newAgent(owner: OwnerNumber, intake: Intake): Agent {
		const connect = buildConnector({ lookup: this.#lookupFor(owner), timeout: 10_000, allowH2: false });
		return new Agent({
			connect(options, callback) {
				connect(options, (...result) => {
					const [error, socket] = result;
					if (error === null) intake.pace(socket as Socket);
					callback(...result);
				});
			},
			allowH2: false,
			maxOrigins: MOST_ORIGINS,
			maxHeaderSize: MAX_HEADER_BYTES,
		});
	}

	/**
	 * What a connection is made to: the addresses that the name was resolved to, and checked here. There is no second look-up between
	 * the check and the connection.
	 */
	#lookupFor(owner: OwnerNumber): LookupFunction {
		return (hostname, options, callback) => {
			void this.#names.resolve(hostname, owner).then((resolved) => {
				if (resolved instanceof Error) return callback(resolved, []);
				const allowed = resolved.filter(({ address }) => this.#guard.refuseAddress(address, hostname) === null);
				if (allowed.length === 0) {
					const why =
						resolved.length === 0
							? `${hostname} has no address`
							: (this.#guard.refuseAddress(resolved[0].address, hostname) as string);
					return callback(new Refused(why), []);
				}
				if (options.all === true) callback(null, allowed);
				else callback(null, allowed[0].address, allowed[0].family);
			});
		};
	}

	/** Sends one request of an owner's function. Rejects with what the function may know of the failure. */
	async send({ url: target, method, headers, content, signal }: Hop, owner: OwnerNumber): Promise<FetchedResponse> {
		const url = new URL(target);
		if (url.protocol !== "http:" && url.protocol !== "https:")
			throw new Error(`only http and https can be fetched, not ${url.protocol}`);
		// A name with a dot at its end is the same name, and not another one that nobody has thought of denying.
		const hostname = url.hostname.replace(/^\[|\]$|\.$/g, "");
		const isAddress = isIP(hostname) !== 0;
		const refused =
			this.#guard.refuseName(hostname) ?? (isAddress ? this.#guard.refuseAddress(hostname, hostname) : null);
		if (refused !== null) throw new Error(refused);
		url.hostname = isAddress ? url.hostname : hostname;
		const sent = without(
			headers,
			(name) => isHopByHop(name) || name === "host" || name === "content-length" || name === "expect",
		);
		if (!hasHeader(sent, "accept")) sent.push("accept", "*/*");
		if (!hasHeader(sent, "user-agent")) sent.push("user-agent", "atoll");
		if (!hasHeader(sent, "accept-encoding")) sent.push("accept-encoding", "gzip, deflate, br");
		let reception: Reception | null = null;
		try {
			const resolved = isAddress ? [] : await this.#names.resolve(hostname, owner);
			if (resolved instanceof Error) throw resolved;
			const { agent, intake } = this.#connectionsOf(owner);
			reception = new Reception(signal, intake);
			agent.dispatch(
				{
					origin: url.origin,
					path: url.pathname + url.search,
					method: method as Dispatcher.HttpMethod,
					headers: sent,
					body:
						content instanceof Uint8Array || content === null ? content : Readable.from(content, { objectMode: false }),
					headersTimeout: 0,
					bodyTimeout: 0,
				},
				reception,
			);
			return await answer(reception, method);
		} catch (error) {
			reception?.cancel();
			// The function learns what a browser's developer console would tell, not what the host's stack looks like.
			const { code, message } = error as NodeJS.ErrnoException;
			throw new Error(
				error instanceof Refused
					? message
					: `${url.host}: ${code === "ENOTFOUND" ? "the name does not resolve" : message}`,
			);
		}
	}

	async close(): Promise<void> {
		await Promise.all([...this.#connections.values()].map(({ agent }) => agent.destroy()));
	}
}

function hasHeader(headers: string[], name: string): boolean {
	for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return true;
	return false;
}

/** The response as the function gets it: decompressed, without the headers that concern one connection. */
async function answer(reception: Reception, method: string): Promise<FetchedResponse> {
	const { status, headers } = await reception.head;
	const empty = method === "HEAD" || status === 204 || status === 205 || status === 304;
	const decoders = empty ? null : decodersOf([headers["content-encoding"] ?? ""].flat().join());
	const decoded = decoders !== null && decoders.length > 0;
	const list: string[] = [];
	for (const [name, value] of Object.entries(headers)) {
		if (value === undefined || isHopByHop(name)) continue;
		if (decoded && (name === "content-encoding" || name === "content-length")) continue;
		for (const one of Array.isArray(value) ? value : [value]) list.push(name, one);
	}
	const head = { status, statusText: "", headers: list, body: "stream" as const };
	if (!empty) return { head, body: ReadableStream.from(decode(reception, decoders ?? [])) };
	reception.ignore();
	return { head, body: null };
}
