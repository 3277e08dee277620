import type { Milliseconds } from "../units.ts";
import type { SandboxProcess } from "./sandbox-process.ts";

/**
 * A takeover is a rush of cold starts. The next spare, whose start takes a core for a while, waits until that is
 * over.
 */
const RUSH_MS: Milliseconds = 300;
const MOST_WAIT_MS: Milliseconds = 10_000;
/** So many sandboxes in a row may fail as they start before it is taken for the machine's fault. */
const FAILED_STARTS = 3;

/** The place of the sandbox that takes over for one that is lost or held up. */
export class Spare {
	/** `null` while there is none. */
	process: SandboxProcess | null = null;
	readonly #spawn: () => SandboxProcess;
	#next: NodeJS.Timeout | null = null;
	#failedStarts = 0;
	#closed = false;

	constructor(spawn: () => SandboxProcess) {
		this.#spawn = spawn;
	}

	/** Whether there is one that could take over at once. */
	get ready(): boolean {
		return this.process?.started ?? false;
	}

	/** Whether there is none, nor is one likely to start. */
	get missing(): boolean {
		return this.process === null && this.#failedStarts > FAILED_STARTS;
	}

	/** Starts it. */
	start(): void {
		if (!this.#closed) this.process ??= this.#spawn();
	}

	/** Starts the next one, after the rush; where sandboxes fail as they start, after a wait that is longer each time. */
	startLater(): void {
		if (this.#closed) return;
		const tooMany = Math.max(0, this.#failedStarts - FAILED_STARTS);
		const wait = Math.min(RUSH_MS * 2 ** tooMany, MOST_WAIT_MS);
		this.#next ??= setTimeout(() => {
			this.#next = null;
			this.start();
		}, wait);
	}

	/** Gives it away. Without one to give, a fresh sandbox takes the place as it starts. */
	take(): SandboxProcess {
		const process = this.process ?? this.#spawn();
		this.lose();
		return process;
	}

	/** It is gone, whoever has it. */
	lose(): void {
		this.process = null;
		this.startLater();
	}

	/** A sandbox, be it this or another, has started, or has ended before that. */
	noteStart(succeeded: boolean): void {
		this.#failedStarts = succeeded ? 0 : this.#failedStarts + 1;
	}

	close(): void {
		this.#closed = true;
		if (this.#next !== null) clearTimeout(this.#next);
	}
}
