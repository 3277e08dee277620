import type { SandboxState, VersionNumber } from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";
import { type CordonName, type Place, SHARED } from "./place.ts";
import type { SandboxPool } from "./pool.ts";
import { ProcessPool, type ProcessPoolOptions } from "./process-pool.ts";
import type { ProfileBounds, ProfiledVersion } from "./profile.ts";
import { Profiles } from "./profiles.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";

/**
 * Sandboxes in processes, by cordon: each has lanes and a spare of its own, since a spare holds isolates of those that
 * it may have to serve.
 */
export class Cordons implements SandboxPool {
	readonly #pools: ReadonlyMap<CordonName, ProcessPool>;

	readonly #profiles: Profiles;
	readonly ready: Promise<void>;

	/** Starts the cordon that all share. */
	constructor(options: ProcessPoolOptions) {
		const shared = new ProcessPool(options);
		this.#pools = new Map([[SHARED, shared]]);
		this.#profiles = new Profiles(options);
		this.ready = shared.ready;
	}

	sandbox(version: RunnableVersion, { cordon, lane }: Place, bound: boolean): Sandbox | null {
		return this.#profiles.sandbox(version) ?? this.#pools.get(cordon)?.sandbox(version, lane, bound) ?? null;
	}

	cutMs(version: RunnableVersion, { cordon, lane }: Place, sandbox: Sandbox): Milliseconds {
		return this.#pools.get(cordon)?.cutMs(version, lane, sandbox) ?? 0;
	}

	computes(version: RunnableVersion, { cordon }: Place): void {
		this.#pools.get(cordon)?.computes(version);
	}

	async provision(version: RunnableVersion, place: () => Place): Promise<void> {
		await this.#pools.get(place().cordon)?.provision(version, () => place().lane);
	}

	profile(version: ProfiledVersion, bounds: ProfileBounds): Promise<Uint8Array> {
		return this.#profiles.take(version, bounds);
	}

	unload(version: VersionNumber): void {
		this.#profiles.unload(version);
		for (const pool of this.#pools.values()) pool.unload(version);
	}

	stats() {
		return [...this.#pools.values()].map((pool) => pool.stats()).reduce(sum);
	}

	states(): SandboxState[] {
		return [...this.#pools.values()].flatMap((pool) => pool.states());
	}

	/** The operating system's layers are the same around every sandbox. */
	get containment() {
		return (this.#pools.get(SHARED) as ProcessPool).containment;
	}

	pids(): number[] {
		return [...[...this.#pools.values()].flatMap((pool) => pool.pids()), ...this.#profiles.pids()];
	}

	async close(): Promise<void> {
		await Promise.all([this.#profiles, ...this.#pools.values()].map((pool) => pool.close()));
	}
}

type Stats = ReturnType<ProcessPool["stats"]>;

function sum(one: Stats, other: Stats): Stats {
	const total = { ...one };
	for (const key of Object.keys(other) as (keyof Stats)[]) total[key] += other[key];
	return total;
}
