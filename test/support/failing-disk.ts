import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { Launch } from "../../src/processes/launch.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { until } from "./until.ts";

/** Whether a process's calls of the system can be made to fail here. */
export const canFailCalls = spawnSync("strace", ["-e", "trace=none", "true"], { stdio: "ignore" }).status === 0;

/**
 * Starts processes without what bubblewrap puts around them: its filter would end a process for the number that strace
 * gives to a call which is to fail.
 */
export class UnfilteredLauncher extends Launcher {
	override launch(what: Launch, events: Parameters<Launcher["launch"]>[1]): ReturnType<Launcher["launch"]> {
		const args = what.args.slice(what.args.lastIndexOf(process.execPath) + 1);
		return super.launch({ ...what, command: process.execPath, args, wall: { ownUser: false, filter: null } }, events);
	}
}

/** Has a process's calls of the system, as `fsync`, fail as on a broken disk, until the function that it returns is called. */
export async function failing(pid: number, calls: string[]): Promise<() => Promise<void>> {
	const names = calls.join();
	const options = ["-f", "-qq", "-p", String(pid), "-o", "/dev/null", "-e", `trace=${names}`];
	const tracer = spawn("strace", [...options, "-e", `inject=${names}:error=EIO`], { stdio: "ignore" });
	const ended = once(tracer, "exit");
	// All of its threads: some of them write to the disk.
	const isTraced = (thread: string) =>
		/^TracerPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8"))?.[1] === String(tracer.pid);
	await until(() => readdirSync(`/proc/${pid}/task`).every(isTraced));
	return async () => {
		tracer.kill("SIGINT");
		await ended;
	};
}
