import { setTimeout as sleep } from "node:timers/promises";
import { PRELOAD_START_MS, type VersionNumber } from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";
import type { PreloadEnd } from "./preload.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";

/** After each it rests for so many times what that took: what it does is for later, and others have requests now. */
const REST = 3;

/** A version to be started in a sandbox, as long as that is wanted there. */
export interface Start {
	version: RunnableVersion;
	sandbox: Sandbox;
	wanted: () => boolean;
	/** How long its top level may run. */
	mostMs: Milliseconds;
}

/** One that somebody waits for; `null` says that it was no longer wanted. */
interface AwaitedStart extends Start {
	ended: (end: PreloadEnd | null) => void;
}

/** A start where there is no isolate yet. */
function missing(version: RunnableVersion, sandbox: Sandbox, wanted: () => boolean): AwaitedStart {
	return {
		version,
		sandbox,
		wanted: () => wanted() && !sandbox.has(version.number),
		mostMs: PRELOAD_START_MS,
		ended: () => undefined,
	};
}

/**
 * Starts isolates ahead of requests, one after the other. Else a rush of deployments, and each takeover, would be
 * followed by a cold start of each function at once, and those who wait for them would be the neighbours.
 */
export class Preloader {
	readonly #onKilled: (version: VersionNumber) => void;
	/** Those that have requests already, which are answered elsewhere until then. */
	readonly #arriving = new Map<VersionNumber, AwaitedStart>();
	/** Those that are to be there, whether or not anybody asks for them. */
	readonly #provisioned: AwaitedStart[] = [];
	/** Those for later, the busiest first. */
	#later: AwaitedStart[] = [];
	#running = false;
	#closed = false;

	/** `onKilled` is told of a version whose start has cost a sandbox its life. */
	constructor(onKilled: (version: VersionNumber) => void) {
		this.#onKilled = onKilled;
	}

	/** Starts a version before all that is for later. */
	add(version: RunnableVersion, sandbox: Sandbox, wanted: () => boolean): void {
		if (sandbox.has(version.number) || this.#arriving.has(version.number)) return;
		this.#arriving.set(version.number, missing(version, sandbox, wanted));
		void this.#run();
	}

	/** Starts a version that is provisioned, unless it is there. Resolves with `null` where that is no longer wanted. */
	provide(start: Start): Promise<PreloadEnd | null> {
		const { promise, resolve } = Promise.withResolvers<PreloadEnd | null>();
		this.#provisioned.push({ ...start, ended: resolve });
		void this.#run();
		return promise;
	}

	/** Starts these versions in a sandbox, in place of those that were for later until now. */
	fill(sandbox: Sandbox, versions: RunnableVersion[], wanted: () => boolean): void {
		this.#later = versions.map((version) => missing(version, sandbox, wanted));
		void this.#run();
	}

	/** A version is no longer to be started. */
	forget(version: VersionNumber): void {
		this.#arriving.delete(version);
	}

	close(): void {
		this.#closed = true;
	}

	async #run(): Promise<void> {
		if (this.#running) return;
		this.#running = true;
		for (let next = this.#next(); next !== undefined; next = this.#next()) {
			const began = performance.now();
			const end = await next.sandbox.preload(next.version, next.mostMs);
			if (end === "killed") this.#onKilled(next.version.number);
			next.ended(end);
			await sleep(REST * (performance.now() - began), undefined, { ref: false });
		}
		this.#running = false;
	}

	#next(): AwaitedStart | undefined {
		while (!this.#closed) {
			const [arriving] = this.#arriving.values();
			if (arriving !== undefined) this.#arriving.delete(arriving.version.number);
			const next = arriving ?? this.#provisioned.shift() ?? this.#later.shift();
			if (next === undefined || next.wanted()) return next;
			next.ended(null);
		}
		return undefined;
	}
}
