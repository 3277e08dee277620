import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { TenantName } from "../../names.ts";
import type { Bytes, Milliseconds, Seconds } from "../../units.ts";
import type { Answer, Caller, EdgeBinding, OpenBinding } from "../binding.ts";

/** https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/ */
const PERIODS = [10, 60] as const satisfies Seconds[];

const settings = z.strictObject({
	/** Two bindings of a tenant with the same one count together. */
	namespace: z.string().min(1).max(100),
	/** So much is let through for a key in a period. */
	limit: z.number().int().min(1).max(1_000_000_000),
	/** In seconds. */
	period: z.literal(PERIODS),
});
type Settings = z.output<typeof settings>;

const MOST_KEY: Bytes = 512;
/** Of each tenant so many keys are counted, and of so many tenants; those not asked for longest begin anew. */
const MOST_KEYS = 20_000;
const MOST_TENANTS = 1000;

interface Count {
	count: number;
	/** When it begins anew. */
	until: Milliseconds;
}

/** Counts what is let through, by keys that the function chooses, in this edge. */
class RateLimitBinding implements EdgeBinding<Settings> {
	readonly settings = settings;
	readonly #tenants = new LRUCache<TenantName, LRUCache<string, Count>>({ max: MOST_TENANTS });

	open(given: Settings, { function: { tenant } }: Caller): OpenBinding {
		return {
			prepare: (key) => {
				if (Buffer.byteLength(key) > MOST_KEY) return `a key has up to ${MOST_KEY} bytes`;
				const perform = async (): Promise<Answer> => ({
					text: this.#take(tenant, given, key) ? "1" : "0",
					content: null,
				});
				return { target: "the rate limit", operation: "limit", perform };
			},
		};
	}

	/** Counts one more. Says whether it is within the limit. */
	#take(tenant: TenantName, { namespace, limit, period }: Settings, key: string): boolean {
		let counts = this.#tenants.get(tenant);
		if (counts === undefined) {
			counts = new LRUCache({ max: MOST_KEYS });
			this.#tenants.set(tenant, counts);
		}
		const now = performance.now();
		const name = `${period} ${namespace.length} ${namespace}${key}`;
		let one = counts.get(name);
		if (one === undefined || now >= one.until) {
			one = { count: 0, until: now + period * 1000 };
			counts.set(name, one);
		}
		if (one.count >= limit) return false;
		one.count++;
		return true;
	}
}

export const create = (): EdgeBinding<Settings> => new RateLimitBinding();
