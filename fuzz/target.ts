import type { Arbitrary } from "fast-check";
import type { Arena } from "./arena.ts";
import type { Complaint } from "./complaint.ts";

/** One side from which hostile things reach the edge. */
export interface Target<Case> {
	readonly name: string;
	/** What is tried: plain JSON, so that a finding can be kept and tried again. */
	readonly cases: Arbitrary<Case>;
	/** Tries a case on an edge, and judges what it led to. */
	attempt(arena: Arena, input: Case): Promise<Complaint[]>;
}
