import type { SandboxState, SandboxStats } from "../link/protocol.ts";
import type { FunctionName, TenantName } from "../names.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** A function that has cost a sandbox its life, or has forged messages, within the last hour. */
export interface Culprit {
	tenant: TenantName;
	function: FunctionName;
	strikes: number;
	/** How long it is not served still; 0 where it is on probation alone. */
	disabledMs: Milliseconds;
}

/** What an operator looks at when something is slow. */
export interface MachineState {
	sandboxes: SandboxState[];
	/** Those with the most strikes. */
	culprits: Culprit[];
}

export interface RuntimeStats extends SandboxStats {
	/** Functions in service. */
	functions: number;
	/** Sandbox processes at work: those of the normal lane, the heavy lane and probation. 0 when inline. */
	sandboxes: number;
	/** How many of them serve a function that has more waiting than its home can do, beside those at home there. */
	lent: number;
	/** How many sandboxes were lost and replaced. */
	restarts: number;
	/** Requests that are being worked on. */
	inFlight: number;
	/**
	 * How often something went wrong in the edge itself, each of which the log has with its stack. 0 is as it should
	 * be.
	 */
	faults: number;
	/** Steps that were taken outside of the edge to decompress bodies of subrequests. */
	decompressions: number;
	/** Stacks and source maps that were read outside of the edge. */
	mappings: number;
	/**
	 * What the edge holds for functions and their clients, in bytes: bodies, responses and messages that wait to be
	 * taken.
	 */
	heldBytes: Bytes;
}
