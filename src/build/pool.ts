import { Places } from "../limits/places.ts";
import type { Launcher } from "../processes/launcher.ts";
import type { Milliseconds } from "../units.ts";
import { BuildProcess, BuildProcessError } from "./process.ts";

/** A job that takes so long lets the next one have its place, and goes on beside it. */
const LONG_MS: Milliseconds = 5000;

/** A few build processes, started when there is work and ended a while after the last of it. */
export class BuildPool {
	readonly #launcher: Launcher;
	readonly #places: Places;
	/** How many jobs may go on without a place, and how many do. */
	readonly #mostLong: number;
	#long = 0;
	readonly #idleMs: Milliseconds;
	readonly #prepare: (process: BuildProcess) => void;
	readonly #all = new Set<BuildProcess>();
	#idle: BuildProcess[] = [];
	#timer: NodeJS.Timeout | null = null;

	/** An idle process is kept for `idleMs`. `prepare` is told of every new one before its first job. */
	constructor(launcher: Launcher, size: number, idleMs: Milliseconds, prepare: (process: BuildProcess) => void) {
		this.#launcher = launcher;
		this.#places = new Places(size);
		this.#mostLong = size;
		this.#idleMs = idleMs;
		this.#prepare = prepare;
	}

	/** Runs a job once it is its tenant's turn. */
	async run<T>(tenant: string, job: (process: BuildProcess) => Promise<T>): Promise<T> {
		if (!(await this.#places.take(tenant))) throw new BuildProcessError("the runtime is closing");
		let isLong = false;
		const becomesLong = setTimeout(() => {
			if (this.#long >= this.#mostLong) return;
			isLong = true;
			this.#long++;
			this.#places.giveBack(tenant);
		}, LONG_MS).unref();
		try {
			const process = this.#acquire();
			try {
				return await job(process);
			} finally {
				this.#release(process);
			}
		} finally {
			clearTimeout(becomesLong);
			if (isLong) this.#long--;
			else this.#places.giveBack(tenant);
		}
	}

	#acquire(): BuildProcess {
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
		for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
			if (!idle.ended) return idle;
			this.#all.delete(idle);
		}
		return this.#start();
	}

	#start(): BuildProcess {
		const process = new BuildProcess(this.#launcher);
		this.#prepare(process);
		this.#all.add(process);
		return process;
	}

	#release(process: BuildProcess): void {
		if (process.ended) this.#all.delete(process);
		else this.#idle.push(process);
		if (this.#idle.length === this.#all.size) this.#timer ??= setTimeout(() => void this.close(), this.#idleMs).unref();
	}

	/** Ends the idle processes; those at work end when their pool's owner ends, which closes their link. */
	async close(): Promise<void> {
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
		this.#places.sendAway();
		const all = [...this.#all];
		this.#all.clear();
		this.#idle = [];
		await Promise.all(all.map((process) => process.close()));
	}
}
