import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { constants, getPriority, setPriority } from "node:os";
import { killByPid } from "./kill.ts";
import type { Launch, LauncherReport, LauncherRequest } from "./launch.ts";
import { scriptOf } from "./script.ts";

/** The launcher stands a little below the edge when the machine is busy, and so does all that it starts. */
export const BELOW_EDGE = 2;

/** The niceness of what stands so many steps below this process, which may itself have been started as a nice one. */
export function niceness(steps: number): number {
	return Math.min(getPriority() + steps, constants.priority.PRIORITY_LOW);
}

/** What becomes of a process, told to whoever has it launched. */
export interface LaunchEvents {
	/** It runs: `link` is this process's end of a socketpair, whose other end it has on descriptor 3. */
	onLaunched(pid: number, link: Socket): void;
	/** It has ended, or could not be started, and `how`. Told once, last of all. */
	onEnded(how: string): void;
}

/** A process that the launcher starts, or has started. */
export class LaunchedProcess {
	/** 0 until it runs. */
	pid = 0;
	ended = false;
	/** Resolves when it has ended. */
	readonly exited: Promise<void>;
	readonly #events: LaunchEvents;
	readonly #kill: () => void;
	#resolve!: () => void;

	/** @internal */
	constructor(events: LaunchEvents, kill: () => void) {
		this.#events = events;
		this.#kill = kill;
		this.exited = new Promise((resolve) => {
			this.#resolve = resolve;
		});
	}

	/** Ends it at once. */
	kill(): void {
		if (!this.ended) this.#kill();
	}

	/** @internal */
	launched(pid: number, link: Socket): void {
		this.pid = pid;
		this.#events.onLaunched(pid, link);
	}

	/** @internal */
	end(how: string): void {
		this.ended = true;
		this.#events.onEnded(how);
		this.#resolve();
	}
}

/**
 * Starts processes by way of a small process of its own. Node starts one by fork(), which copies the page tables of the process
 * that does it and stops it until the new one runs: with an edge of 150 MB on a busy machine, 25 ms in which nobody is answered
 * (`bench/launch.ts`).
 */
export class Launcher {
	#child: ChildProcess | null = null;
	#nextId = 1;
	readonly #processes = new Map<number, LaunchedProcess>();

	/** Starts the launcher's process, so that the first to be launched need not wait for it. */
	start(): ChildProcess {
		if (this.#child !== null) return this.#child;
		const child = spawn(process.execPath, ["--no-warnings", scriptOf("processes/launcher-main").path], {
			env: {},
			cwd: "/",
			stdio: ["ignore", "ignore", "inherit", "ipc"],
			windowsHide: true,
		});
		if (child.pid !== undefined) setPriority(child.pid, niceness(BELOW_EDGE));
		child.on("message", (report: LauncherReport, link) => this.#onReport(report, link as Socket | undefined));
		child.on("error", () => this.#onLost(child));
		child.on("exit", () => this.#onLost(child));
		this.#child = child;
		return child;
	}

	/** Has a process started. What becomes of it is told later, never from within this call. */
	launch(what: Launch, events: LaunchEvents): LaunchedProcess {
		const id = this.#nextId++;
		const launched = new LaunchedProcess(events, () => this.#send({ id, kill: true }));
		this.#processes.set(id, launched);
		this.#send({ id, launch: what });
		return launched;
	}

	#send(request: LauncherRequest): void {
		// It fails where the launcher is gone, of which its exit tells.
		this.start().send(request, () => undefined);
	}

	#onReport(report: LauncherReport, link: Socket | undefined): void {
		const launched = this.#processes.get(report.id);
		if ("pid" in report) {
			if (launched !== undefined && link !== undefined) launched.launched(report.pid, link);
			return;
		}
		this.#processes.delete(report.id);
		launched?.end(report.ended);
	}

	/** The launcher is gone, and nobody tells any more how its processes end: they end now. The next launch starts another one. */
	#onLost(child: ChildProcess): void {
		if (this.#child !== child) return;
		this.#child = null;
		const lost = [...this.#processes.values()];
		this.#processes.clear();
		for (const launched of lost) {
			if (launched.pid > 0) killByPid(launched.pid);
			launched.end("the launcher was lost");
		}
	}

	/** Ends the launcher, and whatever it has started that still runs. */
	async close(): Promise<void> {
		const child = this.#child;
		if (child === null) return;
		const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
		if (child.connected) child.disconnect();
		await exited;
	}
}
