import type { Count } from "../../units.ts";
import type { Column, Grouping, Key, Measure } from "../query/query.ts";
import { columnOf } from "./compile.ts";
import { Sketch } from "./sketch.ts";

/** So many groups are told apart, and so many where quantiles are wanted; what comes then is one more. */
const MOST_GROUPS: Count = 10_000;
const MOST_WITH_SKETCHES: Count = 1000;
/** The texts by which they are told apart take no more than this. */
const MOST_KEY_LETTERS = 4 * 2 ** 20;
/** How that one is called. */
const OTHERS = "_others";

export type Cell = string | number | null;

/** What has been measured of one field in one group. */
interface Fold {
	count: Count;
	sum: number;
	min: number;
	max: number;
	sketch: Sketch | null;
}

interface OneGroup {
	keys: Cell[];
	count: Count;
	folds: Fold[];
}

/** Entries as they are counted and measured in groups. */
export class Groups {
	readonly #grouping: Grouping;
	/** The fields that are measured, each once, and whether by quantiles. */
	readonly #fields: { name: string; isSketched: boolean }[] = [];
	readonly #groups = new Map<string, OneGroup>();
	readonly #most: Count;
	#keyLetters = 0;
	/** The columns that are read of each entry: its time, its keys, what is measured. */
	readonly columns: readonly string[];

	constructor(grouping: Grouping) {
		this.#grouping = grouping;
		const measured: string[] = [];
		for (const { what } of grouping.measures) {
			if (what.kind === "count") continue;
			const isSketched = what.kind === "quantile";
			const there = this.#fields.find(({ name }) => name === what.field.name);
			if (there !== undefined) there.isSketched ||= isSketched;
			else {
				this.#fields.push({ name: what.field.name, isSketched });
				measured.push(columnOf(what.field));
			}
		}
		const keys = grouping.keys.map(({ what }) => (what.kind === "step" ? "e.time" : columnOf(what.field)));
		this.columns = [...keys, ...measured];
		this.#most = this.#fields.some(({ isSketched }) => isSketched) ? MOST_WITH_SKETCHES : MOST_GROUPS;
	}

	/** Adds an entry, by the values of its columns. */
	add(values: readonly Cell[]): void {
		const { keys } = this.#grouping;
		// Lines without an invocation have no place in a histogram.
		if (keys.some(({ what }, i) => what.kind === "buckets" && values[i] === null)) return;
		const group = this.#group(keys.map(({ what }, i) => keyIn(what, values[i])));
		group.count++;
		for (const [i, fold] of group.folds.entries()) {
			const value = values[keys.length + i];
			if (typeof value !== "number") continue;
			fold.count++;
			fold.sum += value;
			fold.min = Math.min(fold.min, value);
			fold.max = Math.max(fold.max, value);
			fold.sketch?.add(value);
		}
	}

	#group(keys: Cell[]): OneGroup {
		const key = JSON.stringify(keys);
		const there = this.#groups.get(key);
		if (there !== undefined) return there;
		const isFull = this.#groups.size >= this.#most || this.#keyLetters > MOST_KEY_LETTERS;
		if (isFull && keys.some((value) => value !== OTHERS)) return this.#group(keys.map(() => OTHERS));
		const folds = this.#fields.map(
			({ isSketched }): Fold => ({
				...{ count: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY },
				sketch: isSketched ? new Sketch() : null,
			}),
		);
		const group = { keys, count: 0, folds };
		this.#groups.set(key, group);
		this.#keyLetters += key.length;
		return group;
	}

	/** All of them in order, so many at most. */
	table(limit: Count): { columns: string[]; rows: Cell[][] } {
		const { keys, measures, top } = this.#grouping;
		const columns = [...keys, ...measures].map(({ name }) => name);
		// Where nothing is told apart there is one row, of nothing if need be.
		if (keys.length === 0) this.#group([]);
		const rows = [...this.#groups.values()].map((group) => [
			...group.keys,
			...measures.map((measure) => this.#valueOf(group, measure)),
		]);
		const ordered = keys.findIndex(({ what }) => what.kind !== "field");
		const by = top === null ? ordered : columns.indexOf(top.column, keys.length);
		if (by >= 0 && top === null) rows.sort((a, b) => Number(a[by]) - Number(b[by]));
		else {
			const column = by >= 0 ? by : keys.length;
			rows.sort((a, b) => Number(b[column] ?? -1) - Number(a[column] ?? -1));
		}
		return { columns, rows: rows.slice(0, Math.min(limit, top?.count ?? limit)) };
	}

	#valueOf({ count, folds }: OneGroup, { what }: Column<Measure>): number | null {
		if (what.kind === "count") return count;
		const fold = folds[this.#fields.findIndex(({ name }) => name === what.field.name)];
		if (fold.count === 0) return null;
		switch (what.kind) {
			case "avg":
				return fold.sum / fold.count;
			case "quantile":
				return fold.sketch?.quantile(what.share) ?? null;
			default:
				return fold[what.kind];
		}
	}
}

function keyIn(what: Key, value: Cell): Cell {
	switch (what.kind) {
		case "field":
			return what.field.kind === "boolean" && value !== null ? String(value === 1) : value;
		case "step":
			return Number(value) - (Number(value) % what.ms);
		case "buckets":
			return value === null ? null : bucketOf(Number(value));
	}
}

/** The upper bound of a value's bucket: 1, 2.5 or 5 times a power of ten; 0 for itself. */
function bucketOf(value: number): number {
	if (value <= 0) return 0;
	const power = 10 ** Math.floor(Math.log10(value));
	const bound = [1, 2.5, 5, 10].find((factor) => value <= factor * power) ?? 10;
	return Number((bound * power).toPrecision(3));
}
