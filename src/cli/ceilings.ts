import { UsageError } from "../errors.ts";
import { type Limits, limitsSchema } from "../limits/limits.ts";

const MB = 2 ** 20;

/** How far a function's configuration may raise its own limits where the operator says nothing else. */
const CEILINGS: Limits = {
	cpuMs: 30_000,
	startupCpuMs: 10_000,
	wallMs: 300_000,
	memoryMb: 512,
	subrequests: 1000,
	concurrentSubrequests: 50,
	subrequestMs: 300_000,
	subrequestBodyBytes: 1024 * MB,
	timers: 100_000,
	concurrentRequests: 10_000,
	queuedRequests: 10_000,
	requestBodyBytes: 1024 * MB,
	streamedBytesPerSecond: 256 * MB,
	logBytes: 4 * MB,
};

/**
 * The ceilings of a command line: each `--max NAME=VALUE` takes the place of one. Throws UsageError for what is no
 * limit.
 */
export function ceilings(given: readonly string[]): Limits {
	const all = { ...CEILINGS };
	for (const text of given) {
		const [, name, value] = /^(\w+)=(\d+)$/.exec(text) ?? [];
		const parsed = limitsSchema.safeParse({ [name]: Number(value) });
		if (name === undefined || !parsed.success)
			throw new UsageError(
				`--max must be NAME=VALUE with one of ${Object.keys(CEILINGS).join(", ")}, not ${JSON.stringify(text)}`,
			);
		Object.assign(all, parsed.data);
	}
	return all;
}
