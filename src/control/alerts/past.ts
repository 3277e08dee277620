import type { Rollup, RollupQuery } from "../../logs/calls.ts";
import type { EpochMs, Milliseconds } from "../../units.ts";
import type { Clock } from "./clock.ts";
import type { Windows } from "./windows.ts";

/** So many steps are asked for at a time, so that no answer is so long that others wait for it. */
const STEPS = 6;
const [TEN_SECONDS, MINUTE, HOUR] = [10_000, 60_000, 3_600_000] as const;

/** What was told just before the process before ended, and this one has not seen, makes no difference to one so long. */
const LONG: Milliseconds = 600_000;

/** What a window is filled with at the start: long steps first, and short ones for what is left. */
const stepsFor = (window: Milliseconds) =>
	window <= 300_000 ? [TEN_SECONDS] : window <= 7_200_000 ? [MINUTE, TEN_SECONDS] : [HOUR, MINUTE, TEN_SECONDS];

/** Has a window know what was before this process began, as the log has it. Rejects where that cannot be asked. */
export async function fillWithPast(
	window: Milliseconds,
	{ windows, clock, rollups }: { windows: Windows; clock: Clock; rollups: (query: RollupQuery) => Promise<Rollup[]> },
): Promise<void> {
	const until = clock.wall();
	const since = until - window;
	for (const part of partsOf(since, until, stepsFor(window)))
		windows.backfill(window, await rollups({ ...part, tenant: null, functions: null, by: "function" }));
	if (window >= LONG) windows.reach(window, since);
}

function* partsOf(since: EpochMs, until: EpochMs, steps: RollupQuery["step"][]) {
	let from = since;
	for (const step of steps) {
		const end = Math.floor(until / step) * step;
		while (from < end) {
			// From where a step begins: none is told twice.
			const to = Math.min(end, (Math.floor(from / step) + STEPS) * step);
			yield { since: from, until: to, step };
			from = to;
		}
	}
}
