import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UsageError } from "../errors.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** What a group bounds. */
const CONTROLLERS = ["cpu", "memory", "pids"];
/** Node's own threads, V8's and libuv's are some twenty. */
const MOST_THREADS = 128;
/** What the kernel counts for a process beside its resident memory. */
const KERNEL_BYTES: Bytes = 256 * 2 ** 20;
/** A group can be removed once the kernel has let go of the process that was in it. */
const TRIES = 50;
const RETRY_MS: Milliseconds = 20;

/** Weights stand for priorities within a group and between groups alike: those of niceness 2 and 10. */
const WEIGHT = 64;
const HEAVY_WEIGHT = 11;

/**
 * Control groups of Linux (cgroup v2) for sandboxes, below one that the operator has given to atoll: with controllers
 * that may be passed on, and without a process of its own
 * (https://docs.kernel.org/admin-guide/cgroup-v2.html#delegation).
 */
export class ControlGroups {
	readonly #folder: string;
	#next = 1;

	/** Throws UsageError where the folder is no such group. */
	constructor(folder: string) {
		this.#folder = folder;
		let offered: string[];
		try {
			offered = readFileSync(join(folder, "cgroup.controllers"), "utf8").trim().split(" ");
		} catch {
			throw new UsageError(
				`${folder} is no control group (version 2): it has no cgroup.controllers that could be read`,
			);
		}
		const missing = CONTROLLERS.filter((name) => !offered.includes(name));
		if (missing.length > 0)
			throw new UsageError(`the control group ${folder} lacks controllers: ${missing.join(", ")}`);
		try {
			writeFileSync(join(folder, "cgroup.subtree_control"), CONTROLLERS.map((name) => `+${name}`).join(" "));
		} catch (error) {
			const hint = "it must be writable by this user, and have no process of its own";
			throw new UsageError(`the control group ${folder} cannot be used (${(error as Error).message}): ${hint}`);
		}
	}

	/**
	 * Makes a group for a process of so much memory, and puts it in there. `null` where the process has ended
	 * already.
	 */
	hold(pid: number, memory: Bytes): ControlGroup | null {
		const group = new ControlGroup(join(this.#folder, `atoll-${process.pid}-${this.#next++}`));
		group.bound({ memory: memory + KERNEL_BYTES, threads: MOST_THREADS });
		if (group.add(pid)) return group;
		void group.remove();
		return null;
	}
}

/** The group of one sandbox. */
export class ControlGroup {
	readonly #folder: string;

	constructor(folder: string) {
		this.#folder = folder;
		mkdirSync(folder);
	}

	#write(file: string, value: string | number): void {
		writeFileSync(join(this.#folder, file), String(value));
	}

	bound({ memory, threads }: { memory: Bytes; threads: number }): void {
		this.#write("memory.max", memory);
		this.#write("memory.oom.group", 1);
		this.#write("pids.max", threads);
		this.#write("cpu.weight", WEIGHT);
	}

	/** Puts a process in, with all of its threads. Returns whether it was there. */
	add(pid: number): boolean {
		try {
			this.#write("cgroup.procs", pid);
			return true;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
			throw error;
		}
	}

	/** From now on it has the processor when nobody else wants it. */
	yieldToOthers(): void {
		this.#write("cpu.weight", HEAVY_WEIGHT);
	}

	/** Removes it, once its process is gone. */
	async remove(): Promise<void> {
		for (let i = 0; i < TRIES; i++) {
			try {
				rmdirSync(this.#folder);
				return;
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== "EBUSY") return; // Whoever gave the group has taken it away.
			}
			await sleep(RETRY_MS, undefined, { ref: false });
		}
	}
}
