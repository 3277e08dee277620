import type { Launcher } from "../processes/launcher.ts";
import type { Milliseconds } from "../units.ts";
import { BuildProcess } from "./process.ts";

/** A few build processes, started when there is work and ended a while after the last of it. */
export class BuildPool {
	readonly #launcher: Launcher;
	readonly #size: number;
	readonly #idleMs: Milliseconds;
	readonly #prepare: (process: BuildProcess) => void;
	readonly #all = new Set<BuildProcess>();
	#idle: BuildProcess[] = [];
	#waiting: ((process: BuildProcess) => void)[] = [];
	#timer: NodeJS.Timeout | null = null;

	/** An idle process is kept for `idleMs`. `prepare` is told of every new one before its first job. */
	constructor(launcher: Launcher, size: number, idleMs: Milliseconds, prepare: (process: BuildProcess) => void) {
		this.#launcher = launcher;
		this.#size = size;
		this.#idleMs = idleMs;
		this.#prepare = prepare;
	}

	async run<T>(job: (process: BuildProcess) => Promise<T>): Promise<T> {
		const process = await this.#acquire();
		try {
			return await job(process);
		} finally {
			this.#release(process);
		}
	}

	async #acquire(): Promise<BuildProcess> {
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
		for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
			if (!idle.ended) return idle;
			this.#all.delete(idle);
		}
		if (this.#all.size < this.#size) return this.#start();
		return new Promise((resolve) => this.#waiting.push(resolve));
	}

	#start(): BuildProcess {
		const process = new BuildProcess(this.#launcher);
		this.#prepare(process);
		this.#all.add(process);
		return process;
	}

	#release(process: BuildProcess): void {
		if (process.ended) this.#all.delete(process);
		const next = this.#waiting.shift();
		if (next !== undefined) {
			next(process.ended ? this.#start() : process);
			return;
		}
		if (!process.ended) this.#idle.push(process);
		if (this.#idle.length === this.#all.size) this.#timer ??= setTimeout(() => void this.close(), this.#idleMs).unref();
	}

	/** Ends the idle processes; those at work end when their pool's owner ends, which closes their link. */
	async close(): Promise<void> {
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = null;
		const all = [...this.#all];
		this.#all.clear();
		this.#idle = [];
		await Promise.all(all.map((process) => process.close()));
	}
}
