import { isIP, type LookupFunction } from "node:net";
import { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { Agent, type Dispatcher, request } from "undici";
import type { OwnerNumber } from "../isolates/protocol.ts";
import { AddressGuard, type EgressPolicy } from "./addresses.ts";
import type { FetchedResponse } from "./effects.ts";
import { isHopByHop } from "./hop-by-hop.ts";
import { Names } from "./names.ts";
import { type Hop, without } from "./redirects.ts";

class Refused extends Error {}

/** Owners have other numbers. */
const NOBODY: OwnerNumber = 0;

/** Functions' requests to the outside: http and https, to allowed addresses. */
export class Egress {
	readonly #guard: AddressGuard;
	readonly #names = new Names();
	readonly #agent: Agent;

	constructor(policy: EgressPolicy | undefined) {
		this.#guard = new AddressGuard(policy);
		this.#agent = new Agent({ connect: { lookup: this.#lookup, timeout: 10_000 }, maxOrigins: 10_000 });
	}

	/**
	 * What a connection is made to: the addresses that the name was resolved to for whoever asked first, and checked here. There is no
	 * second look-up between the check and the connection. A later connection of the pool's own making is on nobody's account.
	 */
	readonly #lookup: LookupFunction = (hostname, options, callback) => {
		void this.#names.resolve(hostname, NOBODY).then((resolved) => {
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
		try {
			const resolved = isAddress ? [] : await this.#names.resolve(hostname, owner);
			if (resolved instanceof Error) throw resolved;
			const response = await request(url, {
				method: method as Dispatcher.HttpMethod,
				headers: sent,
				body:
					content instanceof Uint8Array || content === null ? content : Readable.from(content, { objectMode: false }),
				signal,
				dispatcher: this.#agent,
				headersTimeout: 0,
				bodyTimeout: 0,
			});
			return answer(response, method);
		} catch (error) {
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
		await this.#agent.destroy();
	}
}

function hasHeader(headers: string[], name: string): boolean {
	for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return true;
	return false;
}

function first(headers: Dispatcher.ResponseData["headers"], name: string): string | null {
	const value = headers[name];
	return value === undefined ? null : Array.isArray(value) ? value[0] : value;
}

/** The response as the function gets it: decompressed, without the headers that concern one connection. */
function answer({ statusCode, headers, body }: Dispatcher.ResponseData, method: string): FetchedResponse {
	const list: string[] = [];
	const encodings = (first(headers, "content-encoding") ?? "")
		.toLowerCase()
		.split(",")
		.map((part) => part.trim())
		.filter(Boolean);
	const empty = method === "HEAD" || statusCode === 204 || statusCode === 205 || statusCode === 304;
	const decoded = !empty && encodings.length > 0 && encodings.every((encoding) => Object.hasOwn(DECODERS, encoding));
	for (const [name, value] of Object.entries(headers)) {
		if (value === undefined || isHopByHop(name)) continue;
		if (decoded && (name === "content-encoding" || name === "content-length")) continue;
		for (const one of Array.isArray(value) ? value : [value]) list.push(name, one);
	}
	let stream: Readable = body;
	if (decoded) {
		for (const encoding of encodings.reverse()) {
			const decoder = DECODERS[encoding]();
			stream.on("error", (error) => decoder.destroy(error));
			stream = stream.pipe(decoder);
		}
	}
	if (empty) body.on("error", () => undefined).resume();
	const head = { status: statusCode, statusText: "", headers: list, body: "stream" as const };
	return { head, body: empty ? null : (Readable.toWeb(stream) as ReadableStream<Uint8Array>) };
}

const DECODERS: Record<string, () => ReturnType<typeof createGunzip>> = {
	gzip: () => createGunzip(),
	"x-gzip": () => createGunzip(),
	deflate: () => createInflate(),
	br: () => createBrotliDecompress() as unknown as ReturnType<typeof createGunzip>,
	zstd: () => createZstdDecompress() as unknown as ReturnType<typeof createGunzip>,
};
