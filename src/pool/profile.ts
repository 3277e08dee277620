import { setTimeout as sleep } from "node:timers/promises";
import type { Profiled, SandboxSettings } from "../link/protocol.ts";
import type { Launcher } from "../processes/launcher.ts";
import type { Bytes, Megabytes, Microseconds, Milliseconds } from "../units.ts";
import type { PoolEvents } from "./pool.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";
import { SandboxProcess } from "./sandbox-process.ts";

/** A sample is taken every millisecond, and less often where that would make more than so many. */
const LEAST_EVERY_US: Microseconds = 1000;
const MOST_SAMPLES = 30_000;
/** Its sandbox may take so long to start, and so long to hand the profile over. */
const START_MS: Milliseconds = 15_000;
const HAND_OVER_MS: Milliseconds = 15_000;
/** Requests that are there when the time is over may go on for so long. */
const DRAIN_MS: Milliseconds = 30_000;
const LOOK_MS: Milliseconds = 25;
/** What its sandbox has beside isolates, of which there may be two as one takes over from another. */
const OWN_BYTES: Bytes = 192 * 2 ** 20;

/** A version that can be profiled. */
export interface ProfiledVersion extends RunnableVersion {
	readonly limits: RunnableVersion["limits"] & { readonly memoryMb: Megabytes };
}

/** How long a profile takes. */
export interface ProfileBounds {
	ms: Milliseconds;
	/** It ends sooner where so many requests have come, and are done. */
	requests: number;
	/** Aborted when nobody wants it any more. */
	signal: AbortSignal;
}

/** What sandboxes of profiles are started with. */
export interface ProfileParts {
	launcher: Launcher;
	settings: SandboxSettings;
	events: PoolEvents;
}

/** One CPU profile of a version, in a sandbox of its own. */
export class Profile {
	readonly version: ProfiledVersion;
	readonly #bounds: ProfileBounds;
	readonly #process: SandboxProcess;
	readonly #failed = Promise.withResolvers<never>();
	readonly #full = Promise.withResolvers<void>();
	/** How many requests it takes still; 0 before it has begun, and once it is over. */
	#left = 0;

	constructor(version: ProfiledVersion, bounds: ProfileBounds, { launcher, settings, events }: ProfileParts) {
		this.version = version;
		this.#bounds = bounds;
		this.#failed.promise.catch(() => undefined);
		const every = Math.max(LEAST_EVERY_US, Math.ceil((bounds.ms * 1000) / MOST_SAMPLES));
		const maxProcessBytes = OWN_BYTES + 2 * version.limits.memoryMb * 2 ** 20;
		this.#process = new SandboxProcess(
			launcher,
			{ ...settings, parked: 0, maxIsolates: 1, maxProcessBytes, profileEveryUs: every },
			{
				blames: false,
				onLost: (_, why) => this.fail(`its sandbox was lost: ${why}`),
				onLongTurn: () => undefined, // There is nobody that it keeps waiting.
			},
		).yieldToOthers();
		this.#process.sandbox.onStrayLine = (number, text) => events.log(number, text);
	}

	/** Where a request may run now; `null` where too many wait there, or it is not the time. */
	admit(): Sandbox | null {
		const { sandbox } = this.#process;
		if (this.#left === 0 || sandbox.waiting(this.version.number) > this.version.demand.calm) return null;
		if (--this.#left === 0) this.#full.resolve();
		return sandbox;
	}

	/** 0 where its process does not run. */
	get pid(): number {
		return this.#process.started && !this.#process.ended ? this.#process.pid : 0;
	}

	/** It comes to nothing. */
	fail(why: string): void {
		this.#left = 0;
		this.#failed.reject(new Error(why));
	}

	/** Takes it: `.cpuprofile` as JSON, which nobody has looked at. Rejects where it comes to nothing. */
	async take(): Promise<Uint8Array> {
		const { signal, ms, requests } = this.#bounds;
		const aborted = () => this.fail("nobody waits for it any more");
		signal.addEventListener("abort", aborted, { once: true });
		if (signal.aborted) aborted();
		try {
			await this.#start();
			this.#left = requests;
			await this.#within(
				ms,
				this.#full.promise.then(() => this.#idle(ms)),
			);
			this.#left = 0;
			return await this.#handedOver();
		} finally {
			this.#left = 0;
			signal.removeEventListener("abort", aborted);
		}
	}

	/** Its isolate is there before any request, and has been profiled from its beginning. */
	async #start(): Promise<void> {
		const { version } = this;
		const { startupCpuMs } = version.limits;
		const { sandbox, ready } = this.#process;
		const started = ready.then(() => sandbox.preload(version, startupCpuMs));
		const end = await this.#within(START_MS + startupCpuMs, started);
		if (end !== "started") throw new Error(end === null ? "its sandbox did not start in time" : "it does not start");
		if (version.withdrawn) throw new Error("the version is not served any more");
	}

	async #handedOver(): Promise<Uint8Array> {
		const { sandbox } = this.#process;
		const profiled = Promise.withResolvers<Profiled>();
		sandbox.onProfiled = profiled.resolve;
		sandbox.commands.endProfile();
		const profile = await this.#within(HAND_OVER_MS, profiled.promise);
		if (profile === null) throw new Error("its sandbox did not hand it over in time");
		if ("problem" in profile) throw new Error(profile.problem);
		return profile.json;
	}

	/** What something comes to, `null` if that takes longer. Rejects as soon as the profile comes to nothing. */
	async #within<T>(ms: Milliseconds, what: Promise<T>): Promise<T | null> {
		const timer = new AbortController();
		const late = sleep(ms, null, { signal: timer.signal });
		late.catch(() => undefined);
		try {
			return await Promise.race([what, late, this.#failed.promise]);
		} finally {
			timer.abort();
		}
	}

	/** Resolves once nothing runs in its sandbox, or that takes too long. */
	async #idle(most: Milliseconds): Promise<void> {
		const until = performance.now() + most;
		while (this.#process.sandbox.load > 0 && !this.#process.ended && performance.now() < until) await sleep(LOOK_MS);
	}

	/** Ends its sandbox, once the requests that it has are done; those that take too long are run again at home. */
	async end(): Promise<void> {
		await this.#idle(DRAIN_MS);
		await this.close();
	}

	/** Ends its sandbox now. */
	async close(): Promise<void> {
		this.fail("the runtime is closing");
		this.#process.sandbox.recall(this.version.number);
		await this.#process.close();
	}
}
