import { closeSync, openSync, readSync } from "node:fs";
import type { Milliseconds } from "../units.ts";

/** What the kernel has counted of a thread. */
interface Counts {
	at: Milliseconds;
	/** How long it ran on a core. */
	ran: Milliseconds;
	/** How long it waited for one. What it waits at this moment is added once it has one. */
	waited: Milliseconds;
}

/** After so long that it neither ran nor waited it is looked up what the thread does: the kernel counts in ticks. */
const UNEXPLAINED_MS: Milliseconds = 5;

/**
 * A stopwatch that stands still while a thread waits for a core: it has what the first thread of a process ran and,
 * since a turn can also block, or be stopped, what it slept. Where there is no /proc the clock on the wall stands in.
 */
export class OwnClock {
	#schedstat: number | null = null;
	#stat: number | null = null;
	readonly #buffer = Buffer.alloc(512);
	#start: Counts = { at: 0, ran: 0, waited: 0 };
	#lastRan: Milliseconds = 0;
	#own: Milliseconds = 0;

	constructor(pid: number) {
		try {
			this.#schedstat = openSync(`/proc/${pid}/task/${pid}/schedstat`, "r");
			this.#stat = openSync(`/proc/${pid}/task/${pid}/stat`, "r");
		} catch {
			this[Symbol.dispose](); // Not Linux, or the process has just ended, which is noticed elsewhere.
		}
		this.restart();
	}

	/** Begins anew. */
	restart(): void {
		this.#start = this.#counts();
		this.#lastRan = this.#start.ran;
		this.#own = 0;
	}

	/** What the thread had since it began. */
	read(): Milliseconds {
		const counts = this.#counts();
		this.#own += counts.ran - this.#lastRan;
		this.#lastRan = counts.ran;
		if (this.#unwaited(counts) - this.#own > UNEXPLAINED_MS) this.#addSleep();
		return this.#own;
	}

	/** While the thread sleeps it waits for no core, and all that it ever waited has been counted. */
	#addSleep(): void {
		const at = performance.now();
		if (!this.#sleeps()) return;
		const counts = this.#counts();
		this.#own = Math.max(this.#own, this.#unwaited({ ...counts, at }));
		this.#lastRan = counts.ran;
	}

	#unwaited({ at, waited }: Counts): Milliseconds {
		return at - this.#start.at - (waited - this.#start.waited);
	}

	#counts(): Counts {
		const at = performance.now();
		if (this.#schedstat === null) return { at, ran: at, waited: 0 };
		const [ran, waited] = this.#text(this.#schedstat).split(" ");
		// There is nothing to read of a process that has just ended: its exit is noticed elsewhere.
		return waited === undefined
			? { at, ran: this.#lastRan, waited: at }
			: { at, ran: +ran / 1e6, waited: +waited / 1e6 };
	}

	#sleeps(): boolean {
		// The name, in parentheses, may hold any character.
		return this.#stat !== null && /\) [^R] [^)]*$/.test(this.#text(this.#stat));
	}

	#text(descriptor: number): string {
		try {
			return this.#buffer.toString("latin1", 0, readSync(descriptor, this.#buffer, 0, this.#buffer.length, 0));
		} catch {
			return "";
		}
	}

	[Symbol.dispose](): void {
		if (this.#schedstat !== null) closeSync(this.#schedstat);
		if (this.#stat !== null) closeSync(this.#stat);
		this.#schedstat = null;
		this.#stat = null;
	}
}
