import type { AttemptId } from "../link/protocol.ts";
import type { RunningNote } from "../link/running-note.ts";
import { OwnClock } from "../processes/own-clock.ts";
import { residentBytes } from "../processes/resident.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** A turn that has run for so long, by its sandbox's own clock, keeps others waiting. */
const LONG_TURN_MS: Milliseconds = 25;
/**
 * So has the start of an isolate, which on a slow machine takes 15 ms of its own where none was parked: moved
 * elsewhere, it begins anew.
 */
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

/** What a sandbox is watched by. */
export interface ProgressSources {
	pid: number;
	note: RunningNote;
	/** A stopwatch of what its thread had; by default by the kernel's counts. */
	clock?: Pick<OwnClock, "restart" | "read" | typeof Symbol.dispose>;
}

/**
 * Watches a sandbox from outside, by the note of whose turn it runs and by the time that its thread had: a machine
 * that is busy with other things is not mistaken for a turn that is long.
 */
export class Progress {
	readonly #pid: number;
	readonly #note: RunningNote;
	readonly #events: ProgressEvents;
	readonly #clock: NonNullable<ProgressSources["clock"]>;
	#timer: NodeJS.Timeout | null = null;
	#turn = 0;
	#long = false;
	#polls = 0;

	constructor({ pid, note, clock = new OwnClock(pid) }: ProgressSources, events: ProgressEvents) {
		this.#pid = pid;
		this.#note = note;
		this.#events = events;
		this.#clock = clock;
	}

	/** Starts polling, if it does not already. Whoever holds attempts on the sandbox keeps it going. */
	start(): void {
		this.#timer ??= setInterval(() => this.poll(), POLL_MS);
	}

	/** Stops polling: nothing that would be waited for runs any more, be it seen or not. */
	stop(): void {
		if (this.#timer !== null) clearInterval(this.#timer);
		this.#timer = null;
		this.#over();
	}

	#over(): void {
		if (this.#long) this.#events.onTurnOver();
		this.#long = false;
	}

	/** Looks once how far the sandbox is. */
	poll(): void {
		if (++this.#polls % MEMORY_POLLS === 0) this.#events.onMemory(residentBytes(this.#pid));
		const { attempt, turn, starting } = this.#note.read();
		const running = attempt !== 0;
		if (!running || turn !== this.#turn) {
			this.#over();
			this.#turn = turn;
			if (running) this.#clock.restart();
			return;
		}
		const ms = this.#clock.read();
		if (ms < (starting ? LONG_START_MS : LONG_TURN_MS)) return;
		if (!this.#long) {
			this.#long = true;
			this.#events.onLongTurn(attempt);
		}
		this.#events.onStillRunning(attempt, ms, starting);
	}

	close(): void {
		this.stop();
		this.#clock[Symbol.dispose]();
	}
}
