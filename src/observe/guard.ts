/** What a callback of the edge works for, and what can end without anything else: a connection, a request. */
export interface Guarded {
	/** The fields by which a log knows it. */
	describe(): object;
	/** Ends it. */
	cut(): void;
}

/**
 * The last guard around the edge's callbacks: what goes wrong in one is logged and ends what the callback worked for,
 * and neither the process nor anybody else hears of it.
 */
export class Guard {
	readonly #tell: (fields: object, message: string) => void;
	/** How often something went wrong. Each time is a bug of atoll, or of the program that it runs in. */
	faults = 0;

	/** `tell` writes to the log, and never throws. */
	constructor(tell: (fields: object, message: string) => void) {
		this.#tell = tell;
	}

	/** Runs a callback. */
	run(guarded: Guarded, callback: () => void): void {
		try {
			callback();
		} catch (error) {
			this.fault(guarded, error);
		}
	}

	/** Something has gone wrong in a callback. */
	fault(guarded: Guarded, error: unknown): void {
		this.#count(guarded, error);
		try {
			guarded.cut();
		} catch (next) {
			this.#count(guarded, next);
		}
	}

	#count(guarded: Guarded, error: unknown): void {
		this.faults++;
		const { stack = String(error) } = Object(error) as Error;
		this.#tell({ ...guarded.describe(), fault: stack }, "a fault of the edge; what it was at work for is ended");
	}
}
