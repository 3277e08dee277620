import { FunctionError, UsageError } from "../errors.ts";
import type { Limits } from "../limits/limits.ts";
import type { StartResult } from "../link/build-frames.ts";
import { type FunctionId, keyOf } from "../names.ts";
import { type Environment, NO_ENVIRONMENT } from "./environment.ts";
import type { Sticky } from "./stickiness.ts";
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

/** A share whose version was started once with what it is to get as `env`. */
export interface TriedShare extends Share {
	readonly environment: Environment;
	readonly start: StartResult;
}

/** Which versions of a function get which share of its traffic, and what each gets as `env`. Immutable. */
export class Release {
	readonly function: FunctionId;
	readonly shares: readonly TriedShare[];
	/** What keeps whoever asks with one of them; `null` for nothing. */
	readonly sticky: Sticky | null;
	/** Where each share ends, in hundredths of a percent from the first one's beginning. */
	readonly #ends: readonly number[];

	private constructor(shares: readonly TriedShare[], sticky: Sticky | null = null) {
		this.function = shares[0].version.function;
		this.sticky = sticky;
		this.shares = shares;
		let end = 0;
		this.#ends = shares.map(({ percent }) => {
			end += Math.round(percent * HUNDREDTHS);
			return end;
		});
	}

	/**
	 * Starts each version once with an environment, unless it is known what comes of that, so that whoever releases
	 * them hears of it. Rejects with UsageError for shares that make no sense, and with BuildError for a version that
	 * has no handler.
	 */
	static async of(environment: Environment, shares: readonly Share[]): Promise<Release> {
		refuseIfProblem(shares);
		return new Release(
			await Promise.all(
				shares.map(async ({ version, percent }) => {
					if (version.source instanceof FunctionError) throw version.source;
					return { version, percent, environment, start: await version.source.tryStart(environment) };
				}),
			),
		);
	}

	/** Of versions that have been tried before. Throws UsageError for shares that make no sense. */
	static tried(shares: readonly TriedShare[], sticky: Sticky | null = null): Release {
		refuseIfProblem(shares);
		return new Release(shares, sticky);
	}

	/** All traffic to what only tells why there is no version to run. */
	static standIn(version: Version): Release {
		const start = { failure: null, handlers: [], startUs: 0 };
		return new Release([{ version, percent: 100, environment: NO_ENVIRONMENT, start }]);
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

function refuseIfProblem(shares: readonly Share[]): void {
	const [{ version: first } = {}] = shares;
	const mixed = shares.some(({ version }) => first !== undefined && keyOf(version.function) !== keyOf(first.function));
	const problem = mixed
		? "the versions are not all of one function"
		: problemOfShares(shares.map(({ version: { id }, percent }) => ({ id, percent })));
	if (problem !== null) throw new UsageError(`release: ${problem}`);
}

/** What is wrong with shares of one function's versions, or `null`. */
export function problemOfShares(shares: readonly { id: string; percent: number }[]): string | null {
	if (shares.length === 0) return "there is no version in it";
	if (shares.length > MOST_SHARES) return `there are more than ${MOST_SHARES} versions in it`;
	const ids = new Set<string>();
	let sum = 0;
	for (const { id, percent } of shares) {
		if (ids.has(id)) return `the version ${id} is in it twice`;
		ids.add(id);
		const hundredths = Math.round(percent * HUNDREDTHS);
		const isShare = percent >= 0 && percent <= 100 && Math.abs(percent * HUNDREDTHS - hundredths) < TOLERANCE;
		if (!isShare) return `${percent} is not a percentage from 0 to 100 in steps of 0.01`;
		sum += hundredths;
	}
	return sum === ALL ? null : `the shares add up to ${sum / HUNDREDTHS} %, not to 100`;
}
