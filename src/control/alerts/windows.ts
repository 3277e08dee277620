import type { Rollup } from "../../logs/calls.ts";
import { DEFAULT_TENANT, type FunctionName, type TenantName } from "../../names.ts";
import { isFailure } from "../../observe/faas.ts";
import { BOUNDS, type Histogram, quantile, type Sums, type Tally } from "../../observe/tally.ts";
import type { Bytes, Count, EpochMs, Milliseconds } from "../../units.ts";
import type { Clock } from "./clock.ts";

/** A window is forgotten in so many steps. */
const SLOTS = 15;
/** So many functions have counts, and of one tenant a quarter of them, but for the operator's own. */
const MOST_FUNCTIONS = 10_000;

const BUCKETS = BOUNDS.length + 1;
/** Where each count stands among the numbers of a slot. */
const AT = { requests: 0, errors: 1, throttled: 2, cpuLimit: 3, memoryLimit: 4, timeouts: 5, quarantined: 6 } as const;
const WALL = 7;
const CPU = WALL + BUCKETS;
const START = CPU + BUCKETS;
const NUMBERS = START + BUCKETS;

/** What else an outcome is counted as, beside an error. */
const COUNTED_AS: Readonly<Record<string, number>> = {
	overloaded: AT.throttled,
	quota_exceeded: AT.throttled,
	budget_exhausted: AT.throttled,
	cpu_limit_exceeded: AT.cpuLimit,
	startup_cpu_limit_exceeded: AT.cpuLimit,
	memory_limit_exceeded: AT.memoryLimit,
	wall_time_exceeded: AT.timeouts,
	function_quarantined: AT.quarantined,
};

type Numbers = Uint32Array;
type Counted = Pick<Sums, "outcomes" | "wall" | "cpu" | "start">;

function numbersOf({ outcomes, wall, cpu, start }: Counted): Numbers {
	const to = new Uint32Array(NUMBERS);
	for (const [outcome, count] of Object.entries(outcomes)) {
		to[AT.requests] += count;
		if (!isFailure(outcome)) continue;
		to[AT.errors] += count;
		if (Object.hasOwn(COUNTED_AS, outcome)) to[COUNTED_AS[outcome]] += count;
	}
	for (const [at, { counts }] of [
		[WALL, wall],
		[CPU, cpu],
		[START, start],
	] as [number, Histogram][])
		for (let bucket = 0; bucket < BUCKETS; bucket++) to[at + bucket] += counts[bucket] ?? 0;
	return to;
}

/** What was counted within a window. */
export class Counts {
	readonly #numbers: Numbers = new Uint32Array(NUMBERS);
	/** Of the isolate that was measured last; of several functions the largest. */
	memoryBytes: Bytes = 0;

	add(numbers: Numbers, memoryBytes: Bytes): void {
		for (let i = 0; i < NUMBERS; i++) this.#numbers[i] += numbers[i];
		this.memoryBytes = Math.max(this.memoryBytes, memoryBytes);
	}

	get(name: keyof typeof AT): Count {
		return this.#numbers[AT[name]];
	}

	get coldStarts(): Count {
		return this.#numbers.subarray(START).reduce((all, count) => all + count, 0);
	}

	/** How long a share of the invocations took at most; `null` without any. */
	quantile(of: "wall" | "cpu" | "start", share: number): Milliseconds | null {
		const from = { wall: WALL, cpu: CPU, start: START }[of];
		const seconds = quantile({ counts: [...this.#numbers.subarray(from, from + BUCKETS)], sum: 0 }, share);
		return seconds === null ? null : seconds * 1000;
	}
}

/** A function's counts of one window: a ring of slots, and their sum. */
class Ring {
	readonly #slotMs: Milliseconds;
	readonly #slots: (Numbers | null)[] = new Array<Numbers | null>(SLOTS + 1).fill(null);
	readonly sum: Numbers = new Uint32Array(NUMBERS);
	#latest = Number.NEGATIVE_INFINITY;

	constructor(window: Milliseconds) {
		this.#slotMs = window / SLOTS;
	}

	/** Forgets what is too old. */
	advance(now: Milliseconds): void {
		const latest = Math.floor(now / this.#slotMs);
		const first = Math.max(0, this.#latest + 1, latest - SLOTS);
		for (let slot = first; slot <= latest; slot++) {
			const at = slot % (SLOTS + 1);
			const gone = this.#slots[at];
			if (gone !== null) for (let i = 0; i < NUMBERS; i++) this.sum[i] -= gone[i];
			this.#slots[at] = null;
		}
		this.#latest = Math.max(this.#latest, latest);
	}

	/** Counts what was at a time, which may be some while ago. */
	add(time: Milliseconds, more: Numbers): void {
		const slot = Math.floor(time / this.#slotMs);
		if (slot < 0 || slot <= this.#latest - SLOTS - 1 || slot > this.#latest) return;
		const at = slot % (SLOTS + 1);
		const numbers = this.#slots[at] ?? new Uint32Array(NUMBERS);
		this.#slots[at] = numbers;
		for (let i = 0; i < NUMBERS; i++) {
			numbers[i] += more[i];
			this.sum[i] += more[i];
		}
	}

	get isEmpty(): boolean {
		return this.sum[AT.requests] === 0;
	}
}

interface Function {
	rings: Map<Milliseconds, Ring>;
	memoryBytes: Bytes;
}

/**
 * What functions did within the last minutes or hours: for each window that a rule has, a sum that edges' tallies are
 * added to as they come, and that forgets what is older. Times are those of a clock that never jumps.
 */
export class Windows {
	readonly #clock: Clock;
	readonly #functions = new Map<TenantName, Map<FunctionName, Function>>();
	/** From when on a window's counts are whole. */
	readonly #since = new Map<Milliseconds, Milliseconds>();
	#count = 0;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Has counts for these windows, and no others. Returns those that are new. */
	use(windows: ReadonlySet<Milliseconds>): Milliseconds[] {
		for (const window of this.#since.keys()) {
			if (windows.has(window)) continue;
			this.#since.delete(window);
			for (const { rings } of this.#all()) rings.delete(window);
		}
		const added = [...windows].filter((window) => !this.#since.has(window));
		for (const window of added) this.#since.set(window, this.#clock.monotonic());
		return added;
	}

	/** Whether there is all that was within a window. */
	covers(window: Milliseconds): boolean {
		const since = this.#since.get(window);
		return since !== undefined && this.#clock.monotonic() - since >= window;
	}

	/** An edge has told what functions have done. */
	add(tallies: readonly Tally[]): void {
		const now = this.#clock.monotonic();
		for (const tally of tallies) {
			const one = this.#function(tally.tenant, tally.function);
			if (one === null) continue;
			const numbers = numbersOf(tally);
			for (const window of this.#since.keys()) this.#ring(one, window, now).add(now, numbers);
			if (tally.memoryBytes > 0) one.memoryBytes = tally.memoryBytes;
		}
	}

	/** Adds what was there before a window was counted, as the log has it. */
	backfill(window: Milliseconds, rollups: readonly Rollup[]): void {
		const since = this.#since.get(window);
		if (since === undefined) return;
		const now = this.#clock.monotonic();
		const offset = now - this.#clock.wall();
		for (const rollup of rollups) {
			// What is counted already would be counted twice.
			if (rollup.time + rollup.step + offset > since) continue;
			const one = this.#function(rollup.tenant, rollup.function);
			if (one === null) continue;
			this.#ring(one, window, now).add(rollup.time + offset, numbersOf(rollup));
			if (one.memoryBytes === 0) one.memoryBytes = rollup.memoryBytes;
		}
	}

	/** All that was since a time has been added. */
	reach(window: Milliseconds, from: EpochMs): void {
		const since = this.#since.get(window);
		const reached = from + this.#clock.monotonic() - this.#clock.wall();
		if (since !== undefined) this.#since.set(window, Math.min(since, reached));
	}

	tenants(): TenantName[] {
		return [...this.#functions.keys()];
	}

	/** The functions of a tenant that have done something within the windows. */
	functionsOf(tenant: TenantName): FunctionName[] {
		return [...(this.#functions.get(tenant)?.keys() ?? [])];
	}

	/** What some functions of a tenant did within a window. */
	counts(tenant: TenantName, names: readonly FunctionName[], window: Milliseconds): Counts {
		const now = this.#clock.monotonic();
		const counts = new Counts();
		for (const name of names) {
			const one = this.#functions.get(tenant)?.get(name);
			const ring = one?.rings.get(window);
			if (one === undefined || ring === undefined) continue;
			ring.advance(now);
			if (!ring.isEmpty) counts.add(ring.sum, one.memoryBytes);
		}
		return counts;
	}

	/** Forgets functions of which there is nothing any more. */
	sweep(): void {
		const now = this.#clock.monotonic();
		for (const [tenant, functions] of this.#functions) {
			for (const [name, { rings }] of functions) {
				for (const [window, ring] of rings) {
					ring.advance(now);
					if (ring.isEmpty) rings.delete(window);
				}
				if (rings.size > 0) continue;
				functions.delete(name);
				this.#count--;
			}
			if (functions.size === 0) this.#functions.delete(tenant);
		}
	}

	*#all(): Generator<Function> {
		for (const functions of this.#functions.values()) yield* functions.values();
	}

	#function(tenant: TenantName, name: FunctionName): Function | null {
		// Nobody's, and those of which there are too many to be told apart.
		if (tenant === "" || name === "") return null;
		const functions = this.#functions.get(tenant) ?? new Map<FunctionName, Function>();
		const known = functions.get(name);
		if (known !== undefined) return known;
		const most = tenant === DEFAULT_TENANT ? MOST_FUNCTIONS : MOST_FUNCTIONS / 4;
		if (this.#count >= MOST_FUNCTIONS || functions.size >= most) return null;
		const made: Function = { rings: new Map(), memoryBytes: 0 };
		this.#functions.set(tenant, functions.set(name, made));
		this.#count++;
		return made;
	}

	#ring({ rings }: Function, window: Milliseconds, now: Milliseconds): Ring {
		const ring = rings.get(window) ?? new Ring(window);
		rings.set(window, ring);
		ring.advance(now);
		return ring;
	}
}
