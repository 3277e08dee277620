import { readFileSync } from "node:fs";
import type { EpochMs, Milliseconds } from "../../units.ts";

/** What alerts go by. What has to last so long is measured by the clock that nobody sets. */
export interface Clock {
	wall(): EpochMs;
	/** Counts from the start of the machine, and so goes on where this process begins anew. */
	monotonic(): Milliseconds;
	/** Which start of the machine that was. */
	readonly boot: string;
}

/** The machine's own. */
export function machineClock(): Clock {
	return { wall: Date.now, monotonic: () => Number(process.hrtime.bigint() / 1_000_000n), boot: bootId() };
}

/** https://docs.kernel.org/admin-guide/sysctl/kernel.html#random; empty where the system has none. */
function bootId(): string {
	try {
		return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
	} catch {
		return "";
	}
}
