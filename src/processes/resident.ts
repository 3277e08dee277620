import { readFileSync } from "node:fs";
import type { Bytes } from "../units.ts";

/**
 * Resident memory of a process; 0 where there is no /proc, or the process has just ended, which is noticed elsewhere.
 */
export function residentBytes(pid: number): Bytes {
	try {
		const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
		return kilobytes === null ? 0 : Number(kilobytes[1]) * 1024;
	} catch {
		return 0; // See above: the caller knows what else to go by.
	}
}

/** The same of a process and of all that it has started. */
export function residentBytesOfTree(pid: number): Bytes {
	return childrenOf(pid).reduce((sum, child) => sum + residentBytesOfTree(child), residentBytes(pid));
}

function childrenOf(pid: number): number[] {
	try {
		return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
	} catch {
		return []; // No /proc, or the process has just ended.
	}
}
