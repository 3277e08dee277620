import type { FunctionId, TenantName } from "../names.ts";

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
export interface Placement {
	readonly cordon: CordonName;
	readonly lane: LaneName;
}

/** What of a version decides that. */
export interface Placeable {
	readonly function: FunctionId;
	readonly pace: { readonly lane: "normal" | "heavy" };
	/** Whether it has cost a sandbox its life. */
	readonly struck: boolean;
}

/** The places in a cordon. They are made once: one is asked for with every attempt. */
function placesIn(cordon: CordonName): Record<LaneName, Placement> {
	return {
		normal: { cordon, lane: "normal" },
		heavy: { cordon, lane: "heavy" },
		probation: { cordon, lane: "probation" },
	};
}

const SHARED_PLACES = placesIn(SHARED);

/** The places that are open to a tenant's functions. Tiers of trust are told apart here. */
function placesOf(_tenant: TenantName): Record<LaneName, Placement> {
	return SHARED_PLACES;
}

/**
 * Which sandboxes a version may share, and with whom: decided here and nowhere else. Whatever its pace, it is in the
 * heavy lane if its request was `cut` in the normal one.
 */
export function placementOf(version: Placeable, cut: boolean): Placement {
	const places = placesOf(version.function.tenant);
	if (version.struck) return places.probation;
	return cut ? places.heavy : places[version.pace.lane];
}
