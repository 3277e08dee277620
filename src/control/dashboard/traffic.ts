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

/** Figures of each function by its key, or under an empty one of all together. */
interface Figures<Of> {
	of: Map<string, Of>;
	/** Why some are missing; `null` where none are. */
	problem: string | null;
}

/** Several look at the same at the same time, and a page again and again. */
const KEPT: Milliseconds = 5000;

/** What was done of late, by function and by time. */
export class Traffic {
	readonly #control: Control;
	readonly #known = new LRUCache<string, Promise<Figures<Summary>>>({ max: 100, ttl: KEPT, ttlAutopurge: true });

	constructor(control: Control) {
		this.#control = control;
	}

	/** Of each function that had any. */
	byFunction(whose: Whose, window: WindowName): Promise<Figures<Summary>> {
		const key = JSON.stringify([whose, window]);
		const known = this.#known.get(key);
		if (known !== undefined) return known;
		const read = this.#read(whose, window);
		this.#known.set(key, read);
		void read.then(({ problem }) => problem !== null && this.#known.delete(key)); // Whoever asks next may have more luck.
		return read;
	}

	async #read(whose: Whose, window: WindowName): Promise<Figures<Summary>> {
		const of = new Map<string, Summary>();
		const { rollups, problem } = await this.#rollups({ ...whose, ...boundsOf(window), by: "function" });
		for (const rollup of rollups) {
			const key = keyOf({ tenant: rollup.tenant, name: rollup.function });
			const summary = of.get(key) ?? new Summary();
			of.set(key, summary);
			summary.add(rollup);
		}
		return { of, problem };
	}

	/** Step by step, those without any among them; of each function, or of all together. */
	async series(whose: Whose, window: WindowName, by: "total" | "function" = "total"): Promise<Figures<Step[]>> {
		const { since, until, step } = boundsOf(window);
		const of = new Map<string, Step[]>();
		const stepsOf = (key: string) => {
			const known = of.get(key);
			if (known !== undefined) return known;
			const steps: Step[] = [];
			for (let time = since; time < until; time += step) steps.push({ time, summary: new Summary() });
			of.set(key, steps);
			return steps;
		};
		if (by === "total") stepsOf("");
		const { rollups, problem } = await this.#rollups({ ...whose, since, until, step, by });
		for (const rollup of rollups) {
			const key = by === "total" ? "" : keyOf({ tenant: rollup.tenant, name: rollup.function });
			stepsOf(key)[Math.floor((rollup.time - since) / step)]?.summary.add(rollup);
		}
		return { of, problem };
	}

	/** Pages are of use without figures, too: where the log does not answer there are none, and its own log says why. */
	async #rollups(query: RollupQuery): Promise<{ rollups: Rollup[]; problem: string | null }> {
		try {
			return { rollups: await this.#control.logs.rollups(query), problem: null };
		} catch (error) {
			if (error instanceof ControlError)
				return { rollups: [], problem: "That is too much to add up: figures are missing. Choose a shorter time." };
			this.#control.log("warn", `the dashboard has no figures: ${(error as Error).message}`);
			return { rollups: [], problem: "The log does not answer: figures are missing." };
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
