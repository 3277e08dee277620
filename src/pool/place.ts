import type { TenantName } from "../names.ts";

/** Sandboxes within one cordon may share functions; no function, and no sandbox, is ever in two. */
export type CordonName = string;

/** The cordon of everybody, until there are tiers of trust. */
export const SHARED: CordonName = "shared";

/**
 * Which kind of sandbox serves a version: `normal` those that have proven light, `heavy` the rest, `probation` one that
 * has cost a sandbox its life, and that runs alone.
 */
export type LaneName = "normal" | "heavy" | "probation";

/** Where a version may run. */
export interface Place {
	readonly cordon: CordonName;
	readonly lane: LaneName;
}

/** The places in a cordon. They are made once: one is asked for with every attempt. */
function placesIn(cordon: CordonName): Record<LaneName, Place> {
	return {
		normal: { cordon, lane: "normal" },
		heavy: { cordon, lane: "heavy" },
		probation: { cordon, lane: "probation" },
	};
}

const SHARED_PLACES = placesIn(SHARED);

/** The places that are open to a tenant's functions. Tiers of trust are told apart here. */
export function placesOf(_tenant: TenantName): Record<LaneName, Place> {
	return SHARED_PLACES;
}
