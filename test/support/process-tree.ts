import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

/** The ids of all processes below another one, with their command lines. */
export function below(pid: number): { pid: number; command: string }[] {
	const lines = execFileSync("ps", ["-e", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).trim().split("\n");
	const all = lines.map((line) => {
		const [, own, parent, command] = /^ *(\d+) +(\d+) (.*)$/.exec(line) as RegExpExecArray;
		return { pid: Number(own), parent: Number(parent), command };
	});
	const found = [pid];
	for (const one of found) found.push(...all.filter(({ parent }) => parent === one).map(({ pid: own }) => own));
	return all.filter(({ pid: own }) => own !== pid && found.includes(own));
}

/** The first of them whose command line matches. */
export function pidBelow(pid: number, command: RegExp): number {
	const found = below(pid).find((one) => command.test(one.command));
	assert.ok(found !== undefined, `no process is ${command}`);
	return found.pid;
}
