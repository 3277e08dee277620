import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import type { SandboxSettings, SandboxStats, VersionNumber } from "../isolates/protocol.ts";
import type { Kind } from "../prelude/messages.ts";
import { V8_FLAGS } from "./confinement.ts";
import { type ImageSource, Sandbox } from "./sandbox.ts";
import { SandboxProcess } from "./sandbox-process.ts";

/** What the pool tells the runtime. */
export interface PoolEvents {
	log(kind: Kind, version: VersionNumber, text: string): void;
	notice(level: "info" | "warn" | "error", message: string): void;
}

/** Where functions run: gives each version its home sandbox. */
export interface SandboxPool {
	/** The sandbox for a version; its attempts should run there as long as it lives. */
	home(version: VersionNumber): Sandbox;
	/** A version will get no more requests. */
	unload(version: VersionNumber): void;
	stats(): { sandboxes: number; restarts: number } & SandboxStats;
	/** Process ids of the sandboxes, the spare included; none when inline. */
	pids(): number[];
	close(): Promise<void>;
}

/** Weight of a version on a sandbox, for rendezvous hashing: adding or losing a sandbox moves only its own share. */
function weight(version: VersionNumber, place: number): number {
	return createHash("sha1").update(`${version}/${place}`).digest().readUInt32LE(0);
}

/** Sandboxes in processes: as many as asked for, and a spare that takes over at once for one that is lost. */
export class ProcessPool implements SandboxPool {
	readonly #settings: SandboxSettings;
	readonly #images: ImageSource;
	readonly #events: PoolEvents;
	readonly #places: SandboxProcess[] = [];
	readonly #homes = new Map<VersionNumber, number>();
	#spare: SandboxProcess;
	#restarts = 0;
	#failedStarts = 0;
	#closed = false;
	#retry: NodeJS.Timeout | null = null;

	private constructor(size: number, settings: SandboxSettings, images: ImageSource, events: PoolEvents) {
		this.#settings = settings;
		this.#images = images;
		this.#events = events;
		for (let i = 0; i < size; i++) this.#places.push(this.#spawn());
		this.#spare = this.#spawn();
	}

	/** Starts the sandboxes; resolves when all of them are ready. */
	static async start(
		size: number,
		settings: SandboxSettings,
		images: ImageSource,
		events: PoolEvents,
	): Promise<ProcessPool> {
		const pool = new ProcessPool(size, settings, images, events);
		try {
			await Promise.all([...pool.#places, pool.#spare].map((process) => process.ready));
		} catch (error) {
			await pool.close();
			throw error;
		}
		return pool;
	}

	#spawn(): SandboxProcess {
		const process = new SandboxProcess(this.#settings, this.#images, (lost, why) => this.#replace(lost, why));
		process.sandbox.onStrayMessage = (kind, version, text) => this.#events.log(kind, version, text);
		process.ready.then(
			() => {
				this.#failedStarts = 0;
			},
			() => undefined, // Its exit is what counts, and `#replace` hears of it.
		);
		return process;
	}

	/** The spare steps into the place of a sandbox that was lost, and a new spare is started. */
	#replace(lost: SandboxProcess, why: string): void {
		if (this.#closed) return;
		this.#restarts++;
		const place = this.#places.indexOf(lost);
		this.#events.notice("warn", `${place < 0 ? "the spare sandbox" : "a sandbox"} (pid ${lost.pid}) was lost: ${why}`);
		if (place >= 0) {
			this.#places[place] = this.#spare;
			this.#spare = this.#spawn();
		} else if (lost === this.#spare) {
			// A spare that dies as it starts would be started for ever; wait longer each time.
			this.#failedStarts++;
			this.#spare = lost;
			this.#retry = setTimeout(
				() => {
					if (!this.#closed) this.#spare = this.#spawn();
				},
				Math.min(50 * 2 ** this.#failedStarts, 10_000),
			);
		}
	}

	home(version: VersionNumber): Sandbox {
		let place = this.#homes.get(version);
		if (place === undefined) {
			place = 0;
			for (let i = 1; i < this.#places.length; i++) if (weight(version, i) > weight(version, place)) place = i;
			this.#homes.set(version, place);
		}
		return this.#places[place].sandbox;
	}

	unload(version: VersionNumber): void {
		for (const { sandbox } of this.#places) sandbox.unload(version);
		this.#homes.delete(version);
	}

	stats() {
		const all = this.#places.map(({ sandbox }) => sandbox.latest);
		return { sandboxes: this.#places.length, restarts: this.#restarts, ...sum(all) };
	}

	pids(): number[] {
		return [...this.#places, this.#spare].map((process) => process.pid);
	}

	async close(): Promise<void> {
		this.#closed = true;
		if (this.#retry !== null) clearTimeout(this.#retry);
		await Promise.all([...this.#places, this.#spare].map((process) => process.close()));
	}
}

function sum(all: SandboxStats[]): SandboxStats {
	const total: SandboxStats = { isolates: 0, bytes: 0, hits: 0, coldStarts: 0, evictions: 0 };
	for (const one of all) for (const key of Object.keys(total) as (keyof SandboxStats)[]) total[key] += one[key];
	return total;
}

/** The same isolates in this very process, for code that is trusted: no link, and nothing between it and this process. */
export class InlinePool implements SandboxPool {
	readonly #sandbox: Sandbox;
	readonly #host: { close(): void; stats(): SandboxStats };

	private constructor(sandbox: Sandbox, host: { close(): void; stats(): SandboxStats }) {
		this.#sandbox = sandbox;
		this.#host = host;
	}

	static async start(settings: SandboxSettings, images: ImageSource, events: PoolEvents): Promise<InlinePool> {
		for (const flag of V8_FLAGS) setFlagsFromString(flag);
		const { IsolateHost } = await import("../isolates/host.ts");
		const sandbox = new Sandbox(images);
		sandbox.onStrayMessage = (kind, version, text) => events.log(kind, version, text);
		const host = new IsolateHost(settings, sandbox);
		sandbox.commands = host;
		return new InlinePool(sandbox, host);
	}

	home(): Sandbox {
		return this.#sandbox;
	}
	unload(version: VersionNumber): void {
		this.#sandbox.unload(version);
	}
	stats() {
		return { sandboxes: 0, restarts: 0, ...this.#host.stats() };
	}
	pids(): number[] {
		return [];
	}
	async close(): Promise<void> {
		this.#host.close();
		this.#sandbox.lost(0);
	}
}
