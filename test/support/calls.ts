import type { CallLimits } from "../../src/bindings/bounds.ts";
import { Calls } from "../../src/bindings/calls.ts";
import { Account } from "../../src/limits/account.ts";

/** The calls of an attempt whose function has no bindings. */
export function noCalls(limits: Partial<CallLimits> = {}): Calls {
	return new Calls({
		open: () => null,
		limits: limits as CallLimits,
		account: Account.ofAll(1e6).for({ giveUp: () => undefined }),
		onExceeded: () => undefined,
	});
}
