import { Refused } from "../../../stores/store.ts";
import type { Bytes, Seconds } from "../../../units.ts";
import type { AnalyticsResult } from "../calls.ts";
import { MOST_BLOBS, MOST_DOUBLES } from "../schema.ts";
import { type Aggregate, aggregateOf, type Room, type State } from "./aggregates.ts";
import { compile, type Scope } from "./compile.ts";
import type { Expression, Query, Selected } from "./parser.ts";
import { type Compiled, timeText, type Value } from "./values.ts";

/** A point as queries see it. */
export interface Row {
	dataset: string;
	time: Seconds;
	index: string;
	blobs: string[];
	doubles: (number | null)[];
}

/** What a query may hold while it runs, and give in the end. */
const MOST_BYTES: Bytes = 32 * 2 ** 20;
const MOST_RESULT: Bytes = 4 * 2 ** 20;
const MOST_ROWS = 10_000;
/** So many expressions a query has once its aliases stand for what they are called for. */
const MOST_EXPRESSIONS = 5000;
/** So many letters of a point are looked at, and values of what has been found at the end: others wait for it. */
const MOST_LOOKED = 4_000_000;
/** What a row of the result, or a group, takes beside its texts. */
const ROW_BYTES: Bytes = 200;

/** A group of rows, or one row alone. */
interface Group {
	keys: Value[];
	states: State[];
	results: Value[];
}

/** What a row of the result is made of, and in which order it comes. */
interface Outcome {
	values: Value[];
	order: Value[];
}

/** A query as it runs: it is given rows, the oldest first, and gives a result once there are no more. */
export class Running implements Room {
	readonly #query: Query;
	readonly #where: Compiled<Row> | null;
	/** Which times rows may have that the query counts, as far as it says that plainly. */
	readonly times: { from: Seconds; to: Seconds };
	readonly #columns: { name: string; compiled: Compiled<never> }[];
	readonly #order: Compiled<never>[];
	readonly #having: Compiled<never> | null;
	/** `null` where each row is one of the result. */
	readonly #groups: Map<string, Group> | null;
	readonly #keys: Compiled<Row>[] = [];
	readonly #aggregates: Aggregate<Row>[] = [];
	#outcomes: Outcome[] = [];
	#bytes: Bytes = 0;
	/** Letters and values that were looked at since the last point came. */
	#looked = 0;
	/** How many expressions each group is asked for. */
	readonly #asked: number;

	constructor(query: Query, now: Seconds) {
		this.#query = query;
		const selected =
			query.selected ?? COLUMNS.map((name): Selected => ({ name, expression: { kind: "column", name } }));
		const whole = new Whole(selected);
		const spend = (count: number) => this.#spend(count);
		const ofRows: Scope<Row> = { now, known: () => null, column, spend };
		const grouped = query.groupBy.map((each) => whole.expanded(each));
		const where = query.where === null ? null : whole.expanded(query.where);
		this.#where = where === null ? null : compile(where, ofRows);
		this.times = timesIn(where, ofRows);
		const keyOf = (expression: Expression) => JSON.stringify(expression);
		const keys = new Map(grouped.map((each, i) => [keyOf(each), i]));
		this.#keys = grouped.map((each) => compile(each, ofRows));
		const slots = new Map<string, number>();
		const ofGroups: Scope<Group> = {
			now,
			known: (expression) => {
				const key = keyOf(expression);
				const at = keys.get(key);
				if (at !== undefined) return { type: this.#keys[at].type, of: (group) => group.keys[at] };
				if (expression.kind !== "call") return null;
				const known = slots.get(key);
				const aggregate =
					known === undefined ? aggregateOf(expression, (each) => compile(each, ofRows)) : this.#aggregates[known];
				if (aggregate === null) return null;
				const slot = known ?? this.#aggregates.push(aggregate) - 1;
				slots.set(key, slot);
				return { type: aggregate.type, of: (group) => group.results[slot] };
			},
			column: (name) => {
				throw new Refused(`400 the column ${name.slice(0, 50)} is neither in GROUP BY nor in an aggregate`);
			},
			spend,
		};
		const all = [
			...selected.map(({ expression }) => expression),
			...query.orderBy.map(({ expression }) => expression),
			...(query.having === null ? [] : [query.having]),
		].map((each) => whole.expanded(each));
		this.#asked = whole.count;
		const isGrouped = query.groupBy.length > 0 || all.some(hasAggregate);
		const scope = (isGrouped ? ofGroups : ofRows) as Scope<never>;
		const compiled = all.map((each) => compile(each, scope));
		this.#columns = selected.map(({ name }, i) => ({ name, compiled: compiled[i] }));
		this.#order = compiled.slice(selected.length, selected.length + query.orderBy.length);
		this.#having = query.having === null ? null : compiled[compiled.length - 1];
		this.#groups = isGrouped ? new Map() : null;
		if (query.having !== null && !isGrouped) throw new Refused("400 HAVING without GROUP BY or aggregates");
	}

	take(bytes: Bytes): void {
		this.#bytes += bytes;
		if (this.#bytes > MOST_BYTES)
			throw new Refused("413 the query has to hold too much: let it look at less, or group by less");
	}

	#spend(count: number): void {
		this.#looked += count;
		if (this.#looked > MOST_LOOKED)
			throw new Refused("413 the query has too much to look at: let it compare less, or group by less");
	}

	/** Takes a row. Says whether the query has all that it wants. */
	add(row: Row): boolean {
		this.#looked = 0;
		if (this.#where !== null && !this.#where.of(row)) return false;
		if (this.#groups === null) return this.#put(row as never);
		const keys = this.#keys.map((key) => key.of(row));
		const name = JSON.stringify(keys);
		let group = this.#groups.get(name);
		if (group === undefined) {
			this.take(ROW_BYTES + 4 * name.length);
			group = this.#begin(keys);
			this.#groups.set(name, group);
		}
		for (const [i, { args }] of this.#aggregates.entries()) group.states[i].add(args.map((arg) => arg.of(row)));
		return false;
	}

	#begin(keys: Value[]): Group {
		return { keys, states: this.#aggregates.map((aggregate) => aggregate.begin(this)), results: [] };
	}

	/** Puts a row, or a group, into the result. Says whether that has all that is wanted. */
	#put(given: never): boolean {
		const values = this.#columns.map(({ compiled }) => compiled.of(given));
		const order = this.#order.map((compiled) => compiled.of(given));
		this.#outcomes.push({ values, order });
		this.take(ROW_BYTES + sizeOf(values) + sizeOf(order));
		const { limit, offset } = this.#query;
		if (limit === null) return false;
		const wanted = limit + offset;
		if (this.#order.length === 0) return this.#outcomes.length >= wanted;
		// Of those that are in no order yet twice as many are held as are wanted.
		if (this.#outcomes.length > 2 * wanted + 1000) this.#keep(wanted);
		return false;
	}

	#keep(count: number): void {
		this.#sort();
		for (const { values, order } of this.#outcomes.splice(count))
			this.#bytes -= ROW_BYTES + sizeOf(values) + sizeOf(order);
	}

	#sort(): void {
		const { orderBy } = this.#query;
		this.#outcomes.sort((one, other) => {
			for (const [i, { descending }] of orderBy.entries()) {
				const [left, right] = [one.order[i], other.order[i]];
				if (left !== right) return left < right === descending ? 1 : -1;
				this.#spend(1);
			}
			return 0;
		});
	}

	/** There are no more rows. */
	result(): AnalyticsResult {
		this.#looked = 0;
		if (this.#groups !== null) {
			if (this.#groups.size === 0 && this.#query.groupBy.length === 0) this.#groups.set("", this.#begin([]));
			for (const group of this.#groups.values()) {
				this.#spend(this.#asked);
				group.results = group.states.map((state) => state.result());
				if (this.#having === null || this.#having.of(group as never)) this.#put(group as never);
			}
		}
		const { limit, offset, format } = this.#query;
		if (this.#order.length > 0) this.#sort();
		const chosen = this.#outcomes.slice(offset, limit === null ? undefined : offset + limit);
		const bytes = chosen.reduce((sum, { values }) => sum + 20 * values.length + sizeOf(values), 0);
		if (chosen.length > MOST_ROWS || bytes > MOST_RESULT)
			throw new Refused(`413 the result has more than ${MOST_ROWS} rows, or is too large: give it a LIMIT`);
		const columns = this.#columns.map(({ name, compiled: { type } }) => ({ name, type }));
		const rows = chosen.map(({ values }) => values.map((value, i) => told(value, columns[i].type)));
		return { columns, rows, format };
	}
}

/** As ClickHouse tells it: whole numbers that may be large as texts, and what is no number as nothing. */
function told(value: Value, type: string): unknown {
	if (type === "DateTime") return timeText(value as number);
	if (type === "Int64" || type === "UInt64") return Number.isFinite(value) ? String(value) : null;
	return typeof value === "number" && !Number.isFinite(value) ? null : value;
}

function sizeOf(values: Value[]): Bytes {
	return values.reduce<number>((sum, value) => sum + (typeof value === "number" ? 8 : 2 * value.length), 0);
}

/** The expressions of a query, in which aliases stand for others. */
class Whole {
	readonly #aliases: ReadonlyMap<string, Expression>;
	/** How many there are. */
	count = 0;

	constructor(selected: Selected[]) {
		this.#aliases = new Map(selected.map(({ name, expression }) => [name, expression]));
	}

	/** An expression without aliases. One within what it is called for is a column. */
	expanded(expression: Expression, within: readonly string[] = []): Expression {
		if (++this.count > MOST_EXPRESSIONS) throw new Refused("400 the query has too many expressions");
		const all = (list: Expression[]) => list.map((each) => this.expanded(each, within));
		switch (expression.kind) {
			case "column": {
				const { name } = expression;
				const named = within.includes(name) ? undefined : this.#aliases.get(name);
				return named === undefined || (named.kind === "column" && named.name === name)
					? expression
					: this.expanded(named, [...within, name]);
			}
			case "call":
				return { ...expression, args: all(expression.args) };
			case "in":
				return { ...expression, value: this.expanded(expression.value, within), among: all(expression.among) };
			default:
				return expression;
		}
	}
}

const AGGREGATING = new Set(
	"count sum avg min max argmin argmax first_value last_value quantileexactweighted quantileweighted topk topkweighted".split(
		" ",
	),
);

function hasAggregate(expression: Expression): boolean {
	if (expression.kind === "in") return [expression.value, ...expression.among].some(hasAggregate);
	if (expression.kind !== "call") return false;
	return AGGREGATING.has(expression.name.toLowerCase()) || expression.args.some(hasAggregate);
}

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i + 1}`);
const COLUMNS = [
	...["dataset", "timestamp", "_sample_interval", "index1"],
	...numbered("blob", MOST_BLOBS),
	...numbered("double", MOST_DOUBLES),
];

function column(name: string): Compiled<Row> {
	switch (name) {
		case "dataset":
			return { type: "String", of: (row) => row.dataset };
		case "timestamp":
			return { type: "DateTime", of: (row) => row.time };
		case "_sample_interval":
			return { type: "UInt32", of: () => 1 };
		case "index1":
			return { type: "String", of: (row) => row.index };
	}
	const [, kind, place] = /^(blob|double)([1-9]\d?)$/.exec(name) ?? [];
	const at = Number(place) - 1;
	if (kind === "blob" && at < MOST_BLOBS) return { type: "String", of: (row) => row.blobs[at] ?? "" };
	if (kind === "double" && at < MOST_DOUBLES) return { type: "Float64", of: (row) => row.doubles[at] ?? 0 };
	throw new Refused(`400 there is no column ${name.slice(0, 50)}`);
}

/** What the conditions that all have to hold say of the time. */
function timesIn(where: Expression | null, scope: Scope<Row>): { from: Seconds; to: Seconds } {
	const times = { from: 0, to: Number.MAX_SAFE_INTEGER };
	if (where?.kind !== "call") return times;
	const { name, args } = where;
	if (name === "AND") {
		const [one, other] = args.map((each) => timesIn(each, scope));
		return { from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) };
	}
	const [left, right] = args;
	const isTime = (one: Expression | undefined) => one?.kind === "column" && one.name === "timestamp";
	if (!isTime(left) || right === undefined) return times;
	const at = timeGiven(right, scope);
	if (at === null) return times;
	if (name === ">" || name === ">=" || name === "=") times.from = at;
	if (name === "<" || name === "<=" || name === "=") times.to = at;
	return times;
}

/** A time that is the same for all rows; `null` for none. */
function timeGiven(expression: Expression, scope: Scope<Row>): Seconds | null {
	try {
		const asTime: Expression = {
			kind: "call",
			name: "toDateTime",
			parameters: [],
			args: [expression],
			distinct: false,
		};
		const { constant } = compile(asTime, scope);
		return typeof constant === "number" && Number.isFinite(constant) ? constant : null;
	} catch {
		return null; // It depends on the row, or makes no sense, which is told where it is compiled.
	}
}
