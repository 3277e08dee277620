import { concerns, type StorageTelling } from "../stores/storage-rule.ts";
import type { Bytes } from "../units.ts";

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

/** By what changes of these keys are told, of a tenant that may store so much. */
export function tellingOfKeys(
	{ rules, depth, trace }: Telling,
	keys: readonly string[],
	mostBytes: Bytes,
): StorageTelling {
	return { rules: rules.filter((rule) => keys.some((key) => concerns(rule, key))), depth, trace, mostBytes };
}

/** For whoever changes nothing. */
export const NOTHING_TOLD: Telling = { rules: [], depth: 0, trace: null, told: () => undefined };
