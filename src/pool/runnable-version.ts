import type { Image, TenantNumber, VersionNumber } from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";

/** How long a turn, and the start of an isolate, may take at most. */
export interface TurnBounds {
	cpuMs: Milliseconds;
	startupCpuMs: Milliseconds;
}

/** What its requests take of a processor, as far as the pool asks. */
interface Demanding {
	/** So many of its requests may wait for their first turn in one sandbox before they are a queue. */
	readonly calm: number;
	/** A turn of it kept others waiting in a sandbox that was lent to it. */
	breach(): void;
}

/** What a sandbox needs to know of a version to run it. */
export interface RunnableVersion {
	readonly number: VersionNumber;
	readonly tenantNumber: TenantNumber;
	readonly limits: Readonly<TurnBounds>;
	/** Whether it gets no more requests, but for those that it has already. */
	readonly withdrawn: boolean;
	readonly demand: Demanding;
	/** Whether sandboxes other than its home may be lent to it now. */
	readonly mayBorrow: boolean;
	/** How many isolates of it are to be started ahead of requests now and kept, each in a sandbox of its own. */
	readonly provisioned: number;
	/** In how many sandboxes it may have isolates, its home among them. */
	readonly maxInstances: number;
	/** What a sandbox is sent of it. Rejects where its artifact is not to be had. */
	image(): Promise<Image>;
}
