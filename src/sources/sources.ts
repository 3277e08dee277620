import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { Allowance } from "../limits/allowance.ts";
import { DEFAULT_TENANT } from "../names.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { SCHEMES, type SchemeName, type Source } from "./source-settings.ts";

/** A tenant's sources may be sent so much in a second, a request counting as so much more than its body. */
const MOST_PER_SECOND: Bytes = 4 * 2 ** 20;
const REQUEST_BYTES: Bytes = 4096;
/** What is known of so many tenants for a while. */
export const MOST_TENANTS = 10_000;

/** The sources that tenants have, by their keys, `<tenant>/<name>`. */
export class Sources {
	readonly #sources = new Map<string, Source>();
	/** By digests of tenants' names, which may be of any length and of nobody. */
	readonly #allowances = new LRUCache<string, Allowance>({ max: MOST_TENANTS });
	readonly #decoyKey = randomBytes(32);
	/** Of the work on what is sent to no source. */
	readonly #unknown = new Allowance(MOST_PER_SECOND);

	/** There are these, too, from now on, and those no more. */
	apply(sources: readonly Source[], removed: readonly string[]): void {
		for (const key of removed) this.#sources.delete(key);
		for (const one of sources) this.#sources.set(sourceKey(one), one);
	}

	/** There are none any more but those of some keys. */
	retain(keys: ReadonlySet<string>): void {
		for (const key of this.#sources.keys()) if (!keys.has(key)) this.#sources.delete(key);
	}

	get size(): number {
		return this.#sources.size;
	}

	/**
	 * One, by what stands behind `/events/`. Where there is none a decoy takes its place, whose secret nobody knows: it
	 * is worked on as any other, so that nobody learns which there are.
	 */
	at(path: string): { source: Source; known: boolean } {
		const key = path.includes("/") ? path : `${DEFAULT_TENANT}/${path}`;
		const source = this.#sources.get(key);
		if (source !== undefined) return { source, known: true };
		const digest = this.#digestOf(key);
		const scheme: SchemeName = SCHEMES[digest[0] % SCHEMES.length];
		const secrets = [digest.toString("base64")];
		const tenant = key.slice(0, key.indexOf("/"));
		return { source: { tenant, name: "", scheme, secrets, rules: [] }, known: false };
	}

	/** Whether a source may be sent one more request now, before its body is there. */
	allowsRequest(source: Source, now: Milliseconds): boolean {
		return this.allowsBody(source, REQUEST_BYTES, now);
	}

	/**
	 * Whether it may be sent a body that has come. A decoy has its tenant's allowance, or would have it: what is refused
	 * tells nobody whether there is a source.
	 */
	allowsBody({ tenant }: Source, bytes: Bytes, now: Milliseconds): boolean {
		const whose = this.#digestOf(tenant).toString("base64");
		let allowance = this.#allowances.get(whose);
		if (allowance === undefined) {
			allowance = new Allowance(MOST_PER_SECOND);
			this.#allowances.set(whose, allowance);
		}
		return allowance.take(bytes, now) === "within";
	}

	/** Whether a body for a decoy is to be worked on as any other: names without end have no allowance without end. */
	allowsDecoy(bytes: Bytes, now: Milliseconds): boolean {
		return this.#unknown.take(bytes, now) === "within";
	}

	#digestOf(text: string): Buffer {
		return createHmac("sha256", this.#decoyKey).update(text).digest();
	}
}

export const sourceKey = ({ tenant, name }: Pick<Source, "tenant" | "name">): string => `${tenant}/${name}`;
