import type { Microseconds, OwnerNumber, VersionNumber } from "./protocol.ts";

/** What one owner's functions may use in a round; what they use beyond it they owe. */
const QUANTUM_US: Microseconds = 1000;

/**
 * Whose turns run next. Functions have their turns in rounds, and an owner that used more than its quantum in one goes without
 * until its debt is paid, unless nobody else has anything to run (deficit round robin, Shreedhar and Varghese 1995).
 */
export class Schedule {
	readonly #ready = new Set<VersionNumber>();
	readonly #ownerOf: (version: VersionNumber) => OwnerNumber;
	readonly #isCold: (version: VersionNumber) => boolean;
	#round: VersionNumber[] = [];
	#at = 0;
	/** Of those alone that owe something. */
	readonly #debts = new Map<OwnerNumber, Microseconds>();

	constructor(ownerOf: (version: VersionNumber) => OwnerNumber, isCold: (version: VersionNumber) => boolean) {
		this.#ownerOf = ownerOf;
		this.#isCold = isCold;
	}

	/** A function has something to run. */
	add(version: VersionNumber): void {
		this.#ready.add(version);
	}

	get empty(): boolean {
		return this.#ready.size === 0 && this.#at === this.#round.length;
	}

	/** The function whose turns run next, which is then no longer ready; `undefined` if none is. */
	next(): VersionNumber | undefined {
		while (!this.empty) {
			if (this.#at === this.#round.length) this.#begin();
			const version = this.#round[this.#at++];
			if (this.#debts.size === 0 || this.#round.length === 1 || !this.#debts.has(this.#ownerOf(version)))
				return version;
			this.#ready.add(version);
		}
		return undefined;
	}

	/** Makes up the next round: all who owe nothing, or else the one who owes least. */
	#begin(): void {
		this.#at = 0;
		const all = [...this.#ready];
		const solvent = this.#debts.size === 0 ? all : all.filter((version) => !this.#debts.has(this.#ownerOf(version)));
		if (solvent.length > 0) {
			this.#pay(QUANTUM_US);
			// Cold starts last: they take a hundred times a turn.
			const cold = solvent.filter(this.#isCold);
			this.#round = cold.length === 0 ? solvent : [...solvent.filter((version) => !this.#isCold(version)), ...cold];
		} else {
			const debt = (version: VersionNumber) => this.#debts.get(this.#ownerOf(version)) ?? 0;
			const least = all.reduce((best, version) => (debt(version) < debt(best) ? version : best));
			this.#pay(debt(least));
			this.#round = [least];
		}
		for (const version of this.#round) this.#ready.delete(version);
	}

	#pay(us: Microseconds): void {
		for (const [owner, debt] of this.#debts) {
			if (debt > us) this.#debts.set(owner, debt - us);
			else this.#debts.delete(owner);
		}
	}

	/** Whether a function that has used so much in this round has had its share. */
	isSpent(us: Microseconds): boolean {
		return us > QUANTUM_US;
	}

	/** A function's turns have used so much in this round. */
	charge(version: VersionNumber, us: Microseconds): void {
		if (us <= QUANTUM_US) return;
		const owner = this.#ownerOf(version);
		this.#debts.set(owner, (this.#debts.get(owner) ?? 0) + us - QUANTUM_US);
	}
}
