import type { Account } from "../limits/account.ts";
import { Gate } from "../limits/admission.ts";
import type { TenantLimits } from "../limits/limits.ts";
import { Strikes } from "../limits/strikes.ts";
import type { TenantNumber } from "../link/protocol.ts";

/**
 * Whoever deploys functions. What they do together counts together: a hundred functions of one tenant are one
 * attacker.
 */
export class Tenant {
	readonly name: string;
	readonly number: TenantNumber;
	readonly strikes = new Strikes();
	readonly gate: Gate;
	/** What the edge holds for its functions. */
	readonly account: Account;

	constructor(name: string, number: TenantNumber, limits: TenantLimits, account: Account) {
		this.name = name;
		this.number = number;
		this.gate = new Gate(limits);
		this.account = account;
	}
}
