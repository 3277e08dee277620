import { type LookupAddress, lookup as systemLookup } from "node:dns";
import { LRUCache } from "lru-cache";
import type { TenantNumber } from "../../../link/protocol.ts";
import type { Milliseconds } from "../../../units.ts";

/**
 * The system's resolver keeps a thread of Node's pool for as long as a name server takes to answer, half a minute if
 * it never does, and cannot be stopped. So some threads are left for everything else, and a tenant has a few lookups
 * at a time.
 */
const THREADS = Number(process.env.UV_THREADPOOL_SIZE) || 4;
const MOST_RUNNING = Math.max(1, THREADS - 2);
const MOST_OF_TENANT = Math.max(1, MOST_RUNNING >> 2);

/** So many more may wait; nobody takes back those of a request that is over. */
const MOST_WAITING = 100;

/** How long what was resolved, or could not be, is known; and of how many names. */
const TTL_MS: Milliseconds = 10_000;
const FAILURE_TTL_MS: Milliseconds = 1000;
const MOST_KNOWN = 10_000;

/**
 * No name is longer, so that none that is needs to be asked for, or kept:
 * https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
 */
const MOST_LETTERS = 253;

/** What a name resolves to, or why it does not. */
export type Resolved = LookupAddress[] | Error;

interface Waiting {
	hostname: string;
	tenant: TenantNumber;
	resolve(resolved: Resolved): void;
}

/** Resolves hostnames for functions, so that no tenant's names keep those of others waiting. */
export class Names {
	readonly #lookup: typeof systemLookup;
	readonly #known = new LRUCache<string, { resolved: Resolved }>({ max: MOST_KNOWN });
	/**
	 * By hostname: who asks for it while it is looked up waits for the same answer, but never in another tenant's
	 * queue.
	 */
	readonly #asked = new Map<string, ((resolved: Resolved) => void)[]>();
	/** What waits, by tenant; the tenant that comes first is the next. */
	readonly #waiting = new Map<TenantNumber, Waiting[]>();
	readonly #running = new Map<TenantNumber, number>();
	#count = 0;

	constructor(lookup: typeof systemLookup = systemLookup) {
		this.#lookup = lookup;
	}

	/** Resolves with addresses, or with the error that says why there is none. */
	resolve(hostname: string, tenant: TenantNumber): Promise<Resolved> {
		if (hostname.length > MOST_LETTERS) return Promise.resolve(TOO_LONG);
		const known = this.#known.get(hostname);
		if (known !== undefined) return Promise.resolve(known.resolved);
		const { promise, resolve } = Promise.withResolvers<Resolved>();
		const asked = this.#asked.get(hostname);
		const queue = this.#waiting.get(tenant);
		if (asked !== undefined) asked.push(resolve);
		else if (queue === undefined) this.#waiting.set(tenant, [{ hostname, tenant, resolve }]);
		else if (queue.length < MOST_WAITING) queue.push({ hostname, tenant, resolve });
		else resolve(TOO_MANY);
		this.#next();
		return promise;
	}

	/** Starts what may be started, of one tenant after the other. */
	#next(): void {
		while (this.#count < MOST_RUNNING) {
			const tenant = this.#mayRun();
			if (tenant === undefined) return;
			const queue = this.#waiting.get(tenant) as Waiting[];
			const next = queue.shift() as Waiting;
			this.#waiting.delete(tenant);
			if (queue.length > 0) this.#waiting.set(tenant, queue);
			this.#start(next);
		}
	}

	#mayRun(): TenantNumber | undefined {
		for (const tenant of this.#waiting.keys()) if ((this.#running.get(tenant) ?? 0) < MOST_OF_TENANT) return tenant;
		return undefined;
	}

	#start({ hostname, tenant, resolve }: Waiting): void {
		const asked = this.#asked.get(hostname);
		if (asked !== undefined) {
			asked.push(resolve);
			return;
		}
		this.#asked.set(hostname, [resolve]);
		this.#count++;
		this.#running.set(tenant, (this.#running.get(tenant) ?? 0) + 1);
		this.#lookup(hostname, { all: true }, (error, addresses) => {
			this.#count--;
			this.#running.set(tenant, (this.#running.get(tenant) as number) - 1);
			if (this.#running.get(tenant) === 0) this.#running.delete(tenant);
			const resolved = error ?? addresses;
			this.#known.set(hostname, { resolved }, { ttl: error === null ? TTL_MS : FAILURE_TTL_MS });
			const answers = this.#asked.get(hostname) ?? [];
			this.#asked.delete(hostname);
			for (const answer of answers) answer(resolved);
			this.#next();
		});
	}
}

const TOO_LONG = new Error(`no name has more than ${MOST_LETTERS} letters`);
const TOO_MANY = new Error("too many names wait to be resolved already");
