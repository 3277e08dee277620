import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** What a process holds and has used, as its kernel counts it. */
export interface Holdings {
	bytes: number;
	/** The most it has held since `forgetPeak`. */
	peakBytes: number;
	descriptors: number;
	/** How many processes it has had started, with those that they have. */
	processes: number;
	/** CPU time of all of its threads until now. */
	cpuMs: number;
}

/** Linux counts CPU time in these. */
const TICK_MS = 10;

export function holdings(pid: number): Holdings {
	const status = readFileSync(`/proc/${pid}/status`, "latin1");
	const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
	const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
	const [user, system] = stat
		.slice(stat.lastIndexOf(")") + 2)
		.split(" ")
		.slice(11, 13)
		.map(Number);
	return {
		bytes: kb("VmRSS") * 1024,
		peakBytes: kb("VmHWM") * 1024,
		descriptors: readdirSync(`/proc/${pid}/fd`).length,
		processes: descendants(pid).length,
		cpuMs: (user + system) * TICK_MS,
	};
}

/** From now on the peak is that of what follows. */
export function forgetPeak(pid: number): void {
	writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** The processes that a process has started, and those that they have, as far as they run. */
export function descendants(pid: number): number[] {
	return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

function childrenOf(pid: number): number[] {
	try {
		const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
		return children.trim().split(" ").filter(Boolean).map(Number);
	} catch {
		return []; // It has ended.
	}
}

/** Whether there is such a process; one that has ended and that nobody has asked about is none. */
export function isRunning(pid: number): boolean {
	try {
		return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
	} catch {
		return false;
	}
}
