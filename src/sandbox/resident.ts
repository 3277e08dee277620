import { readFileSync } from "node:fs";
import type { Bytes } from "../isolates/protocol.ts";

/** Resident memory of a process; 0 where there is no /proc, or the process has just ended, which is noticed elsewhere. */
export function residentBytes(pid: number): Bytes {
	try {
		return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * 4096;
	} catch {
		return 0; // See above: the caller's limit is then simply not reached.
	}
}
