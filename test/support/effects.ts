import type { EffectLimits } from "../../src/bindings/bounds.ts";
import { Effects, type Fetcher } from "../../src/bindings/effects.ts";
import { Account } from "../../src/limits/account.ts";

/** The effects of an attempt that has none. */
export function noEffects(): Effects {
	return new Effects({
		fetcher: {} as Fetcher,
		limits: {} as EffectLimits,
		account: Account.ofAll(1e6).for({ giveUp: () => undefined }),
		onExceeded: () => undefined,
	});
}
