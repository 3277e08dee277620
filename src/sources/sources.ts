import { createHmac, randomBytes } from "node:crypto";
import { LRUCache } from "lru-cache";
import { Allowance } from "../limits/allowance.ts";
import { DEFAULT_TENANT, type TenantName } from "../names.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { SCHEMES, type SchemeName, type Source } from "./source-settings.ts";

/** A tenant's sources may be sent so much in a second, a request counting as so much more than its body. */
const MOST_PER_SECOND: Bytes = 4 * 2 ** 20;
const REQUEST_BYTES: Bytes = 4096;
const MOST_TENANTS = 10_000;

/** The sources that tenants have, by their keys, `<tenant>/<name>`. */
export class Sources {
	readonly #sources = new Map<string, Source>();
	readonly #allowances = new LRUCache<TenantName, Allowance>({ max: MOST_TENANTS });
	readonly #decoyKey = randomBytes(32);
	/** Of what is sent to no source. */
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
		const digest = createHmac("sha256", this.#decoyKey).update(key).digest();
		const scheme: SchemeName = SCHEMES[digest[0] % SCHEMES.length];
		const secrets = [digest.toString("base64")];
		return { source: { tenant: "", name: "", scheme, secrets, rules: [] }, known: false };
	}

	/** Whether a source may be sent so much more now. */
	allows({ tenant }: Source, bytes: Bytes, now: Milliseconds): boolean {
		let allowance = tenant === "" ? this.#unknown : this.#allowances.get(tenant);
		if (allowance === undefined) {
			allowance = new Allowance(MOST_PER_SECOND);
			this.#allowances.set(tenant, allowance);
		}
		return allowance.take(bytes + REQUEST_BYTES, now) === "within";
	}
}

export const sourceKey = ({ tenant, name }: Pick<Source, "tenant" | "name">): string => `${tenant}/${name}`;
