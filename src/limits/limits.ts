import { z } from "zod";
import { UsageError } from "../errors.ts";

/** What one function may use. All values are whole numbers. */
export interface Limits {
	/** CPU time of one request, over all its turns, in milliseconds. Default 1000. */
	cpuMs: number;
	/** CPU time of the function's top level, in milliseconds. Default 2000. */
	startupCpuMs: number;
	/** Time until the response begins, and then between any two parts of a streamed body, in milliseconds. Default 30 000. */
	wallMs: number;
	/** Heap, array buffers and WebAssembly of one isolate together, in MB (2^20 bytes), at least 8. Default 128. */
	memoryMb: number;
	/** Subrequests of one request. Default 50. */
	subrequests: number;
	/** Subrequests of one request that run at the same time; further ones wait. Default 6. */
	concurrentSubrequests: number;
	/** Requests of one function that are worked on at the same time; further ones get 503 `overloaded`. Default 1000. */
	concurrentRequests: number;
	/** Size of a request's body in bytes. Default 100 MB (2^20 bytes each). */
	requestBodyBytes: number;
	/** Size of what one request may log, in bytes. Default 256 KB. */
	logBytes: number;
}

const MB = 1024 * 1024;

const DEFAULT_LIMITS: Limits = {
	cpuMs: 1000,
	startupCpuMs: 2000,
	wallMs: 30_000,
	memoryMb: 128,
	subrequests: 50,
	concurrentSubrequests: 6,
	concurrentRequests: 1000,
	requestBodyBytes: 100 * MB,
	logBytes: 256 * 1024,
};

/** Limits that hold for every function alike, since they apply before it is known which one is asked for. */
export const MAX_HEADER_BYTES = 128 * 1024;
export const MAX_URL_BYTES = 16 * 1024;
export const MAX_BUNDLE_BYTES = 10 * MB;

const whole = (least: number, most: number) => z.number().int().min(least).max(most);

export const limitsSchema = z.strictObject({
	cpuMs: whole(1, 24 * 3600_000).optional(),
	startupCpuMs: whole(1, 600_000).optional(),
	wallMs: whole(1, 24 * 3600_000).optional(),
	memoryMb: whole(8, 16_384).optional(),
	subrequests: whole(0, 1_000_000).optional(),
	concurrentSubrequests: whole(1, 10_000).optional(),
	concurrentRequests: whole(1, 1_000_000).optional(),
	requestBodyBytes: whole(0, Number.MAX_SAFE_INTEGER).optional(),
	logBytes: whole(0, 1024 * MB).optional(),
});

/** The limits that hold where `given` is asked for: defaults filled in. Throws UsageError naming what is wrong. */
export function resolveLimits(given: Partial<Limits> | undefined, defaults: Limits = DEFAULT_LIMITS): Limits {
	const parsed = limitsSchema.safeParse(given ?? {});
	if (!parsed.success) throw new UsageError(`limits: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
	const set = Object.entries(parsed.data).filter(([, value]) => value !== undefined);
	return { ...defaults, ...Object.fromEntries(set) };
}
