import type { Image, TenantNumber, VersionNumber } from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";

/** How long a turn, and the start of an isolate, may take at most. */
export interface TurnBounds {
	cpuMs: Milliseconds;
	startupCpuMs: Milliseconds;
}

/** What a sandbox needs to know of a version to run it. */
export interface RunnableVersion {
	readonly number: VersionNumber;
	readonly tenantNumber: TenantNumber;
	readonly limits: Readonly<TurnBounds>;
	/** Whether it gets no more requests, but for those that it has already. */
	readonly withdrawn: boolean;
	/** What a sandbox is sent of it. Rejects where its artifact is not to be had. */
	image(): Promise<Image>;
}
