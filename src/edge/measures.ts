import { monitorEventLoopDelay } from "node:perf_hooks";
import type { EdgeStats } from "../feed/messages.ts";
import { Tallies } from "../observe/tally.ts";
import type { Runtime } from "../runtime.ts";
import type { Milliseconds } from "../units.ts";
import type { Follower } from "./follower.ts";

/** So many functions and kinds of their events are counted apart within a second. */
const MOST_TALLIES = 2000;
const EVERY_MS: Milliseconds = 1000;
const RESOLUTION_MS: Milliseconds = 10;

/**
 * Counts what functions do, and tells control once a second. A request costs a microsecond of it; where control is gone
 * it is counted on until it is back.
 */
export class Measures {
	readonly #runtime: Runtime;
	readonly #follower: Follower;
	readonly #tallies = new Tallies(MOST_TALLIES);
	readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
	readonly #timer = setInterval(() => this.#tell(), EVERY_MS).unref();
	readonly #unwatch: () => void;

	constructor(runtime: Runtime, follower: Follower) {
		this.#runtime = runtime;
		this.#follower = follower;
		this.#unwatch = runtime.subscribe({ record: (record) => this.#tallies.count(record) });
		this.#delay.enable();
	}

	#tell(): void {
		if (!this.#follower.takes) return;
		this.#follower.measured(this.#tallies.take(), this.#stats(), this.#runtime.machine());
		this.#delay.reset();
	}

	#stats(): EdgeStats {
		const { heapUsed, rss } = process.memoryUsage();
		const { user, system } = process.cpuUsage();
		const seconds = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
		return {
			...this.#runtime.stats(),
			pid: process.pid,
			heapBytes: heapUsed,
			residentBytes: rss,
			cpuSeconds: (user + system) / 1e6,
			loopDelayP50: seconds(this.#delay.percentile(50)),
			loopDelayP99: seconds(this.#delay.percentile(99)),
			loopDelayMax: seconds(this.#delay.max),
		};
	}

	/** Tells what was counted last. */
	close(): void {
		clearInterval(this.#timer);
		this.#unwatch();
		this.#tell();
		this.#delay.disable();
	}
}
