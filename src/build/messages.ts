import type { AttemptFailure } from "../link/protocol.ts";
import type { Microseconds } from "../units.ts";

/** The frames between the edge and the processes that build. */
export const BuildFrame = {
	/** Make the base snapshot of a prelude; it comes back as data. */
	snapshot: 80,
	/** Here is the base snapshot. */
	base: 81,
	/** Make a version's code cache, and start it once. */
	compile: 82,
	/** What it is asked to compile is compiled, and is started now, for so many milliseconds of CPU time at most. */
	starting: 84,
	/** Bundle a function; both ways, with the job's number in place of an attempt's. */
	bundle: 83,
} as const;

export interface CompileResult {
	/** Why the function did not start. It may yet, on a request; a missing handler or a syntax error stays. */
	failure: AttemptFailure | null;
	/** How long a cold start took. */
	startUs: Microseconds;
}
