import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Where a supervisor says which process it is, in its data folder. */
export const PID_FILE = "atoll.pid";

/** The `atoll up` that is at work on a data folder; `null` for none. */
export function serverAt(data: string): number | null {
	try {
		const pid = Number(readFileSync(join(data, PID_FILE), "utf8"));
		return isServer(pid) ? pid : null;
	} catch {
		return null; // There is no such file, or no such process.
	}
}

/** Whether a process is an `atoll up`: one that was killed has left its id behind, which may be anybody's by now. */
function isServer(pid: number): boolean {
	if (process.platform !== "linux") return process.kill(pid, 0);
	const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
	return args.some((arg, i) => /(?:^|\/)atoll(?:-edge|\.js)?$/.test(arg) && args[i + 1] === "up");
}
