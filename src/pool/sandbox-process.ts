import type { Socket } from "node:net";
import { setPriority } from "node:os";
import { CommandWriter } from "../link/commands.ts";
import { BODY_FIELDS, EventReader } from "../link/events.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import {
	type AttemptId,
	LENT_TURN_MS,
	type SandboxSettings,
	type TenantNumber,
	type VersionNumber,
} from "../link/protocol.ts";
import { RunningNote } from "../link/running-note.ts";
import { confined } from "../processes/confinement.ts";
import type { ControlGroup } from "../processes/control-groups.ts";
import { BELOW_EDGE, type LaunchedProcess, type Launcher, niceness } from "../processes/launcher.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { Progress } from "./progress.ts";
import { Sandbox } from "./sandbox.ts";

/** No honest sandbox sends a larger frame: bodies come in pieces, and what comes whole is no larger than the window. */
const MAX_FRAME = 4 * 1024 * 1024;

/** What a sandbox's process tells the pool. */
export interface SandboxProcessEvents {
	/** Whether a loss is laid to the attempt whose turn ran, as it is if this is left out. */
	readonly blames?: boolean;
	/** The process has ended unasked. Called before its attempts are told, so that they find its successor. */
	onLost(process: SandboxProcess, why: string): void;
	/** One turn, of this tenant, keeps the others waiting; told once more where it becomes `overdue`. */
	onLongTurn(process: SandboxProcess, tenant: TenantNumber): void;
}

/** How far a sandbox of the heavy lane, or on probation, stands below the edge: below those of the normal lane. */
const HEAVY_BELOW_EDGE = 10;

/** A turn that has run for so long by its own clock goes on beyond what one in a lent sandbox may take by any. */
const OVERDUE_MS: Milliseconds = LENT_TURN_MS;

const NOBODY = { version: 0, attempt: 0 };

/** How long a turn may go on, beyond what its limits allow it, before the process is killed under it. */
const GRACE_MS = 250;

/** A sandbox in a process of its own, reached over the link. */
export class SandboxProcess {
	readonly sandbox = new Sandbox();
	readonly #launcher: Launcher;
	readonly #process: LaunchedProcess;
	readonly #maxBytes: Bytes;
	readonly #maxUnread: Bytes;
	readonly #events: SandboxProcessEvents;
	readonly #writer = new FrameWriter();
	readonly #note = RunningNote.create();
	/** There is one as soon as the process runs. */
	#progress: Progress | null = null;
	/** Whose turn keeps all others waiting at this moment. */
	stuckBy: TenantNumber | null = null;
	/** Whether it was lent to whoever does that, and whether what is cut there would have been cut by now. */
	lentToCulprit = false;
	overdue = false;
	/** Whether it has got as far as having its settings, and whether the process is gone. */
	started = false;
	ended = false;
	/** Resolves when the sandbox has its settings and can run turns; rejects if it never gets there. */
	readonly ready: Promise<void>;
	readonly #ready = Promise.withResolvers<void>();
	#closing = false;
	#yields = false;
	#idleSince: Milliseconds | null = performance.now();
	#why: string | null = null;
	/** Whom the frame names by which the process broke the link's protocol, if it has; 0 where that names none. */
	#named: { version: VersionNumber; attempt: AttemptId } | null = null;

	#group: ControlGroup | null = null;

	constructor(launcher: Launcher, settings: SandboxSettings, events: SandboxProcessEvents) {
		this.#launcher = launcher;
		this.#maxBytes = settings.maxProcessBytes;
		this.#maxUnread = settings.maxUnreadBytes;
		this.#events = events;
		this.ready = this.#ready.promise;
		this.ready.catch(() => undefined);
		const commands = new CommandWriter(this.#writer);
		this.sandbox.commands = commands;
		this.sandbox.onWant = () => this.#endIfItDoesNotRead();
		this.sandbox.onLoad = (loaded) => {
			this.#idleSince = loaded ? null : performance.now();
			if (loaded) this.#progress?.start();
			else this.#progress?.stop();
		};
		commands.settings(settings);
		this.#process = launcher.launch(
			{ ...confined({ entry: "isolates/main" }), niceness: niceness(BELOW_EDGE), file: this.#note.path },
			{
				onLaunched: (pid, link) => this.#onLaunched(pid, link),
				onEnded: (how) => this.#onEnded(how),
			},
		);
	}

	#onLaunched(pid: number, link: Socket): void {
		this.#note.unlink();
		this.#enterGroup(pid);
		if (this.#yields) this.yieldToOthers();
		this.#progress = new Progress(
			{ pid, note: this.#note },
			{
				onLongTurn: (attempt) => {
					this.stuckBy = this.sandbox.tenantOf(attempt);
					this.#events.onLongTurn(this, this.stuckBy);
				},
				onTurnOver: () => {
					this.stuckBy = null;
					this.lentToCulprit = false;
					this.overdue = false;
				},
				onStillRunning: (attempt, ms, starting) => {
					if (ms > OVERDUE_MS && !this.overdue && this.stuckBy !== null) {
						this.overdue = true;
						this.#events.onLongTurn(this, this.stuckBy);
					}
					const most = this.sandbox.longestTurnMs(attempt, starting);
					if (ms > most + GRACE_MS) this.kill(`a turn ran for ${Math.round(ms)} ms and could not be ended`);
				},
				onMemory: (resident) => {
					// Without /proc there is only the sandbox's own word, which is better than none.
					const bytes = resident || this.sandbox.latest.bytes;
					if (bytes > this.#maxBytes) this.kill(`it grew to ${Math.round(bytes / 2 ** 20)} MB`);
					this.#endIfItDoesNotRead();
				},
			},
		);
		if (this.sandbox.load > 0) this.#progress.start();
		const events = new EventReader(this.sandbox, () => {
			this.started = true;
			this.#ready.resolve();
		});
		const reader = new FrameReader({ maxBytes: MAX_FRAME, bodyFields: BODY_FIELDS }, (frame) => events.read(frame));
		link.on("data", (chunk: Buffer) => {
			// It is on its way to its end: who is to blame is known.
			if (this.#named !== null) return;
			try {
				reader.read(chunk);
			} catch (error) {
				const { version, attempt } = events;
				this.#named = this.#why === null ? { version, attempt } : NOBODY;
				this.kill(`it broke the link's protocol: ${(error as Error).message}`);
			}
		});
		// Most often the process has ended, and says itself why. One that goes on without its link does not go on.
		link.on("error", () => this.#process.kill());
		link.on("close", () => this.#process.kill());
		this.#writer.open(link);
	}

	#endIfItDoesNotRead(): void {
		const { unread } = this.#writer;
		if (unread > this.#maxUnread) this.kill(`it left ${Math.round(unread / 2 ** 20)} MB unread`);
	}

	#enterGroup(pid: number): void {
		try {
			this.#group = this.#launcher.groups?.hold(pid, this.#maxBytes) ?? null;
		} catch (error) {
			this.kill(`it could not be put into a control group: ${(error as Error).message}`);
		}
	}

	#onEnded(how: string): void {
		const why = this.#why ?? how;
		this.ended = true;
		this.#writer.close();
		this.#progress?.close();
		void this.#group?.remove();
		const running = this.#note.read().attempt;
		this.#note.close();
		this.#ready.reject(new Error(`a sandbox did not start: ${why}`));
		if (!this.#closing) this.#events.onLost(this, why);
		const named = this.#named;
		if (this.#events.blames === false) this.sandbox.lost(0);
		else this.sandbox.lost(named === null ? running : this.sandbox.culprit(named.version, named.attempt, running));
	}

	/** How long it has had nothing to do. */
	get idleMs(): Milliseconds {
		return this.#idleSince === null ? 0 : performance.now() - this.#idleSince;
	}

	/** 0 as long as the process does not run yet. */
	get pid(): number {
		return this.#process.pid;
	}

	/** Whether it has the processor only when nobody else wants it. */
	get yields(): boolean {
		return this.#yields;
	}

	/**
	 * From now on it has the processor when nobody else wants it: it serves what is not known to be light. There is
	 * no way back.
	 */
	yieldToOthers(): this {
		this.#yields = true;
		try {
			if (this.pid > 0) setPriority(this.pid, niceness(HEAVY_BELOW_EDGE));
			this.#group?.yieldToOthers();
		} catch {
			// It has just ended, of which its exit tells.
		}
		return this;
	}

	/** Ends the process at once; its attempts are lost. */
	kill(why: string): void {
		if (this.#why !== null) return;
		this.#why = why;
		this.#process.kill();
	}

	/** Ends the process. */
	async close(): Promise<void> {
		this.#closing = true;
		this.#process.kill();
		await this.#process.exited;
	}
}
