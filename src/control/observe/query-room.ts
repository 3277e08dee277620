import type { TenantName } from "../../names.ts";
import type { Count } from "../../units.ts";
import { Askers } from "../askers.ts";
import { ControlError } from "../control-error.ts";

export interface QueryBounds {
	/** So many of one tenant are under way, or of the operator, who has room besides. */
	ofTenant: Count;
	/** So many of all tenants. */
	ofAll: Count;
}

/** Room for queries. Whoever has many makes room for those who have none. */
export class QueryRoom {
	readonly #bounds: QueryBounds;
	readonly #askers = new Askers();

	constructor(bounds: QueryBounds) {
		this.#bounds = bounds;
	}

	/**
	 * Asks within the room that there is; `null` is the operator. Rejects with ControlError `too_many_queries` where there
	 * is none.
	 */
	async run<Result>(tenant: TenantName | null, ask: () => Promise<Result>): Promise<Result> {
		const { ofTenant, ofAll } = this.#bounds;
		const own = this.#askers.of(tenant);
		const { tenants } = this.#askers;
		if (own >= ofTenant) throw new ControlError("too_many_queries", `${own} queries run: ask again`, 1);
		// The more are its own, the more have to be free, so that no few tenants take all.
		if (tenant !== null && own ** 2 >= ofAll - tenants)
			throw new ControlError("too_many_queries", `${tenants} queries run, ${own} of them yours: ask again`, 1);
		return this.#askers.serve(tenant, ask);
	}
}
