import type { Microseconds, Milliseconds } from "../units.ts";

/**
 * What is shorter is taken as the clock on the wall has it: the thread's own goes on in ticks of some milliseconds,
 * and costs 2 to 8 us.
 */
const LONG_US: Microseconds = 5000;
/** How old a reading may be before what runs next. */
const FRESH_MS: Milliseconds = 5;

let readAt: Milliseconds = 0;
let readUs: Microseconds = 0;

function threadUs(): Microseconds {
	const { user, system } = process.threadCpuUsage();
	return user + system;
}

/** Sees to it that there is a fresh reading; to be called before turns are run. */
export function readThreadClock(): void {
	const now = performance.now();
	if (now - readAt < FRESH_MS) return;
	readAt = now;
	readUs = threadUs();
}

/** How much CPU time the thread has had since that reading. */
export function sinceReading(): Microseconds {
	return threadUs() - readUs;
}

/**
 * How much CPU time something has used that has just ended and took so long. isolated-vm's `cpuTime` goes on while
 * the thread waits for a core, so that on a busy machine a turn looks four times as long as it was.
 */
export function usedUs(wallUs: Microseconds): Microseconds {
	if (wallUs < LONG_US) return wallUs;
	const before = readUs;
	readAt = performance.now();
	readUs = threadUs();
	return Math.min(wallUs, readUs - before);
}
