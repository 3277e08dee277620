import type { TenantName } from "../../names.ts";
import type { Count, Milliseconds } from "../../units.ts";

const SECOND: Milliseconds = 1000;

/** So many steps of work a second. */
export class StepBudget {
	readonly #most: Count;
	#used: Count = 0;
	#since: Milliseconds = Number.NEGATIVE_INFINITY;

	constructor(most: Count) {
		this.#most = most;
	}

	/** Takes so many, if they are left of this second's. */
	takes(steps: Count): boolean {
		const now = performance.now();
		if (now - this.#since > SECOND) {
			this.#since = now;
			this.#used = 0;
		}
		if (this.#used + steps > this.#most) return false;
		this.#used += steps;
		return true;
	}
}

/** So many steps a second of all tenants together; the operator has as many as a tenant that is alone, besides. */
export class SharedBudget {
	readonly #most: Count;
	readonly #operators: StepBudget;
	readonly #tenants = new Map<TenantName, Count>();
	#used: Count = 0;
	#since: Milliseconds = Number.NEGATIVE_INFINITY;

	constructor(most: Count) {
		this.#most = most;
		this.#operators = new StepBudget(most / 3);
	}

	/** Takes so many for a tenant, if twice as many as it has then are left to others; empty for the operator. */
	takes(tenant: TenantName | "", steps: Count): boolean {
		if (tenant === "") return this.#operators.takes(steps);
		const now = performance.now();
		if (now - this.#since > SECOND) {
			this.#since = now;
			this.#used = 0;
			this.#tenants.clear();
		}
		const own = (this.#tenants.get(tenant) ?? 0) + steps;
		if (2 * own > this.#most - this.#used - steps) return false;
		this.#tenants.set(tenant, own);
		this.#used += steps;
		return true;
	}
}
