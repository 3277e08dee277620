import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { SandboxSettings, SandboxState, SandboxStats, VersionNumber } from "../link/protocol.ts";
import { V8_FLAGS } from "../processes/confinement.ts";
import type { Milliseconds } from "../units.ts";
import type { PoolEvents, SandboxPool } from "./pool.ts";
import { Sandbox } from "./sandbox.ts";

/**
 * The same isolates in this very process, for code that is trusted: no link, and nothing between it and this process.
 */
export class InlinePool implements SandboxPool {
	readonly ready = Promise.resolve();
	readonly containment = null;
	readonly #sandbox: Sandbox;
	readonly #host: { close(): void; stats(): SandboxStats };

	private constructor(sandbox: Sandbox, host: { close(): void; stats(): SandboxStats }) {
		this.#sandbox = sandbox;
		this.#host = host;
	}

	static async start(settings: SandboxSettings, events: PoolEvents): Promise<InlinePool> {
		for (const flag of V8_FLAGS) setFlagsFromString(flag);
		collectAtExit();
		const { IsolateHost } = await import("../isolates/host.ts");
		const sandbox = new Sandbox();
		sandbox.onStrayLine = (version, text) => events.log(version, text);
		const host = new IsolateHost(settings, sandbox);
		sandbox.commands = host;
		return new InlinePool(sandbox, host);
	}

	sandbox(): Sandbox {
		return this.#sandbox;
	}
	cutMs(): Milliseconds {
		return 0;
	}
	computes(): void {} // There is nowhere else for it.
	async provision(): Promise<void> {} // What runs inline is never provisioned.
	async profile(): Promise<never> {
		throw new Error("what runs inline has no sandbox that could be profiled");
	}
	unload(version: VersionNumber): void {
		this.#sandbox.leave(version);
	}
	stats() {
		return { sandboxes: 0, lent: 0, restarts: 0, ...this.#host.stats() };
	}
	states(): SandboxState[] {
		return [];
	}
	pids(): number[] {
		return [];
	}
	async close(): Promise<void> {
		this.#host.close();
		this.#sandbox.lost(0);
	}
}

let collecting = false;

/**
 * Collects garbage when this process, or thread, comes to its end. What isolated-vm has given out ends the process with
 * an assertion of its own where it is collected later, once Node has begun to take itself apart: which V8 does now and
 * then on a busy machine. Sandboxes never come so far, since they exit outright.
 */
export function collectAtExit(): void {
	if (collecting) return;
	collecting = true;
	process.once("exit", () => {
		setFlagsFromString("--expose-gc");
		(runInNewContext("gc") as () => void)();
	});
}
