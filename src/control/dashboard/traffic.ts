import { LRUCache } from "lru-cache";
import type { Rollup, RollupQuery } from "../../logs/calls.ts";
import { type FunctionName, keyOf, type TenantName } from "../../names.ts";
import type { Milliseconds } from "../../units.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { Summary } from "./summary.ts";

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** Times that pages are about, each with the step in which it is told. */
export const WINDOWS = {
	"15m": { name: "15 minutes", length: 15 * MINUTE, step: MINUTE },
	"1h": { name: "1 hour", length: HOUR, step: MINUTE },
	"24h": { name: "24 hours", length: 24 * HOUR, step: HOUR },
	"7d": { name: "7 days", length: 168 * HOUR, step: HOUR },
} as const;
export type WindowName = keyof typeof WINDOWS;

export function windowOf(text: string | undefined, otherwise: WindowName = "1h"): WindowName {
	return text !== undefined && Object.hasOwn(WINDOWS, text) ? (text as WindowName) : otherwise;
}

/** Whose traffic: of all tenants, of one, or of some of one's functions. */
export interface Whose {
	tenant: TenantName | null;
	functions: FunctionName[] | null;
}

/** Several look at the same at the same time, and a page again and again. */
const KEPT: Milliseconds = 5000;

/** What was done of late, by function and by time. */
export class Traffic {
	readonly #control: Control;
	readonly #known = new LRUCache<string, Promise<Map<string, Summary>>>({ max: 100, ttl: KEPT, ttlAutopurge: true });

	/** Why the last figures are missing; `null` where they are not. */
	problem: string | null = null;

	constructor(control: Control) {
		this.#control = control;
	}

	/** Of each function that had any, by its key. */
	byFunction(whose: Whose, window: WindowName): Promise<Map<string, Summary>> {
		const key = JSON.stringify([whose, window]);
		const known = this.#known.get(key);
		if (known !== undefined) return known;
		const read = this.#read(whose, window);
		this.#known.set(key, read);
		void read.then(() => this.problem !== null && this.#known.delete(key)); // Whoever asks next may have more luck.
		return read;
	}

	async #read(whose: Whose, window: WindowName): Promise<Map<string, Summary>> {
		const summaries = new Map<string, Summary>();
		for (const rollup of await this.#rollups({ ...whose, ...boundsOf(window), by: "function" })) {
			const key = keyOf({ tenant: rollup.tenant, name: rollup.function });
			const summary = summaries.get(key) ?? new Summary();
			summaries.set(key, summary);
			summary.add(rollup);
		}
		return summaries;
	}

	/** Step by step, those without any among them; of each function by its key, or of all together. */
	async series(whose: Whose, window: WindowName, by: "total" | "function" = "total"): Promise<Map<string, Step[]>> {
		const { since, until, step } = boundsOf(window);
		const all = new Map<string, Step[]>();
		const stepsOf = (key: string) => {
			const known = all.get(key);
			if (known !== undefined) return known;
			const steps: Step[] = [];
			for (let time = since; time < until; time += step) steps.push({ time, summary: new Summary() });
			all.set(key, steps);
			return steps;
		};
		if (by === "total") stepsOf("");
		for (const rollup of await this.#rollups({ ...whose, since, until, step, by })) {
			const key = by === "total" ? "" : keyOf({ tenant: rollup.tenant, name: rollup.function });
			stepsOf(key)[Math.floor((rollup.time - since) / step)]?.summary.add(rollup);
		}
		return all;
	}

	/** Pages are of use without figures, too: where the log does not answer there are none, and its own log says why. */
	async #rollups(query: RollupQuery): Promise<Rollup[]> {
		try {
			const told = await this.#control.logs.rollups(query);
			this.problem = null;
			return told;
		} catch (error) {
			if (error instanceof ControlError) {
				this.problem = "That is too much to add up: figures are missing. Choose a shorter time.";
				return [];
			}
			this.#control.log("warn", `the dashboard has no figures: ${(error as Error).message}`);
			this.problem = "The log does not answer: figures are missing.";
			return [];
		}
	}
}

/** What was done within one step. */
export interface Step {
	time: Milliseconds;
	summary: Summary;
}

/** A window's bounds are those of its steps, so that none is cut. */
export function boundsOf(
	window: WindowName,
	now: Milliseconds = Date.now(),
): Pick<RollupQuery, "since" | "until" | "step"> {
	const { length, step } = WINDOWS[window];
	const until = Math.ceil((now + 1) / step) * step;
	return { since: until - length, until, step };
}
