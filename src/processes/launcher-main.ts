/**
 * The launcher process: starts processes for the edge, hands it their links, and tells how they end. It ends when the
 * edge does, and whatever it has started with it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { setPriority } from "node:os";
import { killByPid } from "./kill.ts";
import { LastWords } from "./last-words.ts";
import { Descriptor, type Launch, type LauncherReport, type LauncherRequest } from "./launch.ts";
import { coalesceTimers } from "./timer-slack.ts";
import { unusedUser } from "./users.ts";

coalesceTimers();

const running = new Map<number, Running>();

/** A process that has been started. */
interface Running {
	child: ChildProcess;
	/** 0 until bubblewrap, where it stands before the command, has told of the process that it starts. */
	pid: number;
	/** It is to end as soon as its id is known: bubblewrap alone, killed as early as that, would leave it behind. */
	doomed: boolean;
}

function report(message: LauncherReport, link?: Socket): void {
	// Where the edge is gone there is nobody to tell, and the end of stdin says what to do.
	process.send?.(message, link, undefined, () => undefined);
}

function launch(id: number, { command, args, env, niceness, file, wall }: Launch): void {
	const filter = wall?.filter ?? null;
	const descriptors: number[] = [];
	const open = (path: string | null, flags: string): number | "ignore" => {
		if (path === null) return "ignore";
		const descriptor = openSync(path, flags);
		descriptors.push(descriptor);
		return descriptor;
	};
	try {
		const child: ChildProcess = spawn(command, args, {
			env,
			cwd: "/",
			stdio: [
				...(["ignore", "ignore", "pipe", "pipe"] as const),
				open(file, "r+"),
				...(filter === null ? [] : [open(filter, "r"), "pipe" as const]),
			],
			windowsHide: true,
			...(wall?.ownUser ? unusedUser() : {}),
		});
		const lastWords = new LastWords(child);
		const one: Running = { child, pid: 0, doomed: false };
		const end = (how: string) => {
			if (running.delete(id)) report({ id, ended: how });
			if (leaving && running.size === 0) process.exit(0);
		};
		running.set(id, one);
		child.on("error", (error) => end(error.message));
		child.on("exit", (code, signal) => end(lastWords.describe(code, signal)));
		const { pid } = child;
		if (pid === undefined) return; // Its error tells why.
		const runs = (own: number) => {
			one.pid = own;
			if (one.doomed) kill(one);
			else {
				setPriority(own, niceness);
				report({ id, pid: own }, child.stdio[Descriptor.link] as Socket);
			}
		};
		if (filter === null) runs(pid);
		else {
			setPriority(pid, niceness);
			whenWalled(child.stdio as unknown as Socket[], runs);
		}
	} finally {
		for (const descriptor of descriptors) closeSync(descriptor);
	}
}

/** Waits for bubblewrap to tell the id of the process that it has started, which is the one to be watched. */
function whenWalled({ [Descriptor.info]: info }: Socket[], then: (pid: number) => void): void {
	let text = "";
	let told = false;
	// It is read to its end: bubblewrap writes on, and would be killed by what nobody reads, and leave the process
	// behind.
	info.setEncoding("utf8").on("data", (part: string) => {
		text += part;
		const pid = /"child-pid": (\d+),/.exec(text)?.[1];
		if (pid === undefined || told) return;
		told = true;
		try {
			then(Number(pid));
		} catch {
			// The process has ended, of which bubblewrap's exit tells.
		}
	});
	info.on("error", () => undefined); // Where it has nothing to tell it has failed, and its exit says why.
}

/** Ends a process, and with it bubblewrap, which waits for its end. */
function kill(one: Running): void {
	one.doomed = true;
	if (one.pid === one.child.pid) one.child.kill("SIGKILL");
	else if (one.pid > 0) killByPid(one.pid);
}

let leaving = false;

process.on("message", (request: LauncherRequest) => {
	if (leaving) return;
	const known = running.get(request.id);
	if ("kill" in request) {
		if (known !== undefined) kill(known);
		return;
	}
	try {
		launch(request.id, request.launch);
	} catch (error) {
		const failed = running.get(request.id);
		if (failed === undefined) report({ id: request.id, ended: (error as Error).message });
		else kill(failed);
	}
});

function leave(): void {
	leaving = true;
	if (running.size === 0) process.exit(0);
	for (const one of running.values()) kill(one);
}

// The edge holds the other end of stdin until it ends. Node's own channel does not tell of that while a link that is
// handed over has not been acknowledged.
process.stdin.on("end", leave).on("error", leave).resume();
// Whoever stops a service may signal every process of it; the edge decides when its processes end.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
