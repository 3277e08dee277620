import type ivm from "isolated-vm";
import type { CpuProfile } from "../link/cpu-profile.ts";
import type { Bytes, Microseconds } from "../units.ts";
import { IsolateProfiler } from "./isolate-profiler.ts";
import { MergedProfile } from "./merged-profile.ts";

/** A profile that is handed on has no more, which the link takes in one frame. */
const MOST_BYTES: Bytes = 3 * 2 ** 20;
/** And so much of it is kept: nodes and samples. */
const MOST_KEPT = 400_000;

/** What a sandbox does that is there for the CPU profile of a version: it profiles each isolate from its making on. */
export class Profiling {
	readonly #every: Microseconds;
	readonly #running = new Set<IsolateProfiler>();
	readonly #merged: MergedProfile;
	readonly #coming = new Set<Promise<void>>();

	/** A sample is taken every so often. */
	constructor(every: Microseconds) {
		this.#every = every;
		this.#merged = new MergedProfile(every);
	}

	/** An isolate is there, and runs nothing yet. Its profiler is to end before it is disposed of. */
	begin(isolate: ivm.Isolate): IsolateProfiler {
		const profiler = new IsolateProfiler(isolate, this.#every);
		this.#running.add(profiler);
		const coming = profiler.profile.then((profile) => {
			this.#running.delete(profiler);
			this.#coming.delete(coming);
			if (profile !== null && this.#merged.size < MOST_KEPT) this.#merged.add(profile as CpuProfile);
		});
		this.#coming.add(coming);
		return profiler;
	}

	/** Ends it; what isolates do from now on is not in it. Gives it as JSON, or says why there is none. */
	async end(): Promise<{ json: Uint8Array } | { problem: string }> {
		for (const profiler of this.#running) profiler.end();
		await Promise.all(this.#coming);
		const json = Buffer.from(JSON.stringify(this.#merged.profile()));
		if (json.length > MOST_BYTES)
			return { problem: `the profile has more than ${MOST_BYTES} bytes; take a shorter one` };
		return { json };
	}
}
