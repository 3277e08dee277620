import type { TenantNumber, VersionNumber } from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";

/** How long a turn, and the start of an isolate, may take at most. */
export interface TurnBounds {
	cpuMs: Milliseconds;
	startupCpuMs: Milliseconds;
}

/** What a sandbox needs to know of a version to run it. */
export interface RunnableVersion {
	number: VersionNumber;
	tenantNumber: TenantNumber;
	limits: TurnBounds;
}
