/** Ends a process at once, if it has not ended yet. */
export function killByPid(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {
		// It has ended.
	}
}
