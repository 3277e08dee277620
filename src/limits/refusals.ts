import { FunctionError } from "../errors.ts";
import type { Milliseconds } from "../units.ts";

/** A tenant that has used up what it may use. */
export interface RefusedTenant {
	tenant: string;
	code: "quota_exceeded" | "budget_exhausted";
	/** When its next day or month begins; `null` where that changes nothing. */
	until: Milliseconds | null;
}

/** The tenants whose functions do not run, since they have used up what they may use. */
export class Refusals {
	#tenants = new Map<string, RefusedTenant>();

	/** These are refused from now on, and no others. */
	set(tenants: readonly RefusedTenant[]): void {
		this.#tenants = new Map(tenants.map((one) => [one.tenant, one]));
	}

	/** Why a tenant's functions may not run; `null` if they may. */
	of(tenant: string, now: Milliseconds): FunctionError | null {
		const refused = this.#tenants.get(tenant);
		if (refused === undefined) return null;
		const { code, until } = refused;
		if (until === null) return new FunctionError(code);
		return until <= now ? null : new FunctionError(code, undefined, { retryAfter: (until - now) / 1000 });
	}
}
