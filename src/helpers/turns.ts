import type { TenantNumber } from "../link/protocol.ts";
import type { Microseconds, Milliseconds } from "../units.ts";

/** How much of a helper's time a tenant may have in the long run. */
const SHARE = 0.5;
/** A tenant that has long asked for nothing may have so much at once. */
const BURST_MS: Milliseconds = 50;

interface Queue<T> {
	/** When all that the tenant has used would have been its share. */
	due: Milliseconds;
	waiting: T[];
}

/**
 * Whose turn it is where tenants share a helper: the one's that has used the least lately, and nobody's that is
 * beyond its share.
 */
export class Turns<T> {
	readonly #mostWaiting: number;
	readonly #tenants = new Map<TenantNumber, Queue<T>>();

	/** Of each tenant so many may wait. */
	constructor(mostWaiting: number) {
		this.#mostWaiting = mostWaiting;
	}

	/** Takes on something that a tenant wants done. Returns whether there was room for it. */
	add(tenant: TenantNumber, what: T): boolean {
		const queue = this.#queue(tenant);
		if (queue.waiting.length >= this.#mostWaiting) return false;
		queue.waiting.push(what);
		return true;
	}

	#queue(tenant: TenantNumber): Queue<T> {
		let queue = this.#tenants.get(tenant);
		if (queue === undefined) {
			queue = { due: 0, waiting: [] };
			this.#tenants.set(tenant, queue);
		}
		return queue;
	}

	/** A tenant has used so much of the helper's time. */
	charge(tenant: TenantNumber, us: Microseconds, now: Milliseconds): void {
		const queue = this.#queue(tenant);
		queue.due = Math.max(queue.due, now - BURST_MS) + us / 1000 / SHARE;
	}

	/** What is next; or how long to wait for it, which is without end where nothing waits. */
	next(now: Milliseconds): { next: T } | { wait: Milliseconds } {
		let first: Queue<T> | null = null;
		for (const [tenant, queue] of this.#tenants) {
			if (queue.waiting.length > 0) {
				if (first === null || queue.due < first.due) first = queue;
			} else if (queue.due <= now - BURST_MS) this.#tenants.delete(tenant);
		}
		if (first === null) return { wait: Number.POSITIVE_INFINITY };
		if (first.due >= now + 1) return { wait: first.due - now };
		return { next: first.waiting.shift() as T };
	}

	/** Takes out all that waits. */
	clear(): T[] {
		const waiting = [...this.#tenants.values()].flatMap((queue) => queue.waiting);
		this.#tenants.clear();
		return waiting;
	}
}
