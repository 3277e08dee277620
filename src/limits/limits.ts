import { z } from "zod";
import { UsageError } from "../errors.ts";

/** What one function may use. All values are whole numbers. */
export interface Limits {
	/** CPU time of one request, over all its turns, in milliseconds. Default 1000. */
	cpuMs: number;
	/** CPU time of the function's top level, in milliseconds. Default 2000. */
	startupCpuMs: number;
	/**
	 * Time until the response begins, and then between any two parts of a streamed body, in milliseconds. Default 30
	 * 000.
	 */
	wallMs: number;
	/** Heap, array buffers and WebAssembly of one isolate together, in MB (2^20 bytes), at least 8. Default 128. */
	memoryMb: number;
	/** Subrequests of one request. Default 50. */
	subrequests: number;
	/**
	 * Subrequests of one request that run at the same time; further ones wait. One whose response's body has not been
	 * read to its end still runs. Default 6.
	 */
	concurrentSubrequests: number;
	/**
	 * Time until a subrequest's response begins, and then between any two parts of its body, in milliseconds. Default
	 * 30 000.
	 */
	subrequestMs: number;
	/** Size of a subrequest's response body, decompressed, in bytes. Default 100 MB. */
	subrequestBodyBytes: number;
	/** Timers of one request that are pending at the same time. Default 10 000. */
	timers: number;
	/** Requests of one function that are worked on at the same time. Default 1000. */
	concurrentRequests: number;
	/** Requests of one function that wait for others of it to end; further ones get 503 `overloaded`. Default 1000. */
	queuedRequests: number;
	/** Size of a request's body in bytes. Default 100 MB (2^20 bytes each). */
	requestBodyBytes: number;
	/**
	 * Bytes of streamed responses that one function sends in a second, over all of its requests; it is slowed down to
	 * that. A stream that is read as fast as it can be made takes two of the machine's cores. A body that came in, and that
	 * the function hands on without reading it, counts a quarter. At least 1 MB. Default 64 MB.
	 */
	streamedBytesPerSecond: number;
	/** Size of what one request may log, in bytes, 100 for each line on top of what it says. Default 256 KB. */
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
	subrequestMs: 30_000,
	subrequestBodyBytes: 100 * MB,
	timers: 10_000,
	concurrentRequests: 1000,
	queuedRequests: 1000,
	requestBodyBytes: 100 * MB,
	streamedBytesPerSecond: 64 * MB,
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
	subrequestMs: whole(1, 24 * 3600_000).optional(),
	subrequestBodyBytes: whole(0, Number.MAX_SAFE_INTEGER).optional(),
	timers: whole(0, 1_000_000).optional(),
	concurrentRequests: whole(1, 1_000_000).optional(),
	queuedRequests: whole(0, 1_000_000).optional(),
	requestBodyBytes: whole(0, Number.MAX_SAFE_INTEGER).optional(),
	streamedBytesPerSecond: whole(MB, Number.MAX_SAFE_INTEGER).optional(),
	logBytes: whole(0, 1024 * MB).optional(),
});

/**
 * The limits of functions that set none of their own: none of them above its ceiling. Throws UsageError where one
 * that is given is.
 */
export function defaultLimits(given: Partial<Limits> = {}, ceilings: Partial<Limits> = {}): Limits {
	const limits = resolveLimits(given, DEFAULT_LIMITS, ceilings);
	for (const [name, most] of Object.entries(ceilings) as [keyof Limits, number][])
		limits[name] = Math.min(limits[name], most);
	return limits;
}

/** The limits of a function that asks for some of its own. Throws UsageError naming what is above its ceiling. */
export function resolveLimits(
	given: Partial<Limits> = {},
	defaults = DEFAULT_LIMITS,
	ceilings: Partial<Limits> = {},
): Limits {
	const limits = { ...defaults };
	for (const [name, value] of Object.entries(given) as [keyof Limits, number | undefined][]) {
		if (value === undefined) continue;
		const most = ceilings[name];
		if (most !== undefined && value > most)
			throw new UsageError(
				`limits.${name}: ${value} is more than this runtime allows a function, which is ${most}`,
				"limit_refused",
			);
		limits[name] = value;
	}
	return limits;
}

/** What the functions of one tenant may use together. */
export interface TenantLimits {
	/** Requests of all of a tenant's functions that are worked on at the same time. Default 2000. */
	concurrentRequests: number;
	/** Requests of all of a tenant's functions that wait; further ones get 503 `overloaded`. Default 2000. */
	queuedRequests: number;
	/**
	 * What they may store in KV namespaces and queues, and as much again in SQL databases, in bytes. Default 1 GB (2^30
	 * bytes).
	 */
	storedBytes: number;
	/** CPU time of one call of a SQL database, in milliseconds. Default 5000. */
	sqlCpuMs: number;
	/** What is kept in their caches, in bytes; what was not asked for longest makes room. Default 256 MB (2^28 bytes). */
	cachedBytes: number;
}

export const DEFAULT_TENANT_LIMITS: TenantLimits = {
	concurrentRequests: 2000,
	queuedRequests: 2000,
	storedBytes: 1024 * MB,
	sqlCpuMs: 5000,
	cachedBytes: 256 * MB,
};

export const tenantLimitsSchema = z.strictObject({
	concurrentRequests: whole(1, 1_000_000).optional(),
	queuedRequests: whole(0, 1_000_000).optional(),
	storedBytes: whole(0, Number.MAX_SAFE_INTEGER).optional(),
	sqlCpuMs: whole(1, 600_000).optional(),
	cachedBytes: whole(0, Number.MAX_SAFE_INTEGER).optional(),
});
