import { closeSync, openSync, readSync } from "node:fs";
import type { AttemptId } from "../link/protocol.ts";
import type { RunningNote } from "../link/running-note.ts";
import { residentBytes } from "../processes/resident.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** A turn that has run for so long, by its sandbox's own clock, keeps others waiting. */
const LONG_TURN_MS: Milliseconds = 25;
/** So has the start of an isolate, which on a slow machine takes 15 ms of its own where none was parked: moved elsewhere, it begins anew. */
const LONG_START_MS: Milliseconds = 50;
const POLL_MS: Milliseconds = 5;
/** Memory is looked at every so many polls. */
const MEMORY_POLLS = 20;

/** What a sandbox's progress tells whoever watches it. */
export interface ProgressEvents {
	/** One turn has run for long; told once for each turn. */
	onLongTurn(attempt: AttemptId): void;
	/** The long turn is over. */
	onTurnOver(): void;
	/** A turn runs on; for `ms` so far by the sandbox's own clock. Told at every poll of a long turn. */
	onStillRunning(attempt: AttemptId, ms: Milliseconds, starting: boolean): void;
	/** What the process has in memory. */
	onMemory(bytes: Bytes): void;
}

/**
 * Watches a sandbox from outside, by the note of whose turn it runs and by the time that its thread had: a machine that is
 * busy with other things is not mistaken for a turn that is long. Where there is no /proc the clock on the wall stands in.
 */
export class Progress {
	readonly #pid: number;
	readonly #note: RunningNote;
	readonly #events: ProgressEvents;
	#schedstat: number | null = null;
	readonly #buffer = Buffer.alloc(64);
	#timer: NodeJS.Timeout | null = null;
	#turn = 0;
	#startedAt: Milliseconds = 0;
	#long = false;
	#polls = 0;

	constructor(pid: number, note: RunningNote, events: ProgressEvents) {
		this.#pid = pid;
		this.#note = note;
		this.#events = events;
		try {
			this.#schedstat = openSync(`/proc/${pid}/task/${pid}/schedstat`, "r");
		} catch {
			this.#schedstat = null; // Not Linux, or the process has just ended, which is noticed elsewhere.
		}
	}

	/** Starts polling, if it does not already. Whoever holds attempts on the sandbox keeps it going. */
	start(): void {
		this.#timer ??= setInterval(() => this.#poll(), POLL_MS);
	}

	stop(): void {
		if (this.#timer !== null) clearInterval(this.#timer);
		this.#timer = null;
	}

	/**
	 * A clock that stands still while the sandbox's thread waits for a core: what it ran or slept, since a turn can also block.
	 */
	#ownMs(): Milliseconds {
		if (this.#schedstat === null) return performance.now();
		try {
			const length = readSync(this.#schedstat, this.#buffer, 0, this.#buffer.length, 0);
			const waited = Number(this.#buffer.toString("latin1", 0, length).split(" ")[1]);
			return performance.now() - waited / 1e6;
		} catch {
			return this.#startedAt; // The process has just ended: its exit is noticed elsewhere.
		}
	}

	#poll(): void {
		if (++this.#polls % MEMORY_POLLS === 0) this.#events.onMemory(residentBytes(this.#pid));
		const { attempt, turn, starting } = this.#note.read();
		const running = attempt !== 0;
		if (!running || turn !== this.#turn) {
			if (this.#long) this.#events.onTurnOver();
			this.#long = false;
			this.#turn = turn;
			if (running) this.#startedAt = this.#ownMs();
			return;
		}
		const ms = this.#ownMs() - this.#startedAt;
		if (ms < (starting ? LONG_START_MS : LONG_TURN_MS)) return;
		if (!this.#long) {
			this.#long = true;
			this.#events.onLongTurn(attempt);
		}
		this.#events.onStillRunning(attempt, ms, starting);
	}

	close(): void {
		this.stop();
		if (this.#schedstat !== null) closeSync(this.#schedstat);
		this.#schedstat = null;
	}
}
