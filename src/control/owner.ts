import type { Account } from "../limits/account.ts";
import { Gate } from "../limits/admission.ts";
import type { OwnerLimits } from "../limits/limits.ts";
import { Strikes } from "../limits/strikes.ts";
import type { OwnerNumber } from "../link/protocol.ts";

/** Whoever deploys functions. What they do together counts together: a hundred functions of one owner are one attacker. */
export class Owner {
	readonly name: string;
	readonly number: OwnerNumber;
	readonly strikes = new Strikes();
	readonly gate: Gate;
	/** What the edge holds for its functions. */
	readonly account: Account;

	constructor(name: string, number: OwnerNumber, limits: OwnerLimits, account: Account) {
		this.name = name;
		this.number = number;
		this.gate = new Gate(limits);
		this.account = account;
	}
}
