import type { OwnerNumber } from "../link/protocol.ts";
import type { Microseconds, Milliseconds } from "../units.ts";

/** How much of a helper's time an owner may have in the long run. */
const SHARE = 0.5;
/** An owner that has long asked for nothing may have so much at once. */
const BURST_MS: Milliseconds = 50;

interface Queue<T> {
	/** When all that the owner has used would have been its share. */
	due: Milliseconds;
	waiting: T[];
}

/** Whose turn it is where owners share a helper: the one's that has used the least lately, and nobody's that is beyond its share. */
export class Turns<T> {
	readonly #mostWaiting: number;
	readonly #owners = new Map<OwnerNumber, Queue<T>>();

	/** Of each owner so many may wait. */
	constructor(mostWaiting: number) {
		this.#mostWaiting = mostWaiting;
	}

	/** Takes on something that an owner wants done. Returns whether there was room for it. */
	add(owner: OwnerNumber, what: T): boolean {
		const queue = this.#queue(owner);
		if (queue.waiting.length >= this.#mostWaiting) return false;
		queue.waiting.push(what);
		return true;
	}

	#queue(owner: OwnerNumber): Queue<T> {
		let queue = this.#owners.get(owner);
		if (queue === undefined) {
			queue = { due: 0, waiting: [] };
			this.#owners.set(owner, queue);
		}
		return queue;
	}

	/** An owner has used so much of the helper's time. */
	charge(owner: OwnerNumber, us: Microseconds, now: Milliseconds): void {
		const queue = this.#queue(owner);
		queue.due = Math.max(queue.due, now - BURST_MS) + us / 1000 / SHARE;
	}

	/** What is next; or how long to wait for it, which is without end where nothing waits. */
	next(now: Milliseconds): { next: T } | { wait: Milliseconds } {
		let first: Queue<T> | null = null;
		for (const [owner, queue] of this.#owners) {
			if (queue.waiting.length > 0) {
				if (first === null || queue.due < first.due) first = queue;
			} else if (queue.due <= now - BURST_MS) this.#owners.delete(owner);
		}
		if (first === null) return { wait: Number.POSITIVE_INFINITY };
		if (first.due >= now + 1) return { wait: first.due - now };
		return { next: first.waiting.shift() as T };
	}

	/** Takes out all that waits. */
	clear(): T[] {
		const waiting = [...this.#owners.values()].flatMap((queue) => queue.waiting);
		this.#owners.clear();
		return waiting;
	}
}
