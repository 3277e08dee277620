import type { TenantNumber, VersionNumber } from "../link/protocol.ts";
import type { Microseconds } from "../units.ts";

/** What one tenant's functions may use in a round; what they use beyond it they owe. */
const QUANTUM_US: Microseconds = 1000;

/**
 * Whose turns run next. Functions have their turns in rounds, and a tenant that used more than its quantum in one
 * goes without until its debt is paid, unless nobody else has anything to run (deficit round robin, Shreedhar and
 * Varghese 1995).
 */
export class Schedule {
	readonly #ready = new Set<VersionNumber>();
	readonly #tenantOf: (version: VersionNumber) => TenantNumber;
	readonly #isCold: (version: VersionNumber) => boolean;
	#round: VersionNumber[] = [];
	#at = 0;
	/** Of those alone that owe something. */
	readonly #debts = new Map<TenantNumber, Microseconds>();
	/** When each tenant last had a function started, counted in starts; kept as long as there are others to start. */
	readonly #lastStart = new Map<TenantNumber, number>();
	/** Since when each function that needs a start waits for it, counted in starts. */
	readonly #coldSince = new Map<VersionNumber, number>();
	#starts = 0;

	constructor(tenantOf: (version: VersionNumber) => TenantNumber, isCold: (version: VersionNumber) => boolean) {
		this.#tenantOf = tenantOf;
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
			if (this.#debts.size === 0 || this.#round.length === 1 || !this.#debts.has(this.#tenantOf(version)))
				return version;
			this.#ready.add(version);
		}
		return undefined;
	}

	/** Makes up the next round: all who owe nothing, or else the one who owes least. */
	#begin(): void {
		this.#at = 0;
		const all = [...this.#ready];
		const solvent = this.#debts.size === 0 ? all : all.filter((version) => !this.#debts.has(this.#tenantOf(version)));
		if (solvent.length > 0) {
			this.#pay(QUANTUM_US);
			this.#round = this.#withOneStart(solvent);
		} else {
			const debt = (version: VersionNumber) => this.#debts.get(this.#tenantOf(version)) ?? 0;
			const least = all.reduce((best, version) => (debt(version) < debt(best) ? version : best));
			this.#pay(debt(least));
			this.#round = [least];
		}
		for (const version of this.#round) this.#ready.delete(version);
	}

	/**
	 * All that have an isolate, and then one that needs one: a start takes a hundred times a turn, and nobody who is
	 * warm is to wait for more than one. Who waits longest is next, where a tenant waits since its last start at most: so
	 * tenants take turns at it, and nobody waits for those that came later.
	 */
	#withOneStart(versions: VersionNumber[]): VersionNumber[] {
		const round: VersionNumber[] = [];
		let next: VersionNumber | undefined;
		let longest = Number.POSITIVE_INFINITY;
		for (const version of versions) {
			if (!this.#isCold(version)) {
				round.push(version);
				continue;
			}
			const cold = this.#coldSince.get(version) ?? this.#starts;
			this.#coldSince.set(version, cold);
			// Who came just after a tenant's last start comes before its next.
			const since = Math.max(cold, (this.#lastStart.get(this.#tenantOf(version)) ?? 0) + 0.5);
			if (since >= longest) continue;
			longest = since;
			next = version;
		}
		if (next === undefined) {
			this.#lastStart.clear();
			this.#coldSince.clear();
		} else {
			this.#lastStart.set(this.#tenantOf(next), ++this.#starts);
			this.#coldSince.delete(next);
			round.push(next);
		}
		return round;
	}

	#pay(us: Microseconds): void {
		for (const [tenant, debt] of this.#debts) {
			if (debt > us) this.#debts.set(tenant, debt - us);
			else this.#debts.delete(tenant);
		}
	}

	/** Whether a function that has used so much in this round has had its share. */
	isSpent(us: Microseconds): boolean {
		return us > QUANTUM_US;
	}

	/** A function's turns have used so much in this round. */
	charge(version: VersionNumber, us: Microseconds): void {
		if (us <= QUANTUM_US) return;
		const tenant = this.#tenantOf(version);
		this.#debts.set(tenant, (this.#debts.get(tenant) ?? 0) + us - QUANTUM_US);
	}
}
