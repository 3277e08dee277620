import type { TenantName } from "../../names.ts";
import { ControlError } from "../control-error.ts";

/** So many reports are made at a time of one asker's, and of all. */
const MOST_OF_ONE = 2;
const MOST = 8;

/** Room for reports, each of which reads many rows: whoever asks again and again waits for its own, and nobody else does. */
export class ReportRoom {
	/** How many each asker has: a tenant, or `null` for those who act for all. */
	readonly #of = new Map<TenantName | null, number>();
	#all = 0;

	/** Has a report made. Throws ControlError `too_many_queries` where there is no room. */
	async make<T>(asker: TenantName | null, report: () => Promise<T>): Promise<T> {
		const own = this.#of.get(asker) ?? 0;
		// Those who act for all find room, however many tenants ask.
		if (own >= MOST_OF_ONE || (asker !== null && this.#all >= MOST))
			throw new ControlError("too_many_queries", "too many reports are being made already", 1);
		this.#of.set(asker, own + 1);
		this.#all++;
		try {
			return await report();
		} finally {
			this.#all--;
			const left = (this.#of.get(asker) ?? 1) - 1;
			if (left === 0) this.#of.delete(asker);
			else this.#of.set(asker, left);
		}
	}
}
