import { Gate } from "../limits/admission.ts";
import type { OwnerLimits } from "../limits/limits.ts";
import { Strikes } from "../limits/strikes.ts";

/** Whoever deploys functions. What they do together counts together: a hundred functions of one owner are one attacker. */
export class Owner {
	readonly name: string;
	readonly strikes = new Strikes();
	readonly gate: Gate;

	constructor(name: string, limits: OwnerLimits) {
		this.name = name;
		this.gate = new Gate(limits);
	}
}
