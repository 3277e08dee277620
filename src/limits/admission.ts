/** How many a gate lets through at a time, and how many more it lets wait. */
export interface GateLimits {
	concurrentRequests: number;
	queuedRequests: number;
}

/** A gate that lets so many through at a time, and lets so many more wait. */
export class Gate {
	#most = 0;
	#mostWaiting = 0;
	#inside = 0;
	/** In the order in which they came. It is empty unless there is overload. */
	readonly #waiting = new Set<Admission>();

	constructor(limits: GateLimits) {
		this.resize(limits);
	}

	/** Other limits hold from now on. Those that are through stay so, and those that wait go on waiting, for room. */
	resize({ concurrentRequests, queuedRequests }: GateLimits): void {
		this.#most = concurrentRequests;
		this.#mostWaiting = queuedRequests;
		this.#fill();
	}

	/** Whether there is room for one, be it to wait. */
	get open(): boolean {
		return this.#inside < this.#most || this.#waiting.size < this.#mostWaiting;
	}

	/** Whether nobody is through who is not done. */
	get empty(): boolean {
		return this.#inside === 0;
	}

	/** Takes one in. Returns whether it is through at once; else it is told when it is. */
	enter(one: Admission): boolean {
		if (this.#inside >= this.#most) {
			this.#waiting.add(one);
			return false;
		}
		this.#inside++;
		return true;
	}

	/**
	 * Takes in one that somebody waits for who is inside: if it waited, neither would ever end. It takes the place of
	 * one that could wait. Returns whether there was such a place.
	 */
	enterFromInside(): boolean {
		if (this.#inside >= this.#most + this.#mostWaiting) return false;
		this.#inside++;
		return true;
	}

	/** One that was let through is done: its place goes to the one that has waited longest. */
	leave(): void {
		this.#inside--;
		this.#fill();
	}

	#fill(): void {
		while (this.#inside < this.#most) {
			const [next] = this.#waiting;
			if (next === undefined) return;
			this.#waiting.delete(next);
			this.#inside++;
			next.letIn();
		}
	}

	/** One that waits no longer wants to. */
	withdraw(one: Admission): void {
		this.#waiting.delete(one);
	}
}

/** One request's way through the gates that it has to pass: its function's, then its tenant's. */
export class Admission {
	readonly #gates: readonly Gate[];
	readonly #begin: () => void;
	readonly #refuse: () => void;
	readonly #fromInside: boolean;
	#passed = 0;

	/**
	 * `begin` is called once it is through, `refuse` when a later gate has no room. `fromInside` is one that another
	 * waits for which is through, and that does not wait itself.
	 */
	constructor(gates: readonly Gate[], begin: () => void, refuse: () => void, fromInside = false) {
		this.#gates = gates;
		this.#begin = begin;
		this.#refuse = refuse;
		this.#fromInside = fromInside;
	}

	/** Asks for entry. */
	ask(): void {
		while (this.#passed < this.#gates.length) {
			const gate = this.#gates[this.#passed];
			if (this.#fromInside ? !gate.enterFromInside() : !gate.open) {
				this.#refuse();
				return;
			}
			if (!this.#fromInside && !gate.enter(this)) return;
			this.#passed++;
		}
		this.#begin();
	}

	/** The gate that it waited at has a place for it. */
	letIn(): void {
		this.#passed++;
		this.ask();
	}

	/** The request is over, whether it came through or not. */
	end(): void {
		if (this.#passed < this.#gates.length) this.#gates[this.#passed].withdraw(this);
		while (this.#passed > 0) this.#gates[--this.#passed].leave();
	}
}
