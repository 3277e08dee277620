import { readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { below } from "./tenants.ts";

/** Kills the sandbox of an atoll's normal lane; resolves when the spare has its place, and there is another spare. */
export async function killNormal(atoll: number): Promise<void> {
	const normal = await normalSandbox(atoll);
	process.kill(normal, "SIGKILL");
	while ((await normalAndSpare(atoll)).includes(normal)) await sleep(20);
}

/** The sandbox of an atoll's normal lane. */
export async function normalSandbox(atoll: number): Promise<number> {
	const [normal] = await normalAndSpare(atoll);
	return normal;
}

/** What a process has had of the processors so far, in microseconds. */
export function cpuUs(pid: number): number {
	const [, after] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
	const fields = after.split(" ");
	return (Number(fields[11]) + Number(fields[12])) * US_A_TICK;
}

/** Linux counts in hundredths of a second. */
const US_A_TICK = 10_000;

/** The sandbox of the normal lane and the spare, the older one first, as soon as there are both. */
async function normalAndSpare(atoll: number): Promise<number[]> {
	for (;;) {
		const found = below(atoll).filter(isLight);
		if (found.length === 2) return found.sort((a, b) => a - b);
		await sleep(20);
	}
}

/** Whether it is a sandbox, and none that gives way to others, as those of the heavy lane do. */
function isLight(pid: number): boolean {
	try {
		const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
		return (
			command[0].endsWith("node") && command.some((word) => word.includes("isolates-main")) && getPriority(pid) < 10
		);
	} catch {
		return false; // It has just ended.
	}
}
