/**
 * Tells of things in the order in which they came about, though something has to come first before some of them can
 * be told.
 */
export class InOrder {
	#told: Promise<void> | null = null;

	/** Whether there may be something that is not told yet. If not, what comes about is simply told. */
	get waiting(): boolean {
		return this.#told !== null;
	}

	/** Tells of the next thing: once all before it are told, and what it needs has come. */
	tell<T>(needed: Promise<T> | T, tell: (what: T) => void): void {
		const told: Promise<void> = Promise.all([needed, this.#told]).then(([what]) => {
			tell(what as T);
			if (this.#told === told) this.#told = null;
		});
		this.#told = told;
	}
}
