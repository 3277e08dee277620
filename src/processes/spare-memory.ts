import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Milliseconds } from "../units.ts";

/** Whether it is quiet is looked at so often. */
const LOOK_MS: Milliseconds = 1000;

/**
 * Gives back to the machine what a process has needed to start, once it is quiet: the young generation has grown to 16 MB
 * while modules were loaded, and Node leaves it so. It takes an edge 40 ms, once, and leaves it 20 MB less. Not for a
 * process that belongs to somebody else, as a library's does.
 */
export function giveBackWhenQuiet(isQuiet: () => boolean = () => true): void {
	const timer = setInterval(() => {
		if (!isQuiet()) return;
		clearInterval(timer);
		giveBack();
	}, LOOK_MS).unref();
}

export function giveBack(): void {
	// No context that is made after this runs anybody else's code, or it has the function already (`pool/inline-pool.ts`).
	setFlagsFromString("--expose-gc");
	const collect = runInNewContext("gc") as (options: object) => void;
	collect({ type: "major", execution: "sync", flavor: "last-resort" });
}
