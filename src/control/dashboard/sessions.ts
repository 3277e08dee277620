import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Milliseconds, Seconds } from "../../units.ts";
import type { Sealer } from "../secrets.ts";
import type { Bearer, Tokens } from "../tokens.ts";

/** A session ends so long after its last page, and so long after its begin. */
const IDLE: Seconds = 3600;
const LONGEST: Seconds = 12 * 3600;
/** One that is used is sealed anew no more often than that. */
const RENEWAL: Seconds = 60;
/** Where its cookie belongs, as the sealer has it. */
const PLACE = "dashboard/session";
const MOST_ENDED = 10_000;

/** Somebody who has shown a token and goes on without showing it again. */
export interface Session {
	bearer: Bearer;
	/** Tells it from all others. */
	nonce: string;
	/** What each form has to send, which nobody else's page knows. */
	formToken: string;
	since: Seconds;
	seen: Seconds;
}

/**
 * Sessions of the dashboard. Nothing of one is kept here but that it was ended: its cookie is sealed, and names the
 * token, which is looked up each time, so that a session ends with its token and outlives a restart.
 */
export class Sessions {
	readonly #tokens: Tokens;
	readonly #sealer: Sealer;
	readonly #key: Buffer;
	readonly #now: () => Milliseconds;
	readonly #ended = new LRUCache<string, true>({ max: MOST_ENDED, ttl: LONGEST * 1000 });
	/** Who is to be told when one ends, by its nonce. */
	readonly #waiting = new Map<string, Set<() => void>>();

	constructor(tokens: Tokens, sealer: Sealer, now: () => Milliseconds = Date.now) {
		this.#tokens = tokens;
		this.#sealer = sealer;
		this.#key = sealer.derive("the dashboard's forms");
		this.#now = now;
	}

	/** The cookie of a new one. */
	begin({ id }: Bearer): string {
		const now = this.#seconds();
		return this.#seal({ id, nonce: randomBytes(16).toString("base64url"), since: now, seen: now });
	}

	/** The session of a cookie; `null` where it is none, or is over. */
	async find(cookie: string | undefined): Promise<Session | null> {
		const said = cookie === undefined ? null : this.#unseal(cookie);
		if (said === null) return null;
		const { id, nonce, since, seen } = said;
		const now = this.#seconds();
		if (now - since > LONGEST || now - seen > IDLE || this.#ended.has(nonce)) return null;
		const bearer = await this.#tokens.byId(id);
		if (bearer === null) return null;
		const formToken = createHmac("sha256", this.#key).update(nonce).digest("base64url");
		return { bearer, nonce, formToken, since, seen };
	}

	/** The cookie that it goes on with; `null` where the one that it has is new enough. */
	renewed({ bearer: { id }, nonce, since, seen }: Session): string | null {
		const now = this.#seconds();
		return now - seen < RENEWAL ? null : this.#seal({ id, nonce, since, seen: now });
	}

	/** Whether a form was sent from a page of this session. */
	isOwnForm({ formToken }: Session, sent: unknown): boolean {
		const [own, other] = [formToken, String(sent)].map((text) => Buffer.from(text));
		return own.length === other.length && timingSafeEqual(own, other);
	}

	/** From now on its cookie lets nobody in. */
	end({ nonce }: Session): void {
		this.#ended.set(nonce, true);
		for (const ended of [...(this.#waiting.get(nonce) ?? [])]) ended();
	}

	/** Calls back once a session ends by itself or by `end`. Returns the function after which it calls no more. */
	onEnd({ nonce, since }: Session, callback: () => void): () => void {
		const waiting = this.#waiting.get(nonce) ?? new Set();
		this.#waiting.set(nonce, waiting.add(callback));
		const left = (since + LONGEST) * 1000 - this.#now();
		const timer = setTimeout(callback, Math.max(0, left)).unref();
		return () => {
			clearTimeout(timer);
			waiting.delete(callback);
			if (waiting.size === 0) this.#waiting.delete(nonce);
		};
	}

	#seconds(): Seconds {
		return Math.floor(this.#now() / 1000);
	}

	#seal(said: Said): string {
		return this.#sealer.seal(JSON.stringify(said), PLACE);
	}

	#unseal(cookie: string): Said | null {
		try {
			return JSON.parse(this.#sealer.unseal(cookie, PLACE)) as Said;
		} catch {
			return null; // Anybody may send anything.
		}
	}
}

/** What a cookie says: only what was sealed here is read. */
interface Said {
	/** The token's. */
	id: string;
	nonce: string;
	since: Seconds;
	seen: Seconds;
}
