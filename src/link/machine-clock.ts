import type { Milliseconds } from "../units.ts";

/** A time that all processes of the machine count alike, and that never jumps: milliseconds since it was started. */
export function machineMs(): Milliseconds {
	return Number(process.hrtime.bigint()) / 1e6;
}
