import type { Count, Seconds } from "../units.ts";

/** How long a CPU profile may take, and of how many requests it may be. */
export const MOST_PROFILE_SECONDS: Seconds = 60;
export const MOST_PROFILE_REQUESTS: Count = 1_000_000;
