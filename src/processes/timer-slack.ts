import { writeFileSync } from "node:fs";

/** How much later than its time a wait may end. A limit on the time of a turn, which is in milliseconds, may be as late. */
const SLACK_NS = 500_000;

/**
 * Lets the system wake this process, and what it starts from now on, up to half a millisecond late, and so for several
 * timers at once. isolated-vm has a timer for each turn, which a thread of its own waits for even where the turn is long
 * over: it wakes some ten thousand times a second, beside the one that runs turns. See proc_pid_timerslack_ns(5); elsewhere
 * than on Linux, and where it may not be written, timers are as exact as they were.
 */
export function coalesceTimers(): void {
	try {
		writeFileSync("/proc/self/timerslack_ns", String(SLACK_NS));
	} catch {
		// It costs processor time, and nothing else.
	}
}
