import type { StatementSync } from "node:sqlite";
import type { Milliseconds } from "../units.ts";
import type { DataFiles, DataStore, Done } from "./store.ts";

/** One of a function's schedules. */
export interface CronId {
	tenant: string;
	function: string;
	cron: string;
}

/** Who has run a schedule, and for which time. */
interface Claim {
	time: Milliseconds;
	claimant: string;
}

/** When schedules were last run, so that each time is run once, whoever asks and however often. */
export class CronStore implements DataStore {
	readonly #last: StatementSync;
	readonly #run: StatementSync;
	readonly #end: StatementSync;

	constructor({ database }: DataFiles) {
		this.#last = database.prepare(
			"SELECT time, claimant FROM cron_runs WHERE tenant = ? AND function = ? AND cron = ?",
		);
		this.#run = database.prepare(
			`INSERT INTO cron_runs (tenant, function, cron, time, claimant) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET time = excluded.time, claimant = excluded.claimant WHERE excluded.time > time`,
		);
		this.#end = database.prepare("DELETE FROM cron_runs WHERE tenant = ? AND function = ? AND cron = ?");
	}

	readonly reads = {};

	readonly writes = {
		/** When a schedule was last run, or first heard of, which is now where it never was. */
		begin: ({ tenant, function: name, cron, now }: CronId & { now: Milliseconds }): Done => {
			const row = this.#last.get(tenant, name, cron) as Claim | undefined;
			if (row === undefined) this.#run.run(tenant, name, cron, now, "");
			return { said: row?.time ?? now };
		},
		/**
		 * Claims a time of a schedule for whoever asks, who may ask twice. Says whether nobody else has claimed it, or a later
		 * one, before.
		 */
		claim: ({ tenant, function: name, cron, time, claimant }: CronId & Claim): Done => {
			if (this.#run.run(tenant, name, cron, time, claimant).changes === 1) return { said: true };
			const row = this.#last.get(tenant, name, cron) as Claim | undefined;
			return { said: row?.time === time && row.claimant === claimant };
		},
		/** A schedule was taken away: it is heard of anew if it comes back. */
		end: ({ tenant, function: name, cron }: CronId): Done => {
			this.#end.run(tenant, name, cron);
			return {};
		},
	};
}
