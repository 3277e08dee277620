import { isIP, type LookupFunction } from "node:net";
import type { Agent } from "undici";
import { AddressGuard } from "../../../bindings/fetch/edge/addresses.ts";
import { Names } from "../../../bindings/fetch/edge/names.ts";
import type { Milliseconds } from "../../../units.ts";
import type { OutgoingRequest } from "./receiver.ts";

const CONNECT_MS: Milliseconds = 5000;
/** A receiver has so long to answer. */
const ANSWER_MS: Milliseconds = 15_000;

class Refused extends Error {}

/** What came of a request: its status, or why there is none. */
export type Outcome = { status: number; retryAfter: string | null } | { error: string };

/**
 * Sends requests to receivers. Those of tenants go where functions may go, which is decided by the address that is
 * connected to; those of the server's settings anywhere. Redirects are not followed, and no body is read.
 */
export class Outgoing {
	readonly #guard: AddressGuard;
	readonly #names = new Names();
	/** Tenants' numbers, for whose look-ups no other waits. */
	readonly #numbers = new Map<string, number>();
	#anywhere: Promise<Agent> | null = null;

	constructor(allow: string[]) {
		this.#guard = new AddressGuard({ allow });
	}

	/** `owner` is whose receiver it is; `null` for one that may be anywhere. Never rejects. */
	async send({ url: target, headers, body }: OutgoingRequest, owner: string | null): Promise<Outcome> {
		const url = new URL(target);
		// One for each request of a tenant's: the connection ends with it, and with it what is still to come.
		const agent = await (owner === null ? this.#toAnywhere() : agentOf(this.#lookupFor(owner)));
		try {
			if (owner !== null) this.#check(url);
			const {
				statusCode,
				headers: answered,
				body: rest,
			} = await agent.request({
				...{ origin: url.origin, path: url.pathname + url.search, method: "POST", body },
				headers: { ...headers, "user-agent": "atoll" },
				signal: AbortSignal.timeout(ANSWER_MS),
			});
			rest.on("error", () => undefined).destroy();
			return { status: statusCode, retryAfter: [answered["retry-after"] ?? null].flat()[0] };
		} catch (error) {
			return { error: told(error as NodeJS.ErrnoException, url.host) };
		} finally {
			if (owner !== null) void agent.destroy();
		}
	}

	#toAnywhere(): Promise<Agent> {
		this.#anywhere ??= agentOf();
		return this.#anywhere;
	}

	/** A URL may have an address in place of a name, for which nothing is looked up. */
	#check(url: URL): void {
		const refused = this.refusalOf(url);
		if (refused !== null) throw new Refused(refused);
	}

	/** Why nothing of a tenant's goes to a URL, whatever its name resolves to; `null` where that is not known yet. */
	refusalOf({ hostname: named }: URL): string | null {
		const hostname = named.replace(/^\[|\]$|\.$/g, "");
		const address = isIP(hostname) === 0 ? null : this.#guard.refuseAddress(hostname, hostname);
		return this.#guard.refuseName(hostname) ?? address;
	}

	#lookupFor(owner: string): LookupFunction {
		const number = this.#numbers.get(owner) ?? this.#numbers.size + 1;
		this.#numbers.set(owner, number);
		return (named, options, callback) => {
			const hostname = named.replace(/\.$/, "");
			this.#names.resolve(hostname, number).then((resolved) => {
				if (resolved instanceof Error) return callback(resolved, []);
				const allowed = resolved.filter(({ address }) => this.#guard.refuseAddress(address, hostname) === null);
				if (allowed.length === 0) return callback(new Refused(`${hostname} is not a public address`), []);
				return options.all === true ? callback(null, allowed) : callback(null, allowed[0].address, allowed[0].family);
			});
		};
	}

	async close(): Promise<void> {
		await (await this.#anywhere)?.destroy();
	}
}

/** undici is loaded for the first: it would be a fifth of control's start. */
async function agentOf(lookup?: LookupFunction): Promise<Agent> {
	const { Agent, buildConnector } = await import("undici");
	const connect = buildConnector({ timeout: CONNECT_MS, allowH2: false, ...(lookup && { lookup }) });
	return new Agent({ connect, allowH2: false, connections: 8, headersTimeout: ANSWER_MS, maxHeaderSize: 16_384 });
}

/** What whoever has set the receiver up may know. */
function told(error: NodeJS.ErrnoException, host: string): string {
	if (error instanceof Refused) return error.message;
	const { code, name, message } = error;
	if (name === "TimeoutError") return `${host} did not answer in time`;
	return `${host}: ${(code === "ENOTFOUND" ? "the name does not resolve" : message).slice(0, 200)}`;
}
