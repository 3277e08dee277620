import { FunctionError, UsageError } from "../errors.ts";
import type { Limits } from "../limits/limits.ts";
import type { StartResult } from "../link/build-frames.ts";
import { type FunctionId, keyOf } from "../names.ts";
import { type Environment, NO_ENVIRONMENT } from "./environment.ts";
import type { Version } from "./version.ts";

/** So many versions may share a function's traffic: what is kept for each is the function's, and it has one gate. */
const MOST_SHARES = 10;
/** Percentages are counted in hundredths. */
const HUNDREDTHS = 100;
const ALL = 100 * HUNDREDTHS;
/** What floating point adds to a number of hundredths. */
const TOLERANCE = 1e-6;

/** A version and how much of its function's traffic it gets. */
export interface Share {
	readonly version: Version;
	/** From 0 to 100, in steps of a hundredth. */
	readonly percent: number;
}

/** A share whose version was started once, with the release's variables. */
export interface TriedShare extends Share {
	readonly start: StartResult;
}

/** Which versions of a function get which share of its traffic, and what they get as `env`. Immutable. */
export class Release {
	readonly function: FunctionId;
	/** What its versions get as `env`. */
	readonly environment: Environment;
	readonly shares: readonly TriedShare[];
	/** Where each share ends, in hundredths of a percent from the first one's beginning. */
	readonly #ends: readonly number[];

	private constructor(environment: Environment, shares: readonly TriedShare[]) {
		this.function = shares[0].version.function;
		this.environment = environment;
		this.shares = shares;
		let end = 0;
		this.#ends = shares.map(({ percent }) => {
			end += Math.round(percent * HUNDREDTHS);
			return end;
		});
	}

	/**
	 * Starts each version once with its environment, unless it is known what comes of that, so that whoever releases
	 * them hears of it. Rejects with UsageError for shares that make no sense, and with BuildError for a version that
	 * has no handler.
	 */
	static async of(environment: Environment, shares: readonly Share[]): Promise<Release> {
		const problem = problemOf(shares);
		if (problem !== null) throw new UsageError(`release: ${problem}`);
		return new Release(
			environment,
			await Promise.all(
				shares.map(async ({ version, percent }) => {
					if (version.source instanceof FunctionError) throw version.source;
					return { version, percent, start: await version.source.tryStart(environment) };
				}),
			),
		);
	}

	/** All traffic to what only tells why there is no version to run. */
	static standIn(version: Version): Release {
		return new Release(NO_ENVIRONMENT, [{ version, percent: 100, start: { failure: null, handlers: [], startUs: 0 } }]);
	}

	/** The place among the shares that a point between 0 and 1, 1 not included, falls into. */
	indexAt(point: number): number {
		const ends = this.#ends;
		let index = 0;
		while (index < ends.length - 1 && point * ALL >= ends[index]) index++;
		return index;
	}

	/** The most that any of its versions has for a limit. */
	most(limit: keyof Limits): number {
		return Math.max(...this.shares.map(({ version }) => version.limits[limit]));
	}
}

/** What is wrong with shares, or `null`. */
function problemOf(shares: readonly Share[]): string | null {
	if (shares.length === 0) return "there is no version in it";
	if (shares.length > MOST_SHARES) return `there are more than ${MOST_SHARES} versions in it`;
	const [{ version: first }] = shares;
	const ids = new Set<string>();
	let sum = 0;
	for (const { version, percent } of shares) {
		if (keyOf(version.function) !== keyOf(first.function)) return "the versions are not all of one function";
		if (ids.has(version.id)) return `the version ${version.id} is in it twice`;
		ids.add(version.id);
		const hundredths = Math.round(percent * HUNDREDTHS);
		const isShare = percent >= 0 && percent <= 100 && Math.abs(percent * HUNDREDTHS - hundredths) < TOLERANCE;
		if (!isShare) return `${percent} is not a percentage from 0 to 100 in steps of 0.01`;
		sum += hundredths;
	}
	return sum === ALL ? null : `the shares add up to ${sum / HUNDREDTHS} %, not to 100`;
}
