/**
 * A few places at which the work of many tenants is done. Tenants take turns, and none has more than half of the
 * places at a time: what hangs in all that one of them has leaves the others theirs.
 */
export class Places {
	readonly #places: number;
	readonly #mostOfTenant: number;
	/** Who waits, by tenant; the tenant that comes first is the next. */
	readonly #waiting = new Map<string, ((mayRun: boolean) => void)[]>();
	readonly #running = new Map<string, number>();
	#count = 0;

	constructor(places: number) {
		this.#places = places;
		this.#mostOfTenant = Math.max(1, places >> 1);
	}

	/**
	 * Resolves with `true` once there is a place, which is to be given back, or with `false` where all are sent away.
	 */
	take(tenant: string): Promise<boolean> {
		const { promise, resolve } = Promise.withResolvers<boolean>();
		const queue = this.#waiting.get(tenant);
		if (queue === undefined) this.#waiting.set(tenant, [resolve]);
		else queue.push(resolve);
		this.#next();
		return promise;
	}

	giveBack(tenant: string): void {
		const left = (this.#running.get(tenant) as number) - 1;
		if (left === 0) this.#running.delete(tenant);
		else this.#running.set(tenant, left);
		this.#count--;
		this.#next();
	}

	/** Sends away all who wait. */
	sendAway(): void {
		const queues = [...this.#waiting.values()];
		this.#waiting.clear();
		for (const resolve of queues.flat()) resolve(false);
	}

	#next(): void {
		for (const [tenant, queue] of this.#waiting) {
			if (this.#count >= this.#places) return;
			const running = this.#running.get(tenant) ?? 0;
			if (running >= this.#mostOfTenant) continue;
			const resolve = queue.shift() as (mayRun: boolean) => void;
			// Behind all others; a Map's iteration comes to it once more.
			this.#waiting.delete(tenant);
			if (queue.length > 0) this.#waiting.set(tenant, queue);
			this.#running.set(tenant, running + 1);
			this.#count++;
			resolve(true);
		}
	}
}
