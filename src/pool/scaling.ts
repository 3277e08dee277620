import type { TenantNumber, VersionNumber } from "../link/protocol.ts";
import { placesInOrder } from "./lane.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";

/** What is asked of a sandbox that may be lent. */
export interface Lendable {
	readonly sandbox: Sandbox;
	/** Whether it runs turns, and none of them keeps the others waiting. */
	readonly started: boolean;
	readonly ended: boolean;
	readonly stuckBy: TenantNumber | null;
}

/** What is lent to a tenant: places beside the homes of its functions, the first of them to each that wants any. */
interface Loan {
	readonly places: number[];
	readonly borrowers: Set<Borrower>;
}

/** A version whose queue was more than one sandbox's worth. */
interface Borrower {
	readonly version: RunnableVersion;
	readonly loan: Loan;
	/** How many of the loan's places it has. */
	width: number;
	/** Where it is at home, as of its last request. */
	home: Sandbox;
	/** The most that have waited at a time since it was last looked at. */
	most: number;
}

/**
 * Lends sandboxes to functions whose queues are more than one sandbox's worth, and takes them back. What is lent is the
 * place of a sandbox, so that a successor is lent as what it succeeds was, and it goes on serving those at home there.
 * A tenant has its share of the places at most, its home among them, and no place is lent to two tenants: however many
 * there are that want more, as many places as these tenants are lent to nobody.
 */
export class Scaling {
	readonly #size: number;
	readonly #members: () => readonly Lendable[];
	readonly #borrowers = new Map<VersionNumber, Borrower>();
	readonly #loans = new Map<TenantNumber, Loan>();

	/** `members` gives those that may be lent, of which there are `size`, by their places. */
	constructor(size: number, members: () => readonly Lendable[]) {
		this.#size = size;
		this.#members = members;
	}

	/** Whether nobody wants more than its home. */
	get idle(): boolean {
		return this.#borrowers.size === 0;
	}

	/** How many places are lent. */
	get count(): number {
		let count = 0;
		for (const { places } of this.#loans.values()) count += places.length;
		return count;
	}

	/** How many places a tenant may have, its home among them. */
	get #share(): number {
		return Math.max(1, Math.floor(this.#size / this.#loans.size));
	}

	/** So many of a version's requests wait at its home that it could use another sandbox. */
	queued(version: RunnableVersion, home: Sandbox): void {
		if (this.#size === 1 || this.#borrowers.has(version.number) || !version.mayBorrow) return;
		let loan = this.#loans.get(version.tenantNumber);
		if (loan === undefined) {
			loan = { places: [], borrowers: new Set() };
			this.#loans.set(version.tenantNumber, loan);
			this.#claimBack();
		}
		const borrower = { version, loan, width: 0, home, most: version.demand.calm + 1 };
		loan.borrowers.add(borrower);
		this.#borrowers.set(version.number, borrower);
	}

	/** Where the next attempt at a version runs: at its home, or in what it is lent where fewer wait. */
	sandbox(version: RunnableVersion, home: Sandbox): Sandbox {
		const borrower = this.#borrowers.get(version.number);
		if (borrower === undefined) return home;
		if (!version.mayBorrow) {
			this.#end(borrower);
			return home;
		}
		borrower.home = home;
		let best = home;
		let fewest = home.waiting(version.number);
		let all = fewest + 1;
		for (const member of this.#lentTo(borrower)) {
			if (member.sandbox === home) continue;
			const waiting = member.sandbox.waiting(version.number);
			all += waiting;
			if (waiting >= fewest || !isFree(member)) continue;
			fewest = waiting;
			best = member.sandbox;
		}
		if (all > borrower.most) borrower.most = all;
		return (fewest >= version.demand.calm ? this.#widen(borrower) : null) ?? best;
	}

	/** One more sandbox for a version; `null` where there is none for it. */
	#widen(borrower: Borrower): Sandbox | null {
		const { loan, home, version } = borrower;
		if (1 + this.#lentTo(borrower).length >= version.maxInstances) return null;
		const members = this.#members();
		if (borrower.width === loan.places.length) {
			if (loan.places.length + 1 >= this.#share) return null;
			const taken = new Set([...this.#loans.values()].flatMap(({ places }) => places));
			const place = placesInOrder(version.tenantNumber, Math.min(this.#size, members.length)).find(
				(at) => !taken.has(at) && members[at].sandbox !== home && isFree(members[at]),
			);
			if (place === undefined) return null;
			loan.places.push(place);
		}
		const member = members[loan.places[borrower.width++]];
		return member !== undefined && isFree(member) ? member.sandbox : null;
	}

	/**
	 * Where a version is provisioned beside its home. It may use these whenever it may use what is lent to it: they are no
	 * part of its tenant's share.
	 */
	provisioned({ number, provisioned }: RunnableVersion, home: Sandbox): Lendable[] {
		if (provisioned <= 1) return [];
		const members = this.#members();
		return placesInOrder(number, Math.min(this.#size, members.length))
			.map((place) => members[place])
			.filter(({ sandbox }) => sandbox !== home)
			.slice(0, provisioned - 1);
	}

	/** What a version may use at present beside its home. */
	#lentTo({ version, home, loan, width }: Borrower): Lendable[] {
		const members = this.#members();
		const lent = loan.places.slice(0, width).flatMap((place) => members[place] ?? []);
		return [...new Set([...this.provisioned(version, home), ...lent])];
	}

	/** Whether a sandbox is lent to a version, whose home is elsewhere. */
	lent(version: VersionNumber, sandbox: Sandbox): boolean {
		const borrower = this.#borrowers.get(version);
		if (borrower === undefined || borrower.home === sandbox) return false;
		return this.#lentTo(borrower).some((member) => member.sandbox === sandbox);
	}

	/**
	 * A turn of a tenant's keeps others waiting in a sandbox. Where that is lent to the tenant, its functions lose what
	 * they are lent, and what they have elsewhere goes home. Tells whether it was.
	 */
	breach(sandbox: Sandbox, tenant: TenantNumber): boolean {
		const borrowers = [...(this.#loans.get(tenant)?.borrowers ?? [])];
		const guilty = borrowers.filter(({ version }) => this.lent(version.number, sandbox));
		for (const borrower of guilty) {
			const { version } = borrower;
			const lent = this.#lentTo(borrower);
			version.demand.breach();
			this.#end(borrower);
			for (const member of lent)
				if (member.sandbox !== sandbox && member.sandbox !== borrower.home) member.sandbox.recall(version.number);
		}
		return guilty.length > 0;
	}

	/** Time goes by: who has not had more waiting than fits fewer sandboxes gives the others back. */
	tend(): void {
		for (const borrower of this.#borrowers.values()) {
			const { version, home, most } = borrower;
			const own = 1 + this.provisioned(version, home).length;
			const needed = Math.min(Math.ceil(most / version.demand.calm), version.maxInstances) - own;
			borrower.most = 0;
			if (needed > 0 && version.mayBorrow) this.#narrow(borrower, needed);
			else this.#end(borrower);
		}
	}

	/** A version is served at its home alone from now on, or is no longer served. */
	end(version: VersionNumber): void {
		const borrower = this.#borrowers.get(version);
		if (borrower !== undefined) this.#end(borrower);
	}

	#end(borrower: Borrower): void {
		const { loan, version } = borrower;
		this.#borrowers.delete(version.number);
		this.#narrow(borrower, 0);
		loan.borrowers.delete(borrower);
		if (loan.borrowers.size === 0) this.#loans.delete(version.tenantNumber);
	}

	/** Leaves a version so many places of its loan; what nobody of its tenant has any more is free for others. */
	#narrow(borrower: Borrower, width: number): void {
		if (width >= borrower.width) return;
		const lent = this.#lentTo(borrower);
		borrower.width = width;
		const kept = new Set(this.#lentTo(borrower));
		for (const member of lent)
			if (!kept.has(member) && member.sandbox !== borrower.home) member.sandbox.leave(borrower.version.number);
		const { places, borrowers } = borrower.loan;
		places.length = Math.max(...[...borrowers].map((one) => one.width));
	}

	/** There is one tenant more that wants more: the others may keep less. */
	#claimBack(): void {
		const most = this.#share - 1;
		for (const borrower of this.#borrowers.values()) this.#narrow(borrower, most);
	}
}

function isFree({ started, ended, stuckBy }: Lendable): boolean {
	return started && !ended && stuckBy === null;
}
