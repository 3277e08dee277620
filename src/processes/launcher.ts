import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { constants, getPriority, setPriority } from "node:os";
import type { Milliseconds } from "../units.ts";
import type { ControlGroups } from "./control-groups.ts";
import { killByPid } from "./kill.ts";
import type { Launch, LauncherReport, LauncherRequest } from "./launch.ts";
import { wokenByParentDeath } from "./parent-death.ts";
import { scriptOf } from "./script.ts";

/** The launcher stands a little below the edge when the machine is busy, and so does all that it starts. */
export const BELOW_EDGE = 2;

/** The niceness of what stands so many steps below this process, which may itself have been started as a nice one. */
export function niceness(steps: number): number {
	return Math.min(getPriority() + steps, constants.priority.PRIORITY_LOW);
}

/**
 * A launcher that was asked for something and says nothing for so long is set aside; for the next it is twice as
 * long.
 */
const SILENCE_MS: Milliseconds = 1000;

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
 * Starts processes by way of a small process of its own. Node starts one by fork(), which copies the page tables of
 * the process that does it and stops it until the new one runs: with an edge of 150 MB on a busy machine, 25 ms in
 * which nobody is answered (`bench/launch.ts`).
 */
export class Launcher {
	/** Where sandboxes have control groups, if the operator has given one for them. */
	groups: ControlGroups | null = null;
	#child: ChildProcess | null = null;
	#nextId = 1;
	readonly #processes = new Map<number, LaunchedProcess>();
	/** Who has started each of them. */
	readonly #startedBy = new Map<number, ChildProcess>();
	/** What the launcher has been asked and has not answered, by the process's number. */
	readonly #unanswered = new Map<number, LauncherRequest>();
	/** Launchers that did not answer. What they have started goes on. */
	readonly #aside = new Set<ChildProcess>();
	#silence: NodeJS.Timeout | null = null;

	/** Starts the launcher's process, so that the first to be launched need not wait for it. */
	start(): ChildProcess {
		if (this.#child !== null) return this.#child;
		// One that was stopped, and set aside, would not notice that this process has ended.
		const [command, ...args] = [...wokenByParentDeath(), process.execPath];
		const child = spawn(command, [...args, "--no-warnings", scriptOf("processes/launcher-main").path], {
			env: {},
			cwd: "/",
			stdio: ["pipe", "ignore", "inherit", "ipc"],
			detached: true, // What it starts is in its process group at first, and no terminal signals it.
			windowsHide: true,
		});
		if (child.pid !== undefined) setPriority(child.pid, niceness(BELOW_EDGE));
		child.on("message", (report: LauncherReport, link) => this.#onReport(report, child, link as Socket | undefined));
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
		const { id } = request;
		if ("launch" in request) this.#startedBy.set(id, this.start());
		this.#unanswered.set(id, request);
		this.#listen();
		// It fails where the launcher is gone, of which its exit tells.
		this.#startedBy.get(id)?.send(request, () => undefined);
	}

	#listen(): void {
		const ms = SILENCE_MS * 2 ** this.#aside.size;
		// Where it was this process that stood still, the answers are there and are read first.
		this.#silence ??= setTimeout(() => setImmediate(() => this.#onSilence()), ms).unref();
	}

	/** The launcher reacts. That a process has started is no answer to that it is to end. */
	#answered(report: LauncherReport): void {
		const asked = this.#unanswered.get(report.id);
		if (asked !== undefined && ("launch" in asked || "ended" in report)) this.#unanswered.delete(report.id);
		if (this.#silence === null) return;
		clearTimeout(this.#silence);
		this.#silence = null;
		if (this.#unanswered.size > 0) this.#listen();
	}

	/** The launcher does not react: another one takes its place, and what was asked of it is done without it. */
	#onSilence(): void {
		this.#silence = null;
		if (this.#unanswered.size === 0) return;
		if (this.#child !== null) this.#aside.add(this.#child);
		this.#child = null;
		const requests = [...this.#unanswered.values()];
		this.#unanswered.clear();
		for (const request of requests) {
			if ("launch" in request) this.#send(request);
			else {
				const { pid = 0 } = this.#processes.get(request.id) ?? {};
				if (pid > 0) killByPid(pid);
				this.#end(request.id, "ended by SIGKILL");
			}
		}
	}

	#end(id: number, how: string): void {
		const launched = this.#processes.get(id);
		this.#processes.delete(id);
		this.#startedBy.delete(id);
		launched?.end(how);
	}

	#onReport(report: LauncherReport, by: ChildProcess, link: Socket | undefined): void {
		this.#answered(report);
		const launched = this.#processes.get(report.id);
		// One that was set aside comes too late with what another one has been asked for since.
		if (launched === undefined || this.#startedBy.get(report.id) !== by) link?.destroy();
		else if ("ended" in report) this.#end(report.id, report.ended);
		else if (link !== undefined) launched.launched(report.pid, link);
	}

	/**
	 * A launcher is gone, and nobody tells any more how its processes end: they end now. The next launch starts
	 * another one.
	 */
	#onLost(child: ChildProcess): void {
		if (this.#child === child) this.#child = null;
		else if (!this.#aside.delete(child)) return;
		// bubblewrap, killed with it, may have left a process behind that waits for it, and of which nobody was told.
		if (child.pid !== undefined) killByPid(-child.pid);
		for (const [id, by] of [...this.#startedBy]) {
			if (by !== child) continue;
			this.#unanswered.delete(id);
			const { pid = 0 } = this.#processes.get(id) ?? {};
			if (pid > 0) killByPid(pid);
			this.#end(id, "the launcher was lost");
		}
	}

	/** Ends the launcher, and whatever it has started that still runs. */
	async close(): Promise<void> {
		if (this.#silence !== null) clearTimeout(this.#silence);
		await Promise.all(
			[...this.#aside].map((child) => {
				const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
				child.kill("SIGKILL");
				return gone;
			}),
		);
		const child = this.#child;
		if (child === null) return;
		const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
		child.stdin?.destroy();
		child.kill("SIGCONT"); // It may have been stopped, and nobody has noticed.
		await exited;
	}
}
