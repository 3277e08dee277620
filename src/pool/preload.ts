import { type AttemptId, PRELOAD_START_MS } from "../link/protocol.ts";
import type { RunnableVersion, TurnBounds } from "./runnable-version.ts";

/** `killed`: the sandbox died, or had to be killed, while the isolate started. */
export type PreloadEnd = "started" | "failed" | "killed";

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

	constructor(id: AttemptId, version: RunnableVersion) {
		this.id = id;
		this.version = version;
		const { limits } = version;
		this.bounds = { ...limits, startupCpuMs: Math.min(limits.startupCpuMs, PRELOAD_START_MS) };
		this.ended = new Promise((resolve) => {
			this.#end = resolve;
		});
	}

	/** There is no request that a message could belong to. */
	message(): void {}

	/** Nobody waits for it. */
	move(): void {}

	done(): void {
		this.#end("started");
	}

	failed(): void {
		this.#end("failed");
	}

	lost(running: boolean): void {
		this.#end(running ? "killed" : "failed");
	}
}
