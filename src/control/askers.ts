import type { TenantName } from "../names.ts";
import type { Count } from "../units.ts";

/** How much of something is under way, and for whom: a tenant, or the operator, who is `null`. */
export class Askers {
	readonly #of = new Map<TenantName | null, Count>();

	of(asker: TenantName | null): Count {
		return this.#of.get(asker) ?? 0;
	}

	/** What is under way for all, the operator among them. */
	get all(): Count {
		return [...this.#of.values()].reduce((sum, count) => sum + count, 0);
	}

	/** The same without the operator's. */
	get tenants(): Count {
		return this.all - this.of(null);
	}

	/** Does something for an asker, which is under way meanwhile. */
	async serve<Result>(asker: TenantName | null, work: () => Promise<Result>): Promise<Result> {
		this.#of.set(asker, this.of(asker) + 1);
		try {
			return await work();
		} finally {
			const left = this.of(asker) - 1;
			if (left === 0) this.#of.delete(asker);
			else this.#of.set(asker, left);
		}
	}
}
