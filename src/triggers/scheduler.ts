import { randomUUID } from "node:crypto";
import type { FunctionId } from "../names.ts";
import { keyOf } from "../names.ts";
import type { StoredData } from "../stores/data-process.ts";
import type { Milliseconds } from "../units.ts";
import { CronSchedule } from "./cron.ts";

/** No timer is set for longer: a machine that was asleep, or whose clock was set, finds its way back. */
const LONGEST_MS: Milliseconds = 60_000;

interface Scheduled {
	readonly function: FunctionId;
	readonly cron: string;
	readonly schedule: CronSchedule;
	/** When it is due; `null` until it is known when it was last run. */
	next: Milliseconds | null;
	running: boolean;
}

export interface SchedulerParts {
	data: StoredData;
	/** Calls a function's handler; resolves when it has ended. */
	dispatch: (of: FunctionId, cron: string, time: Milliseconds) => Promise<void>;
	/** Told of runs that were missed, and of those that were left out. */
	notice: (of: FunctionId, message: string) => void;
}

/**
 * Calls functions when their time has come: each time once, whichever edge is first, and one call of a schedule after
 * the other. Of the times that went by while nothing ran the last one is made up for.
 */
export class Scheduler {
	readonly #parts: SchedulerParts;
	/** By which it claims times. */
	readonly #name = randomUUID();
	/** By the keys of their functions. */
	readonly #scheduled = new Map<string, Scheduled[]>();
	#timer: NodeJS.Timeout | null = null;
	#closed = false;

	constructor(parts: SchedulerParts) {
		this.#parts = parts;
	}

	/** A function has these schedules from now on. */
	set(of: FunctionId, crons: readonly string[]): void {
		const before = this.#scheduled.get(keyOf(of)) ?? [];
		if (before.length === crons.length && before.every(({ cron }, i) => cron === crons[i])) return;
		const all = crons.map(
			(cron) =>
				before.find((one) => one.cron === cron) ?? {
					...{ function: of, cron, schedule: new CronSchedule(cron), next: null, running: false },
				},
		);
		if (all.length === 0) this.#scheduled.delete(keyOf(of));
		else this.#scheduled.set(keyOf(of), all);
		for (const one of before) if (!all.includes(one)) this.#ask("end", one, {}).catch(() => undefined);
		for (const one of all) if (!before.includes(one)) void this.#begin(one);
	}

	async #begin(one: Scheduled): Promise<void> {
		try {
			const now = Date.now();
			const last = (await this.#ask("begin", one, { now })) as Milliseconds;
			const missed = one.schedule.before(now);
			if (missed !== null && missed > last) {
				this.#parts.notice(one.function, `runs of ${one.cron} were missed: the last one is made up for`);
				one.next = missed;
			} else one.next = one.schedule.after(now);
		} catch (error) {
			this.#parts.notice(one.function, `${one.cron}: ${(error as Error).message}`);
			one.next = one.schedule.after(Date.now());
		}
		this.#set();
	}

	#ask(operation: string, { function: of, cron }: Scheduled, said: object): Promise<unknown> {
		const call = { store: "cron", operation, said: { tenant: of.tenant, function: of.name, cron, ...said } };
		return this.#parts.data.ask(of.tenant, call).then((result) => result.said);
	}

	/** Sets the timer to what is due first. */
	#set(): void {
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
		if (this.#closed) return;
		let first = Number.POSITIVE_INFINITY;
		for (const all of this.#scheduled.values())
			for (const { next } of all) if (next !== null && next < first) first = next;
		if (first === Number.POSITIVE_INFINITY) return;
		const ms = Math.min(LONGEST_MS, Math.max(0, first - Date.now()));
		this.#timer = setTimeout(() => this.#run(), ms).unref();
	}

	#run(): void {
		const now = Date.now();
		for (const all of this.#scheduled.values())
			for (const one of all) {
				if (one.next === null || one.next > now) continue;
				const time = one.next;
				one.next = one.schedule.after(Math.max(now, time));
				void this.#call(one, time);
			}
		this.#set();
	}

	async #call(one: Scheduled, time: Milliseconds): Promise<void> {
		if (one.running) {
			this.#parts.notice(one.function, `a run of ${one.cron} was left out: the one before has not ended`);
			return;
		}
		one.running = true;
		try {
			const claimant = this.#name;
			if (await this.#ask("claim", one, { time, claimant })) await this.#parts.dispatch(one.function, one.cron, time);
		} catch (error) {
			this.#parts.notice(one.function, `a run of ${one.cron} failed: ${(error as Error).message}`);
		} finally {
			one.running = false;
		}
	}

	close(): void {
		this.#closed = true;
		if (this.#timer !== null) clearTimeout(this.#timer);
	}
}
