import type { DatabaseSync } from "node:sqlite";
import { addSums, newSums } from "../../observe/tally.ts";
import { Refused } from "../../stores/store.ts";
import type { Count, EpochMs, Milliseconds } from "../../units.ts";
import type { Rollup, RollupQuery } from "../calls.ts";
import { sumsIn } from "./sums.ts";

/** How much a query reads and tells at most, and how long it takes of the process's own time and of everybody's. */
export interface RollupBounds {
	rows: Count;
	told: Count;
	ownMs: Milliseconds;
	ms: Milliseconds;
}

/** They end well before whoever asks no longer waits. */
const BOUNDS: RollupBounds = { rows: 200_000, told: 12_000, ownMs: 5000, ms: 15_000 };
/** So many are read until it looks at the clock. */
const MOST_AT_ONCE: Count = 100;

interface Row {
	time: EpochMs;
	tenant: string;
	function: string;
	version: string;
	value: string;
}

type Whose = Pick<Rollup, "tenant" | "function" | "version">;

/** One query for rollups as it runs, some milliseconds at a time. */
export class RollupSearch {
	readonly #query: RollupQuery;
	readonly #bounds: RollupBounds;
	readonly #rows: Iterator<Row, unknown>;
	readonly #told = new Map<string, Rollup>();
	#read: Count = 0;
	readonly #beganAt = performance.now();
	#usedMs: Milliseconds = 0;

	/** Throws Refused for what makes no sense. */
	constructor(database: DatabaseSync, query: RollupQuery, bounds = BOUNDS) {
		if (query.functions !== null && query.tenant === null)
			throw new Refused("400 functions: they are asked for of one tenant");
		this.#query = query;
		this.#bounds = bounds;
		this.#rows = rowsOf(database, query);
	}

	/** Goes on until then; gives whether it has ended. Throws Refused where it is too much, or takes too long. */
	step(until: Milliseconds): boolean {
		const began = performance.now();
		try {
			let isDone = false;
			let now = began;
			for (; !isDone && now < until; now = performance.now()) isDone = this.#readSome();
			this.#usedMs += now - began;
			if (!isDone) this.#checkTime(now);
			return isDone;
		} catch (error) {
			// Statements that are not gone through hold what they read.
			this.#rows.return?.();
			throw error;
		}
	}

	#checkTime(now: Milliseconds): void {
		if (this.#usedMs > this.#bounds.ownMs)
			throw new Refused("400 step: that takes too long: ask for longer steps, or a shorter time");
		if (now - this.#beganAt > this.#bounds.ms) throw new Refused("429 too much is asked of the log: ask again");
	}

	/** Gives whether nothing is left. */
	#readSome(): boolean {
		const { rows, told } = this.#bounds;
		for (let i = 0; i < MOST_AT_ONCE; i++) {
			const { done, value } = this.#rows.next();
			if (done) return true;
			if (++this.#read > rows || this.#told.size > told)
				throw new Refused("400 step: there are too many for one answer: ask for longer steps, or a shorter time");
			this.#add(value);
		}
		return false;
	}

	#add(row: Row): void {
		const { tenant, by, step } = this.#query;
		const whose: Whose = {
			tenant: by === "total" ? (tenant ?? "") : row.tenant,
			function: by === "total" ? "" : row.function,
			version: by === "version" ? row.version : "",
		};
		const key = `${row.time}/${whose.tenant}/${whose.function}/${whose.version}`;
		const rollup = this.#told.get(key) ?? { time: row.time, step, ...whose, ...newSums() };
		this.#told.set(key, rollup);
		addSums(rollup, sumsIn(row.value));
	}

	/** Steps in order. */
	result(): Rollup[] {
		return [...this.#told.values()].sort((a, b) => a.time - b.time);
	}
}

function* rowsOf(database: DatabaseSync, query: RollupQuery): Generator<Row> {
	const { step, tenant, functions, since, until } = query;
	const rows = (condition: string, ...values: (string | number)[]) =>
		database
			.prepare(`SELECT time, tenant, function, version, value FROM rollups WHERE step = ? AND ${condition}`)
			// A step that has begun before is not all of it after.
			.iterate(step, ...values, Math.ceil(since / step) * step, until) as unknown as Iterable<Row>;
	if (tenant === null) yield* rows("time >= ? AND time < ?");
	else if (functions === null) yield* rows("tenant = ? AND time >= ? AND time < ?", tenant);
	else
		for (const name of new Set(functions))
			yield* rows("tenant = ? AND function = ? AND time >= ? AND time < ?", tenant, name);
}
