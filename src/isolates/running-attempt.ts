import {
	type AttemptId,
	type AttemptReport,
	LIGHT_START_US,
	LIGHT_TURN_US,
	NORMAL_TURN_MS,
	type VersionNumber,
} from "../link/protocol.ts";
import { SendWindows } from "../link/send-windows.ts";
import type { Microseconds, Milliseconds } from "../units.ts";
import type { FunctionIsolate } from "./isolate.ts";

/** An attempt of the edge (`pool/attempt.ts`) as its sandbox runs it: where, what it has used, and its timers. */
export class RunningAttempt {
	readonly id: AttemptId;
	readonly version: VersionNumber;
	/** The isolate that runs it, from its first turn on. */
	isolate: FunctionIsolate | null = null;
	/** Whether it had to start that isolate, and how long that took. */
	cold = false;
	startUs: Microseconds = 0;
	/** Operations of WebCrypto that it has begun and that are not over: none of them can be stopped. */
	operations = 0;
	/** It has done all that it had to, but for these operations, of which nobody waits for one. */
	finished = false;
	/** How much it may send of what it streams. */
	readonly windows = new SendWindows();
	/** At what its turns are cut to be run elsewhere; 0 if they are not, or no longer. */
	cutMs: Milliseconds;
	readonly #budgetUs: Microseconds;
	#cpuUs: Microseconds = 0;
	/** What it used before its budget was renewed. */
	#earlierUs: Microseconds = 0;
	#longestTurnUs: Microseconds = 0;
	/** Made with the first timer: most attempts have none. */
	#timers: Map<number, NodeJS.Timeout> | null = null;

	constructor(id: AttemptId, version: VersionNumber, cpuMs: Milliseconds, cutMs: Milliseconds) {
		this.id = id;
		this.version = version;
		this.#budgetUs = cpuMs * 1000;
		this.cutMs = cutMs;
	}

	/**
	 * How long its next turn may run, and whether a cut at that would only be that of where it runs; 0 if its
	 * budget is spent.
	 */
	allowance(): { ms: Milliseconds; early: boolean } {
		const left = Math.ceil((this.#budgetUs - this.#cpuUs) / 1000);
		const early = this.cutMs > 0 && left > this.cutMs;
		return { ms: early ? this.cutMs : Math.max(left, 0), early };
	}

	/** A turn of it, or an operation that it has begun, has used so much. */
	account(us: Microseconds): void {
		this.#cpuUs += us;
		if (us > this.#longestTurnUs) this.#longestTurnUs = us;
	}

	/** How much it may still use. */
	get leftUs(): Microseconds {
		return this.finished ? 0 : this.#budgetUs - this.#cpuUs;
	}

	/** Each message of a WebSocket has the budget of a request: the connection may last for days. */
	renew(): void {
		this.#earlierUs += this.#cpuUs;
		this.#cpuUs = 0;
	}

	/** Something of it is seen outside, so that it cannot be run again: its turns are no longer cut early. */
	commit(): void {
		this.cutMs = 0;
	}

	/**
	 * The prelude has seen to it that there are not too many; where a function has got around that, the rest never
	 * fire.
	 */
	setTimer(timer: number, delay: Milliseconds, due: () => void): void {
		this.#timers ??= new Map();
		if (this.#timers.size >= (this.isolate?.maxTimers ?? 0)) return;
		const fire = () => {
			this.#timers?.delete(timer);
			due();
		};
		this.#timers.set(timer, setTimeout(fire, delay));
	}

	clearTimer(timer: number): void {
		clearTimeout(this.#timers?.get(timer));
		this.#timers?.delete(timer);
	}

	/** It is over: its timers stop, and its isolate no longer waits for it. */
	end(): void {
		for (const timer of this.#timers?.values() ?? []) clearTimeout(timer);
		this.#timers = null;
		this.isolate?.forget(this.id);
	}

	/** What went beyond its limit, in words. */
	get excess(): string {
		return `the request used ${Math.round(this.#cpuUs / 1000)} ms of CPU time; its limit is ${Math.round(this.#budgetUs / 1000)} ms`;
	}

	report(): AttemptReport {
		// The first turn of an isolate is slower than those after it, and says little of them.
		const most = this.cold ? NORMAL_TURN_MS * 1000 : LIGHT_TURN_US;
		return {
			cpuUs: Math.round(this.#earlierUs + this.#cpuUs),
			light: this.#longestTurnUs <= most && this.startUs <= LIGHT_START_US,
			memoryBytes: this.isolate?.memoryBytes ?? 0,
			cold: this.cold,
			startUs: this.startUs,
		};
	}
}
