import type { TenantName } from "../../names.ts";
import { Askers } from "../askers.ts";
import { ControlError } from "../control-error.ts";

/** So many reports are made at a time of one asker's, and of all. */
const MOST_OF_ONE = 2;
const MOST = 8;

/**
 * Room for reports, each of which reads many rows: whoever asks again and again waits for its own, and nobody else does.
 */
export class ReportRoom {
	readonly #askers = new Askers();

	/** Has a report made; `null` are those who act for all. Rejects with ControlError `too_many_queries` without room. */
	async make<T>(asker: TenantName | null, report: () => Promise<T>): Promise<T> {
		// Those who act for all find room, however many tenants ask.
		if (this.#askers.of(asker) >= MOST_OF_ONE || (asker !== null && this.#askers.all >= MOST))
			throw new ControlError("too_many_queries", "too many reports are being made already", 1);
		return this.#askers.serve(asker, report);
	}
}
