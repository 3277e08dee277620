import { Cron } from "croner";
import type { Milliseconds } from "../units.ts";

/** `CRON_TZ=Europe/Berlin 0 9 * * *`: the expression is in that time zone; else in UTC. */
const ZONE = /^CRON_TZ=(\S+)\s+/;

/**
 * A schedule as Workers have it, with five fields and Quartz' `L`, `W` and `#`; Sunday is 1:
 * https://developers.cloudflare.com/workers/configuration/cron-triggers/#supported-cron-expressions
 */
export class CronSchedule {
	readonly #cron: Cron;

	/** Throws an Error that says what is wrong with the expression. */
	constructor(text: string) {
		const timezone = ZONE.exec(text)?.[1] ?? "UTC";
		this.#cron = new Cron(text.replace(ZONE, ""), {
			paused: true,
			mode: "5-part",
			alternativeWeekdays: true,
			timezone,
		});
	}

	/** Its first time after another; `null` where there is none. */
	after(time: Milliseconds): Milliseconds | null {
		return this.#cron.nextRun(new Date(time))?.getTime() ?? null;
	}

	/** Its last time before another; `null` where there was none. */
	before(time: Milliseconds): Milliseconds | null {
		return this.#cron.previousRuns(1, new Date(time))[0]?.getTime() ?? null;
	}
}

/** What is wrong with an expression, or `null`. */
export function problemOfCron(text: string): string | null {
	try {
		if (new CronSchedule(text).after(Date.now()) !== null) return null;
		return `${JSON.stringify(text)} never comes about`;
	} catch (error) {
		return `${JSON.stringify(text)} is no cron expression: ${(error as Error).message}`;
	}
}
