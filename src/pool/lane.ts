import type { TenantNumber, VersionNumber } from "../link/protocol.ts";

/** Weight of a key on a sandbox, for rendezvous hashing: adding or losing a sandbox moves only its own share. */
function weight(key: number, sandbox: number): number {
	let hash = Math.imul(key, 0x9e3779b1) ^ Math.imul(sandbox, 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
	hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
	return (hash ^ (hash >>> 15)) >>> 0;
}

/** Places, of so many, from the best for a key to the worst. */
export function placesInOrder(key: number, count: number): number[] {
	const weights = Array.from({ length: count }, (_, place) => weight(key, place));
	return [...weights.keys()].sort((a, b) => weights[b] - weights[a]);
}

/** What a lane knows of its members. */
interface Member {
	/** Whose long turn keeps it busy, if one does. */
	readonly stuckBy: TenantNumber | null;
}

/** The sandboxes that serve one kind of function, each in a place of its own, which a successor takes over. */
export class Lane<Sandbox extends Member> {
	readonly members: Sandbox[] = [];

	/**
	 * The home of a version, or of all that belongs to a tenant; or the next best place if a long turn keeps that
	 * busy, unless it is a turn of the same tenant, who is not to keep a second one busy.
	 */
	home(key: VersionNumber | TenantNumber, tenant: TenantNumber): Sandbox {
		const { members } = this;
		if (members.length === 1) return members[0];
		let best = -1;
		let bestWeight = -1;
		for (let place = 0; place < members.length; place++) {
			// A sandbox that is stuck counts for less than any that is not, but for more than none.
			const { stuckBy } = members[place];
			const own = weight(key, place) + (stuckBy === null || stuckBy === tenant ? 2 ** 32 : 0);
			if (own > bestWeight) {
				bestWeight = own;
				best = place;
			}
		}
		return members[best];
	}

	has(process: Sandbox): boolean {
		return this.members.includes(process);
	}

	/** Whether a long turn keeps every member busy. */
	get stuck(): boolean {
		return this.members.every((process) => process.stuckBy !== null);
	}

	/** Puts a successor into a member's place. */
	replace(member: Sandbox, successor: Sandbox): void {
		this.members[this.members.indexOf(member)] = successor;
	}

	remove(member: Sandbox): void {
		this.members.splice(this.members.indexOf(member), 1);
	}
}
