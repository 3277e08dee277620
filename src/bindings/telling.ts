import type { StorageTelling } from "../stores/storage-rule.ts";

/** What became of the events of a change. */
export interface Told {
	/** Queues that have messages of it. */
	queues: string[];
	/** How many events were dropped, at the end of a chain. */
	dropped: number;
}

/** What is told of changes that somebody makes: by which rules, and who hears what came of it. */
export interface Telling extends Omit<StorageTelling, "mostBytes"> {
	told(changed: Told): void;
}

/** For whoever changes nothing. */
export const NOTHING_TOLD: Telling = { rules: [], depth: 0, trace: null, told: () => undefined };
