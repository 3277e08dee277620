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

/** The ceilings of a server, which are those that its operator has set, and else no lower than its own limits. */
export function serverCeilings(limits: Partial<Limits>, given: Partial<Limits>): Limits {
	const all = { ...CEILINGS };
	for (const name of Object.keys(all) as (keyof Limits)[])
		all[name] = given[name] ?? Math.max(CEILINGS[name], limits[name] ?? 0);
	return all;
}

/**
 * The ceilings of a command line: each `--max NAME=VALUE` takes the place of one. Throws UsageError for what is no
 * limit.
 */
export function ceilings(given: readonly string[]): Limits {
	const all = { ...CEILINGS };
	for (const text of given) {
		const [, name, value] = /^(\w+)=(.*)$/.exec(text) ?? [];
		if (name === undefined || !Object.hasOwn(CEILINGS, name))
			throw new UsageError(
				`--max must be NAME=VALUE with one of ${Object.keys(CEILINGS).join(", ")}, not ${JSON.stringify(text)}`,
			);
		const parsed = limitsSchema.safeParse({ [name]: Number(value) });
		if (!/^\d+$/.test(value) || !parsed.success) {
			const why = /^\d+$/.test(value) ? parsed.error?.issues[0].message : "it is no whole number";
			throw new UsageError(`--max ${name} cannot be ${JSON.stringify(value)}: ${why}`);
		}
		Object.assign(all, parsed.data);
	}
	return all;
}
