import type { HrTime } from "@opentelemetry/api";
import type { EpochMs, Milliseconds } from "../units.ts";

/** A time, or how long something took, as OpenTelemetry has it: whole seconds, and nanoseconds. */
export function hrTime(ms: EpochMs | Milliseconds): HrTime {
	const seconds = Math.floor(ms / 1000);
	return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}
