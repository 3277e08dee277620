import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { FunctionName, TenantName } from "../names.ts";
import type { Milliseconds } from "../units.ts";
import { ControlError } from "./control-error.ts";
import { SCOPES, type Scope, type TokenDocument } from "./store/documents.ts";
import type { Store } from "./store/store.ts";

/** So many digits of a token's hash are its id. */
const ID_DIGITS = 16;
/** So many wrong tokens an address may try within a minute. */
const MOST_FAILURES = 10;
const FAILURES_MS: Milliseconds = 60_000;
/** Timers take no more. */
const LONGEST_TIMER: Milliseconds = 2 ** 31 - 1;

/** What a token is made for. */
export type Grant = Pick<TokenDocument, "label" | "scope" | "tenant" | "functions" | "expires">;

/** Whoever has shown a token, and what that allows. */
export class Bearer {
	readonly id: string;
	readonly #grant: Grant;

	constructor(id: string, grant: Grant) {
		this.id = id;
		this.#grant = grant;
	}

	/** How the audit log calls it. */
	get label(): string {
		return this.#grant.label;
	}

	/** The one tenant that it acts for, or `null`. */
	get tenant(): TenantName | null {
		return this.#grant.tenant;
	}

	/** What it allows, as it is told to whoever has shown it. */
	get grant(): Grant {
		const { label, scope, tenant, functions, expires } = this.#grant;
		return { label, scope, tenant, functions, expires };
	}

	/** Whether its token allows something. */
	allows(scope: Scope, tenant: TenantName | null, name: FunctionName | null = null): boolean {
		return this.#obstacle(scope, tenant, name) === null;
	}

	/** Throws ControlError `forbidden` for what its token does not allow. */
	require(scope: Scope, tenant: TenantName | null, name: FunctionName | null = null): void {
		const obstacle = this.#obstacle(scope, tenant, name);
		if (obstacle !== null) this.#refuse(obstacle);
	}

	#obstacle(scope: Scope, tenant: TenantName | null, name: FunctionName | null): string | null {
		const { scope: own, tenant: ownTenant, functions } = this.#grant;
		if (SCOPES.indexOf(own) < SCOPES.indexOf(scope)) return `has the scope ${own}; this needs ${scope}`;
		if (ownTenant !== null && tenant !== ownTenant) return `acts for the tenant ${ownTenant} alone`;
		if (functions !== null && (name === null ? scope !== "read" : !functions.includes(name)))
			return `acts on ${functions.join(", ")} alone`;
		return null;
	}

	/** The same for what is all tenants': a token that is held to some functions has no part in it. */
	requireAll(scope: Scope): void {
		this.require(scope, null);
		const { functions } = this.#grant;
		if (functions !== null) this.#refuse(`acts on ${functions.join(", ")} alone, and this is of all functions`);
	}

	/** The same for what functions have stored, which is their tenant's: a token that is held to some of them has no part in it. */
	requireStored(scope: Scope, tenant: TenantName): void {
		this.require(scope, tenant);
		const { functions } = this.#grant;
		if (functions !== null)
			this.#refuse(`acts on ${functions.join(", ")} alone, and what is stored is all of the tenant's functions'`);
	}

	#refuse(why: string): never {
		throw new ControlError("forbidden", `the token ${JSON.stringify(this.label)} ${why}`);
	}
}

const isInForce = ({ expires }: TokenDocument) => expires === null || Date.parse(expires) > Date.now();
const hashOf = (token: string) => createHash("sha256").update(token).digest("hex");

/** The tokens by which callers of the API are known. What is stored of one is its hash. */
export class Tokens {
	readonly #store: Store;
	/** How many wrong tokens an address has tried lately. */
	readonly #failures = new LRUCache<string, number>({ max: 10_000, ttl: FAILURES_MS });

	/** Who is to be told when a token ends, by its id. */
	readonly #waiting = new Map<string, Set<() => void>>();

	constructor(store: Store) {
		this.#store = store;
	}

	/** Makes a token, which is told this once. `given` takes the place of one that is made up. */
	async create(actor: string, grant: Grant, given?: string): Promise<{ id: string; token: string }> {
		const token = given ?? `atoll_${randomBytes(24).toString("base64url")}`;
		const hash = hashOf(token);
		const id = hash.slice(0, ID_DIGITS);
		const before = await this.#store.get("token", id);
		const value: TokenDocument = { ...grant, hash, created: new Date().toISOString() };
		await this.#store.commit({ actor, action: "token.create", target: id }, [
			{ kind: "token", key: id, value, expected: before?.revision ?? 0 },
		]);
		return { id, token };
	}

	/**
	 * Sees to it that there is a token by which the operator comes in: the given one, or where there is none at all one
	 * that is made up and returned, once.
	 */
	async first(given: string | undefined): Promise<string | null> {
		const grant: Grant = { label: "first", scope: "admin", tenant: null, functions: null, expires: null };
		if (given !== undefined) {
			const known = await this.#store.get("token", hashOf(given).slice(0, ID_DIGITS));
			if (known === null) await this.create("system", grant, given);
			return null;
		}
		const [any] = await this.#store.list("token", { limit: 1 });
		return any === undefined ? (await this.create("system", grant)).token : null;
	}

	async list(): Promise<(Grant & { id: string; created: string })[]> {
		const all = await this.#store.list("token");
		return all.map(({ key: id, value: { hash: _, ...rest } }) => ({ id, ...rest }));
	}

	/** Who has shown a token of this id earlier; `null` where it lets nobody in any more. */
	async byId(id: string): Promise<Bearer | null> {
		const entry = await this.#store.get("token", id);
		return entry !== null && isInForce(entry.value) ? new Bearer(entry.key, entry.value) : null;
	}

	/** From now on it lets nobody in. Returns whether there was such a token. */
	async revoke(actor: string, id: string): Promise<boolean> {
		const entry = await this.#store.get("token", id);
		if (entry === null) return false;
		await this.#store.commit({ actor, action: "token.revoke", target: id }, [
			{ kind: "token", key: id, value: null, expected: entry.revision },
		]);
		for (const ended of [...(this.#waiting.get(id) ?? [])]) ended();
		return true;
	}

	/**
	 * Calls back once a token that has let its bearer in does so no more, since it was revoked or has expired. Returns
	 * the function after which it calls no more.
	 */
	onEnd({ id, grant: { expires } }: Bearer, callback: () => void): () => void {
		let timer: NodeJS.Timeout | undefined;
		const wait = () => {
			const left = expires === null ? Number.POSITIVE_INFINITY : Date.parse(expires) - Date.now();
			timer = setTimeout(left > LONGEST_TIMER ? wait : callback, Math.min(left, LONGEST_TIMER)).unref();
		};
		wait();
		const waiting = this.#waiting.get(id) ?? new Set();
		this.#waiting.set(id, waiting.add(callback));
		// It may have been revoked since its bearer was let in.
		void this.#store.get("token", id).then((entry) => entry ?? callback(), callback);
		return () => {
			clearTimeout(timer);
			waiting.delete(callback);
			if (waiting.size === 0) this.#waiting.delete(id);
		};
	}

	/**
	 * Who has shown an `Authorization` header. Throws ControlError `unauthorized`, and `too_many_attempts` for a wrong
	 * token from an address that has tried many. A right one is let in all the same: addresses are shared.
	 */
	async authenticate(header: string | undefined, address: string): Promise<Bearer> {
		const token = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
		if (token === undefined) throw new ControlError("unauthorized", "send a token: Authorization: Bearer <token>");
		const hash = hashOf(token);
		const entry = await this.#store.get("token", hash.slice(0, ID_DIGITS));
		if (entry !== null && timingSafeEqual(Buffer.from(entry.value.hash), Buffer.from(hash)) && isInForce(entry.value))
			return new Bearer(entry.key, entry.value);
		const failures = this.#failures.get(address) ?? 0;
		if (failures >= MOST_FAILURES) {
			const seconds = Math.ceil(this.#failures.getRemainingTTL(address) / 1000);
			throw new ControlError("too_many_attempts", "too many wrong tokens came from this address", seconds);
		}
		// A minute counts from the first.
		this.#failures.set(address, failures + 1, failures === 0 ? {} : { noUpdateTTL: true });
		throw new ControlError("unauthorized", "the token is unknown, revoked or expired");
	}
}

/** What a call of the API knows of its caller, once that is certain. */
export interface Authenticated {
	Variables: { bearer: Bearer };
}
