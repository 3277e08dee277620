import type { AttemptFailure, AttemptId, AttemptReport } from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";
import type { RunnableVersion, TurnBounds } from "./runnable-version.ts";

/**
 * `warm`: there was an isolate already. `crowded_out`: it is there, but there is no room to keep it. `killed`: the
 * sandbox died, or had to be killed, while the isolate started.
 */
export type PreloadEnd = "started" | "warm" | "crowded_out" | "failed" | "killed";

/**
 * The start of an isolate ahead of any request for it, on a sandbox that may have to serve the version at once. It is
 * watched like any attempt: what it runs is the function's top level.
 */
export class Preload {
	readonly id: AttemptId;
	readonly version: RunnableVersion;
	readonly bounds: TurnBounds;
	readonly ended: Promise<PreloadEnd>;
	#end!: (end: PreloadEnd) => void;

	/** `mostMs`: how long the top level may run, if its limits allow it so much. */
	constructor(id: AttemptId, version: RunnableVersion, mostMs: Milliseconds) {
		this.id = id;
		this.version = version;
		const { limits } = version;
		this.bounds = { ...limits, startupCpuMs: Math.min(limits.startupCpuMs, mostMs) };
		this.ended = new Promise((resolve) => {
			this.#end = resolve;
		});
	}

	/** There is no request that a message could belong to. */
	message(): void {}

	/** Nobody waits for it. */
	move(): void {}

	done({ cold }: AttemptReport): void {
		this.#end(cold ? "started" : "warm");
	}

	failed({ code }: AttemptFailure): void {
		this.#end(code === "crowded_out" ? code : "failed");
	}

	lost(running: boolean): void {
		this.#end(running ? "killed" : "failed");
	}
}
