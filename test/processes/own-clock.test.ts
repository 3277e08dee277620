import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { OwnClock } from "../../src/processes/own-clock.ts";
import { until } from "../support/until.ts";

const LOOP = ["sh", "-c", "while :; do :; done"];
/** On the first core that this process may use. */
const PINNED = [
	"taskset",
	"-c",
	(/^Cpus_allowed_list:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [])[1],
];

/** Starts a process, and waits until it runs its program. */
async function start([command, ...args]: string[]): Promise<number> {
	const child = spawn(command, args, { stdio: "ignore" });
	after(() => child.kill("SIGKILL"));
	const { pid } = child;
	assert.ok(pid !== undefined);
	const program = args.includes("sh") || command === "sh" ? "sh" : "sleep";
	await until(() => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === program);
	return pid;
}

const schedstat = (pid: number) => readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ").map(Number);
const ranMs = (pid: number) => schedstat(pid)[0] / 1e6;

test("the clock of a thread that waits for a core has what it ran, and nothing of the wait that goes on", async () => {
	await start([...PINNED, ...LOOP]);
	const starved = await start([...PINNED, "chrt", "--idle", "0", ...LOOP]);
	const before = ranMs(starved);
	using clock = new OwnClock(starved);
	const from = performance.now();
	let last = 0;
	await until(() => {
		const own = clock.read();
		assert.ok(own >= last, "it never goes back");
		assert.ok(own <= ranMs(starved) - before + 0.001, `${own} of ${ranMs(starved) - before} ms`);
		last = own;
		return performance.now() - from > 500;
	});
});

test("the clock of a thread that runs goes on", async () => {
	const pid = await start(LOOP);
	using clock = new OwnClock(pid);
	await until(() => clock.read() > 50);
});

test("the clock of a thread that sleeps or was stopped goes on too, and begins anew", async () => {
	const sleeping = await start(["sleep", "1000"]);
	const stopped = await start(LOOP);
	process.kill(stopped, "SIGSTOP");
	for (const pid of [sleeping, stopped]) {
		using clock = new OwnClock(pid);
		await until(() => clock.read() > 50);
		clock.restart();
		const ran = ranMs(pid);
		await until(() => clock.read() > 50);
		assert.equal(ranMs(pid), ran, "it did not run");
	}
});
