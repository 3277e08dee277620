import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Bytes } from "../units.ts";
import { Refused } from "./store.ts";

/** How much each tenant has stored, in all stores of a data process. */
export class Quota {
	readonly #used: StatementSync;
	readonly #use: StatementSync;

	constructor(database: DatabaseSync) {
		this.#used = database.prepare("SELECT bytes FROM tenants WHERE name = ?");
		this.#use = database.prepare(
			"INSERT INTO tenants (name, bytes) VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
		);
	}

	usedBy(tenant: string): Bytes {
		return (this.#used.get(tenant) as { bytes: Bytes } | undefined)?.bytes ?? 0;
	}

	/** Whether a tenant may have so much more. */
	hasRoom(tenant: string, bytes: Bytes, most: Bytes): boolean {
		return this.usedBy(tenant) + bytes <= most;
	}

	/** Counts so much more, or less. Throws Refused where a tenant would have more than it may. */
	use(tenant: string, delta: Bytes, most: Bytes = Number.POSITIVE_INFINITY): void {
		if (delta > 0 && !this.hasRoom(tenant, delta, most))
			throw new Refused(`413 what the tenant has stored would have more than ${most} bytes.`);
		this.#use.run(tenant, delta);
	}
}
