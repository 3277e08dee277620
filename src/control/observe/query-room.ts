import type { TenantName } from "../../names.ts";
import type { Count } from "../../units.ts";
import { ControlError } from "../control-error.ts";

export interface QueryBounds {
	/** So many of one tenant are under way, or of the operator, who has room besides. */
	ofTenant: Count;
	/** So many of all tenants. */
	ofAll: Count;
}

/** How many queries are under way, and of whom. Whoever has many makes room for those who have none. */
export class QueryRoom {
	readonly #bounds: QueryBounds;
	readonly #tenants = new Map<TenantName | null, Count>();
	/** How many are tenants'. */
	#all: Count = 0;

	constructor(bounds: QueryBounds) {
		this.#bounds = bounds;
	}

	/** Asks within the room that there is; `null` is the operator. Rejects with ControlError `too_many_queries` where there is none. */
	async run<Result>(tenant: TenantName | null, ask: () => Promise<Result>): Promise<Result> {
		this.#check(tenant);
		this.#add(tenant, 1);
		try {
			return await ask();
		} finally {
			this.#add(tenant, -1);
		}
	}

	#check(tenant: TenantName | null): void {
		const { ofTenant, ofAll } = this.#bounds;
		const own = this.#tenants.get(tenant) ?? 0;
		if (own >= ofTenant) throw new ControlError("too_many_queries", `${own} queries run: ask again`, 1);
		// The more are its own, the more have to be free, so that no few tenants take all.
		if (tenant !== null && own ** 2 >= ofAll - this.#all)
			throw new ControlError("too_many_queries", `${this.#all} queries run, ${own} of them yours: ask again`, 1);
	}

	#add(tenant: TenantName | null, count: Count): void {
		const own = (this.#tenants.get(tenant) ?? 0) + count;
		if (own === 0) this.#tenants.delete(tenant);
		else this.#tenants.set(tenant, own);
		if (tenant !== null) this.#all += count;
	}
}
