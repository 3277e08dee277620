import type { VersionNumber } from "../link/protocol.ts";
import { type CordonName, type Place, SHARED } from "./place.ts";
import type { SandboxPool } from "./pool.ts";
import { ProcessPool, type ProcessPoolOptions } from "./process-pool.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";

/**
 * Sandboxes in processes, by cordon: each has lanes and a spare of its own, since a spare holds isolates of those that
 * it may have to serve.
 */
export class Cordons implements SandboxPool {
	readonly #pools: ReadonlyMap<CordonName, ProcessPool>;

	private constructor(pools: ReadonlyMap<CordonName, ProcessPool>) {
		this.#pools = pools;
	}

	/** Starts the cordon that all share; resolves when its sandboxes are ready. */
	static async start(options: ProcessPoolOptions): Promise<Cordons> {
		return new Cordons(new Map([[SHARED, await ProcessPool.start(options)]]));
	}

	home(version: RunnableVersion, { cordon, lane }: Place): Sandbox | null {
		return this.#pools.get(cordon)?.home(version, lane) ?? null;
	}

	isNormal(sandbox: Sandbox): boolean {
		for (const pool of this.#pools.values()) if (pool.isNormal(sandbox)) return true;
		return false;
	}

	computes(version: RunnableVersion, { cordon }: Place): void {
		this.#pools.get(cordon)?.computes(version);
	}

	unload(version: VersionNumber): void {
		for (const pool of this.#pools.values()) pool.unload(version);
	}

	stats() {
		return [...this.#pools.values()].map((pool) => pool.stats()).reduce(sum);
	}

	/** The operating system's layers are the same around every sandbox. */
	get containment() {
		return (this.#pools.get(SHARED) as ProcessPool).containment;
	}

	pids(): number[] {
		return [...this.#pools.values()].flatMap((pool) => pool.pids());
	}

	async close(): Promise<void> {
		await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
	}
}

type Stats = ReturnType<ProcessPool["stats"]>;

function sum(one: Stats, other: Stats): Stats {
	const total = { ...one };
	for (const key of Object.keys(other) as (keyof Stats)[]) total[key] += other[key];
	return total;
}
