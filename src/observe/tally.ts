import { DEFAULT_TENANT, type FunctionName, type TenantName } from "../names.ts";
import type { Bytes, Seconds } from "../units.ts";
import type { InvocationRecord } from "./record.ts";

/** The upper bounds of histograms' buckets; a last one has what is above. */
export const BOUNDS: readonly Seconds[] = [
	...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
	...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
];

/** How often something took how long. */
export interface Histogram {
	/** For each bound how often it took no longer than that and longer than the bound before, and how often longer than all. */
	counts: number[];
	/** All of it together. */
	sum: Seconds;
}

/** What is counted together. */
export interface Counted {
	/** Empty, like the function's name, where no function serves the hostname. */
	tenant: TenantName | "";
	function: FunctionName | "";
	/** The version's hash; empty where versions are taken together. */
	version: string;
	/** The event's type, as in a record. */
	event: string;
}

/** What some invocations came to. */
export interface Sums {
	/** How many invocations ended in which way. */
	outcomes: Record<string, number>;
	/** From the event's arrival to the end of everything that it started, processor time, and how long cold starts took. */
	wall: Histogram;
	cpu: Histogram;
	start: Histogram;
	requestBytes: Bytes;
	responseBytes: Bytes;
	subrequests: number;
	/** How often each binding was called, by its name, of a hundred of them. */
	bindingCalls: Record<string, number>;
	/** Of the isolate that was measured last. */
	memoryBytes: Bytes;
}

/** What there was of one kind of event at one version of a function. */
export interface Tally extends Counted, Sums {}

/** A function of which there are too many others is counted under this name. */
const OTHERS = "_others";

export const newHistogram = (): Histogram => ({ counts: new Array<number>(BOUNDS.length + 1).fill(0), sum: 0 });

/** Of nothing. */
export function newSums(): Sums {
	return {
		outcomes: {},
		wall: newHistogram(),
		cpu: newHistogram(),
		start: newHistogram(),
		requestBytes: 0,
		responseBytes: 0,
		subrequests: 0,
		bindingCalls: {},
		memoryBytes: 0,
	};
}

/** Counts something that took so long. */
function note(histogram: Histogram, seconds: Seconds): void {
	let bucket = 0;
	while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]) bucket++;
	histogram.counts[bucket]++;
	histogram.sum += seconds;
}

export function addHistogram(to: Histogram, more: Histogram): void {
	for (const [bucket, count] of more.counts.entries()) to.counts[bucket] += count;
	to.sum += more.sum;
}

/** How often anything was counted. */
export const countIn = ({ counts }: Histogram): number => counts.reduce((all, count) => all + count, 0);

/** How many invocations ended in ways of which this is so. */
export function countIf(is: (outcome: string) => boolean): (sums: Sums) => number {
	return ({ outcomes }) =>
		Object.entries(outcomes).reduce((all, [outcome, count]) => (is(outcome) ? all + count : all), 0);
}

/**
 * What a share of all stayed below, `0.99` for instance, as near as the buckets tell: within one of them it is taken for
 * spread evenly, and what is above all bounds for the last of these. `null` where nothing was counted.
 */
export function quantile(histogram: Histogram, share: number): Seconds | null {
	const { counts } = histogram;
	const all = countIn(histogram);
	if (all === 0) return null;
	const rank = share * all;
	let below = 0;
	for (const [bucket, upper] of BOUNDS.entries()) {
		const count = counts[bucket] ?? 0;
		if (count > 0 && below + count >= rank) {
			const lower = bucket === 0 ? 0 : BOUNDS[bucket - 1];
			return lower + (upper - lower) * Math.max(0, (rank - below) / count);
		}
		below += count;
	}
	return BOUNDS[BOUNDS.length - 1];
}

/** So many bindings are told apart; those that come after them are counted together. */
const MOST_BINDINGS = 100;

/** Counts calls of a binding. */
export function addBindingCall(to: Record<string, number>, name: string, count: number): void {
	const key = Object.hasOwn(to, name) || Object.keys(to).length < MOST_BINDINGS ? name : OTHERS;
	// Names are tenants', and may be those of what every object has.
	to[key] = (Object.hasOwn(to, key) ? to[key] : 0) + count;
}

/** Adds how often bindings were called. */
export function addBindingCalls(to: Record<string, number>, more: Readonly<Record<string, number>>): void {
	for (const [name, count] of Object.entries(more)) addBindingCall(to, name, count);
}

/** Adds what was counted elsewhere, or later. */
export function addSums(to: Sums, more: Sums): void {
	for (const [outcome, count] of Object.entries(more.outcomes))
		to.outcomes[outcome] = (to.outcomes[outcome] ?? 0) + count;
	addBindingCalls(to.bindingCalls, more.bindingCalls);
	addHistogram(to.wall, more.wall);
	addHistogram(to.cpu, more.cpu);
	addHistogram(to.start, more.start);
	to.requestBytes += more.requestBytes;
	to.responseBytes += more.responseBytes;
	to.subrequests += more.subrequests;
	// Not every invocation is measured, and so is not every second.
	if (more.memoryBytes > 0) to.memoryBytes = more.memoryBytes;
}

/** A tenant has this share of all tallies at most, but for the operator's own: others are to have some, too. */
const MOST_OF_TENANT = 1 / 4;

/** Of one event so many versions of a function are told apart; those that come after them are taken together. */
const MOST_VERSIONS = 16;

/** Tallies by version and event: up to so many functions' own, with one for all others. */
export class Tallies {
	readonly #most: number;
	readonly #all = new Map<string, Tally>();
	/** How many each tenant has. */
	readonly #byTenant = new Map<string, number>();
	/** How many each function has of an event. */
	readonly #byFunction = new Map<string, number>();

	constructor(most: number) {
		this.#most = most;
	}

	/** The tally of a version's events. */
	of(counted: Counted): Tally {
		const { tenant, function: name, version, event } = counted;
		const own = `${tenant}/${name} ${event}`;
		const key = `${own} ${version}`;
		const there = this.#all.get(key);
		if (there !== undefined) return there;
		const versions = this.#byFunction.get(own) ?? 0;
		const isFull = name !== OTHERS && !this.#hasRoom(tenant);
		// Of a function that has some there is room for one more, with all other versions.
		if (version !== "" && (isFull || versions >= MOST_VERSIONS))
			return this.of({ tenant, function: name, version: "", event });
		if (isFull && versions === 0) return this.of({ tenant: "", function: OTHERS, version: "", event });
		const tally: Tally = { tenant, function: name, version, event, ...newSums() };
		this.#all.set(key, tally);
		this.#byTenant.set(tenant, (this.#byTenant.get(tenant) ?? 0) + 1);
		this.#byFunction.set(own, versions + 1);
		return tally;
	}

	#hasRoom(tenant: Tally["tenant"]): boolean {
		if (this.#all.size >= this.#most) return false;
		return tenant === DEFAULT_TENANT || (this.#byTenant.get(tenant) ?? 0) < this.#most * MOST_OF_TENANT;
	}

	count(record: InvocationRecord): void {
		const tally = this.of(record);
		tally.outcomes[record.outcome] = (tally.outcomes[record.outcome] ?? 0) + 1;
		note(tally.wall, record.wallMs / 1000);
		note(tally.cpu, record.cpuMs / 1000);
		if (record.cold) note(tally.start, record.startMs / 1000);
		tally.requestBytes += record.requestBytes;
		tally.responseBytes += record.responseBytes;
		tally.subrequests += record.subrequests;
		if (record.subrequests > 0) addBindingCalls(tally.bindingCalls, record.bindingCalls);
		if (record.memoryBytes > 0) tally.memoryBytes = record.memoryBytes;
	}

	values(): Iterable<Tally> {
		return this.#all.values();
	}

	/** Forgets those of functions that are no more: `has` says which there are. */
	retain(has: (of: Counted) => boolean): void {
		const all = this.take();
		for (const one of all) if (one.function === OTHERS || has(one)) addSums(this.of(one), one);
	}

	/** All of them; counting begins anew. */
	take(): Tally[] {
		const all = [...this.#all.values()];
		this.#all.clear();
		this.#byTenant.clear();
		this.#byFunction.clear();
		return all;
	}
}
