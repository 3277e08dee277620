/** Ends a process at once, if it has not ended yet; with a negative number, all of a process group. */
export function killByPid(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {
		// It has ended.
	}
}
