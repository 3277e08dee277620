import type { SandboxState, SandboxStats, VersionNumber } from "../link/protocol.ts";
import type { Containment } from "../processes/containment.ts";
import type { Milliseconds } from "../units.ts";
import type { Place } from "./place.ts";
import type { ProfileBounds, ProfiledVersion } from "./profile.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";

/** What the pool tells the runtime. */
export interface PoolEvents {
	/** A line that a function wrote outside of any request. */
	log(version: VersionNumber, text: string): void;
	/** The start of a version, ahead of any request, has cost a sandbox its life. */
	culprit(version: VersionNumber): void;
	/** An isolate of a version that is provisioned is there, but there is no room to keep it. */
	crowdedOut(version: VersionNumber): void;
	notice(level: "info" | "warn" | "error", message: string): void;
}

/** Where functions run: gives each version its home sandbox, and more to those whose queues need them. */
export interface SandboxPool {
	/** Resolves when its sandboxes have started; what it is asked before that they do then. */
	readonly ready: Promise<void>;
	/**
	 * At what turns of a version, which was placed so, are to be cut early in a sandbox; 0 if nobody there has to be
	 * kept from waiting for them.
	 */
	cutMs(version: RunnableVersion, place: Place, sandbox: Sandbox): Milliseconds;
	/**
	 * The sandbox for a version's next attempt; `null` if it is on probation and another one is being tried, or if no
	 * sandbox starts. It is the version's home, or one that is lent to it; its home alone where the attempt is `bound`
	 * there.
	 */
	sandbox(version: RunnableVersion, place: Place, bound: boolean): Sandbox | null;
	/** A version has had a request that was slow, or has failed, and not for the first turn of its isolate. */
	computes(version: RunnableVersion, place: Place): void;
	/**
	 * Has as many isolates of a version as it says started ahead of requests and kept, wherever it is placed, until it is
	 * unloaded. To be called again when it says another number. Resolves once they have started, or failed to.
	 */
	provision(version: RunnableVersion, place: () => Place): Promise<void>;
	/** Takes a CPU profile of a version: `.cpuprofile` as JSON, which nobody has looked at. Rejects where there is none. */
	profile(version: ProfiledVersion, bounds: ProfileBounds): Promise<Uint8Array>;
	/** A version will get no more requests. */
	unload(version: VersionNumber): void;
	stats(): { sandboxes: number; lent: number; restarts: number } & SandboxStats;
	/** Each sandbox as it is now; none when inline. */
	states(): SandboxState[];
	/**
	 * What keeps functions from the machine, beyond their isolates; `null` when they run inline, where nothing does.
	 */
	readonly containment: Containment | null;
	/** Process ids of the sandboxes that are ready, the spare included; none when inline. */
	pids(): number[];
	close(): Promise<void>;
}
