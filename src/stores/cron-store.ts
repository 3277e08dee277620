import type { StatementSync } from "node:sqlite";
import type { Milliseconds } from "../units.ts";
import type { DataFiles, DataStore, Done } from "./store.ts";

/** One of a function's schedules. */
export interface CronId {
	tenant: string;
	function: string;
	cron: string;
}

/** When schedules were last run, so that each time is run once, whoever asks and however often. */
export class CronStore implements DataStore {
	readonly #last: StatementSync;
	readonly #run: StatementSync;

	constructor({ database }: DataFiles) {
		this.#last = database.prepare("SELECT time FROM cron_runs WHERE tenant = ? AND function = ? AND cron = ?");
		this.#run = database.prepare(
			`INSERT INTO cron_runs (tenant, function, cron, time) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET time = excluded.time WHERE excluded.time > time`,
		);
	}

	readonly reads = {};

	readonly writes = {
		/** When a schedule was last run, or first heard of, which is now where it never was. */
		begin: ({ tenant, function: name, cron, now }: CronId & { now: Milliseconds }): Done => {
			const row = this.#last.get(tenant, name, cron) as { time: Milliseconds } | undefined;
			if (row === undefined) this.#run.run(tenant, name, cron, now);
			return { said: row?.time ?? now };
		},
		/** Claims a time of a schedule. Says whether nobody has claimed it, or a later one, before. */
		claim: ({ tenant, function: name, cron, time }: CronId & { time: Milliseconds }): Done => ({
			said: this.#run.run(tenant, name, cron, time).changes === 1,
		}),
	};

	blobs(): string[] {
		return [];
	}
}
