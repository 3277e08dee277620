import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { after, test } from "node:test";
import { confined } from "../../src/processes/confinement.ts";
import { type LaunchedProcess, Launcher } from "../../src/processes/launcher.ts";
import { wokenByParentDeath } from "../../src/processes/parent-death.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const launcher = new Launcher();
after(() => launcher.close());

/** A process that says back what it is told over its link, and ends with that. */
const ECHO = `
const socket = new (require("node:net").Socket)({ fd: 3 });
socket.on("data", (bytes) => socket.write(bytes)).on("close", () => process.exit(3));
`;

function launch(args: string[], { by = launcher, command = process.execPath } = {}) {
	const link = Promise.withResolvers<Socket>();
	const ended = Promise.withResolvers<string>();
	const launched = by.launch(
		{ command, args, env: {}, niceness: 5, file: null },
		{ onLaunched: (_, socket) => link.resolve(socket), onEnded: ended.resolve },
	);
	return { launched, link: link.promise, ended: ended.promise };
}

const gone = (pid: number) =>
	!existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));

test("a process has the other end of its link, stands below the launcher, and is told of when it ends", async () => {
	const { launched, link, ended } = launch(["-e", ECHO]);
	const socket = await link;
	const told = new Promise((resolve) => socket.once("data", resolve));
	socket.write("hello");
	assert.equal(String(await told), "hello");
	const [, fields] = readFileSync(`/proc/${launched.pid}/stat`, "utf8").split(") ");
	assert.equal(fields.split(" ")[16], "5", "its niceness");
	socket.destroy();
	assert.equal(await ended, "exited with code 3");
	assert.equal(launched.ended, true);
	await launched.exited;
});

test("one that is killed ends, also before it runs, and its last words are told", async () => {
	const early = launch(["-e", "for (;;);"]);
	early.launched.kill();
	assert.equal(await early.ended, "ended by SIGKILL");
	const failing = launch(["-e", `throw new Error("for this reason")`]);
	assert.match(await failing.ended, /^exited with code 1: .*for this reason/);
});

test("the system may wake it half a millisecond late", { skip: !existsSync("/proc/self/timerslack_ns") }, async () => {
	// Of another process only some may read it.
	const telling = launch(["-e", `process.exit(require("node:fs").readFileSync("/proc/self/timerslack_ns") / 100_000)`]);
	assert.equal(await telling.ended, "exited with code 5");
});

test("what cannot be started has ended", async () => {
	const missing = launch([], { command: "/no/such/program" });
	assert.match(await missing.ended, /ENOENT/);
	const ended = Promise.withResolvers<string>();
	launcher.launch(
		{ command: process.execPath, args: [], env: {}, niceness: 5, file: "/no/such/file" },
		{ onLaunched: () => assert.fail("it runs"), onEnded: ended.resolve },
	);
	assert.match(await ended.promise, /ENOENT/);
	assert.equal((await launch(["-e", ECHO]).link).writable, true, "the launcher goes on");
});

test("closing ends whatever still runs", async () => {
	const own = new Launcher();
	const all = [launch(["-e", "for (;;);"], { by: own }), launch(["-e", ECHO], { by: own })];
	await Promise.all(all.map(({ link }) => link));
	await own.close();
	await Promise.all(all.map(({ ended }) => ended));
	await until(() => all.every(({ launched }) => gone(launched.pid)));
	await own.close();
});

test("an edge that is killed leaves nothing behind, not even an endless loop", async () => {
	const script = `
		import { Launcher } from ${JSON.stringify(new URL("../../src/processes/launcher.ts", import.meta.url).href)};
		const launcher = new Launcher();
		const { pid } = launcher.start();
		launcher.launch(
			{ command: process.execPath, args: ["-e", "for (;;);"], env: {}, niceness: 5, file: null },
			{ onLaunched: (own) => console.log(JSON.stringify([pid, own])), onEnded: () => undefined },
		);
	`;
	const edge = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
	const [line] = (await new Promise<Buffer[]>((resolve) => edge.stdout.once("data", (...all) => resolve(all)))).map(
		String,
	);
	const pids = JSON.parse(line) as number[];
	assert.ok(pids.every((pid) => pid > 0 && !gone(pid)));
	edge.kill("SIGKILL");
	await until(() => pids.every(gone));
});

const childrenOf = (pid: number) =>
	readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);

/** An edge that has endless loops launched, and stands still before it has taken the links to them. */
async function stuckEdge() {
	const script = `
		import { writeSync } from "node:fs";
		import { Launcher } from ${JSON.stringify(new URL("../../src/processes/launcher.ts", import.meta.url).href)};
		const launcher = new Launcher();
		const { pid } = launcher.start();
		for (let i = 0; i < 3; i++)
			launcher.launch(
				{ command: process.execPath, args: ["-e", "for (;;);"], env: {}, niceness: 5, file: null },
				{ onLaunched: () => undefined, onEnded: () => undefined },
			);
		writeSync(1, String(pid));
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
	`;
	const edge = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
	const pid = await new Promise<number>((resolve) => edge.stdout.once("data", (text) => resolve(Number(text))));
	await until(() => childrenOf(pid).length === 3);
	return { edge, pids: [pid, ...childrenOf(pid)] };
}

test("nor does one that is killed while the links are handed over", async () => {
	const { edge, pids } = await stuckEdge();
	edge.kill("SIGKILL");
	await until(() => pids.every(gone));
});

test("nor does one whose launcher was stopped", {
	skip: wokenByParentDeath().length === 0 && "no setpriv",
}, async () => {
	const { edge, pids } = await stuckEdge();
	process.kill(pids[0], "SIGSTOP");
	edge.kill("SIGKILL");
	await until(() => pids.every(gone));
});

/** The processes with such an argument that have not ended. */
function processesWith(argument: string): number[] {
	return readdirSync("/proc")
		.map(Number)
		.filter((pid) => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(argument) && !gone(pid);
			} catch {
				return false; // It has just ended, or is no process.
			}
		});
}

test("a launcher that is killed at any moment leaves nothing behind", async () => {
	const confinement = confined({ entry: "isolates/main" });
	// Bubblewrap is a process of its own, before the one that it has made.
	const each = confinement.wall?.filter ? 2 : 1;
	for (let round = 0; round < 8; round++) {
		const own = new Launcher();
		const { pid = 0 } = own.start();
		const tag = `of-${process.pid}-${round}`;
		const what = { ...confinement, args: [...confinement.args, tag], niceness: 5, file: null };
		const ended = Array.from({ length: 4 }, () => {
			const { promise, resolve } = Promise.withResolvers<string>();
			own.launch(what, { onLaunched: (_, link) => link.on("error", () => undefined), onEnded: resolve });
			return promise;
		});
		await until(() => processesWith(tag).length > (round * each) / 2);
		process.kill(pid, "SIGKILL");
		await Promise.all(ended);
		await until(() => processesWith(tag).length === 0);
		await own.close();
	}
});

/** The launcher among the processes that this one has started. */
function launcherPids(): number[] {
	return readdirSync("/proc")
		.map(Number)
		.filter((pid) => {
			try {
				const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
				return Number(parent) === process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("launcher-main");
			} catch {
				return false; // It has just ended, or is no process.
			}
		});
}

test("a runtime whose launcher is killed gets another one, and its requests are answered", async () => {
	const before = launcherPids();
	const atoll = new TestRuntime({ sandboxes: 1 });
	await atoll.deploy("hello", `export default { fetch: () => new Response("hello") }`);
	assert.equal(await atoll.text("hello"), "hello");
	const sandboxes = atoll.runtime.sandboxPids();
	const [own] = launcherPids().filter((pid) => !before.includes(pid));
	process.kill(own, "SIGKILL");
	await until(() => sandboxes.every(gone));
	const again = await atoll.fetch("hello");
	assert.equal(again.status, 200, await again.text());
	await atoll.deploy("other", `export default { fetch: () => new Response("other") }`);
	assert.equal(await atoll.text("other"), "other");
	assert.ok(!launcherPids().includes(own));
});

test("of a process that never ran nothing is kept", async () => {
	const own = new Launcher();
	let ended = 0;
	const launched: LaunchedProcess = own.launch(
		{ command: process.execPath, args: ["-e", ""], env: {}, niceness: 2, file: null },
		{ onLaunched: () => undefined, onEnded: () => ended++ },
	);
	await own.close();
	await launched.exited;
	assert.equal(ended, 1);
});

test("a launcher that stands still is set aside: what it has started goes on, can be ended, and others are started", async () => {
	const own = new Launcher();
	const before = launch(["-e", ECHO], { by: own });
	const other = launch(["-e", ECHO], { by: own });
	const [socket] = await Promise.all([before.link, other.link]);
	const { pid } = own.start();
	process.kill(pid as number, "SIGSTOP");
	const next = launch(["-e", ECHO], { by: own });
	other.launched.kill();
	assert.equal((await next.link).writable, true);
	await other.ended;
	await until(() => gone(other.launched.pid));
	const told = new Promise((resolve) => socket.once("data", resolve));
	socket.write("hello");
	assert.equal(String(await told), "hello");
	assert.notEqual(own.start().pid, pid);
	await own.close();
	await Promise.all([before.ended, next.ended]);
	await until(() => [pid as number, before.launched.pid, next.launched.pid].every(gone));
});
