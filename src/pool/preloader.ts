import { setTimeout as sleep } from "node:timers/promises";
import type { VersionNumber } from "../link/protocol.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";

/** After each it rests for so many times what that took: what it does is for later, and others have requests now. */
const REST = 3;

/** A version to be started in a sandbox, as long as that is wanted there. */
interface Start {
	version: RunnableVersion;
	sandbox: Sandbox;
	wanted: () => boolean;
}

/**
 * Starts isolates ahead of requests, one after the other. Else a rush of deployments, and each takeover, would be
 * followed by a cold start of each function at once, and those who wait for them would be the neighbours.
 */
export class Preloader {
	readonly #onKilled: (version: VersionNumber) => void;
	/** Those that have requests already, which are answered elsewhere until then. */
	readonly #arriving = new Map<VersionNumber, Start>();
	/** Those for later, the busiest first. */
	#later: Start[] = [];
	#running = false;
	#closed = false;

	/** `onKilled` is told of a version whose start has cost a sandbox its life. */
	constructor(onKilled: (version: VersionNumber) => void) {
		this.#onKilled = onKilled;
	}

	/** Starts a version before all that is for later. */
	add(version: RunnableVersion, sandbox: Sandbox, wanted: () => boolean): void {
		if (sandbox.has(version.number) || this.#arriving.has(version.number)) return;
		this.#arriving.set(version.number, { version, sandbox, wanted });
		void this.#run();
	}

	/** Starts these versions in a sandbox, in place of those that were for later until now. */
	fill(sandbox: Sandbox, versions: RunnableVersion[], wanted: () => boolean): void {
		this.#later = versions.map((version) => ({ version, sandbox, wanted }));
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
			if ((await next.sandbox.preload(next.version)) === "killed") this.#onKilled(next.version.number);
			await sleep(REST * (performance.now() - began), undefined, { ref: false });
		}
		this.#running = false;
	}

	#next(): Start | undefined {
		while (!this.#closed) {
			const [arriving] = this.#arriving.values();
			if (arriving !== undefined) this.#arriving.delete(arriving.version.number);
			const next = arriving ?? this.#later.shift();
			if (next === undefined) return undefined;
			if (next.wanted() && !next.sandbox.has(next.version.number)) return next;
		}
		return undefined;
	}
}
