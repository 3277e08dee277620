import { z } from "zod";
import { databaseId } from "../../names.ts";
import type { SqlProcesses } from "../../stores/sql-processes.ts";
import type { Bytes } from "../../units.ts";
import type { Caller, Content, EdgeBinding, OpenBinding, Prepared } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import { sqlOperation } from "./schema.ts";

const settings = z.strictObject({
	/** Which database of its tenant's; two bindings with the same one share it. */
	database: databaseId,
});
type Settings = z.output<typeof settings>;

/** What one call may bring: its statements, with what is bound to them. */
const MOST_ASKED: Bytes = 4 * 2 ** 20;

/** Databases that last: https://developers.cloudflare.com/d1/worker-api/ */
class SqlBinding implements EdgeBinding<Settings> {
	readonly settings = settings;
	readonly #sql: SqlProcesses;

	constructor({ sql }: EdgeServices) {
		this.#sql = sql;
	}

	open({ database }: Settings, { function: { tenant } }: Caller): OpenBinding {
		return {
			prepare: (argument): Prepared | null => {
				const operation = sqlOperation(argument);
				if (operation === null) return null;
				return {
					target: `SQL ${operation}`,
					operation,
					perform: async (content, signal) => {
						const bytes = await this.#whole(tenant, content);
						const answer = await this.#sql.ask(tenant, { operation, database, bytes, signal });
						// There is one copy: what comes later has seen all that was there by now.
						return { text: Date.now().toString(16).padStart(16, "0"), content: answer.bytes };
					},
				};
			},
		};
	}

	async #whole(tenant: string, content: Content): Promise<Uint8Array> {
		if (content === null) return new Uint8Array(0);
		if (content instanceof Uint8Array) return content;
		return this.#sql.receive(tenant, content, MOST_ASKED);
	}
}

export const create = (services: EdgeServices): EdgeBinding<Settings> => new SqlBinding(services);
