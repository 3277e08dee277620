import type { Milliseconds } from "../../units.ts";
import { FIELDS, type Field, isMeasured, nearest, unknownField } from "./fields.ts";
import type { Column, Grouping, Key, Measure } from "./query.ts";
import type { Scanner } from "./scanner.ts";
import { durationOf } from "./values.ts";

const MOST_MEASURES = 8;
const MOST_KEYS = 4;
const MOST_ROWS = 1000;
const SHORTEST_STEP: Milliseconds = 1000;
const LONGEST_STEP: Milliseconds = 31 * 24 * 3600_000;

const QUANTILES: Record<string, number> = { p50: 0.5, p75: 0.75, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 };
const FOLDS = ["min", "max", "avg", "sum"] as const;
const NAMES = ["count", ...Object.keys(QUANTILES), ...FOLDS, "histogram"];

/** Reads what stands behind the bar: numbers, what they are told apart by, and how many rows. */
export function parseGrouping(scanner: Scanner): Grouping {
	const grouping: Grouping = { keys: [], measures: [], top: null };
	do readMeasure(scanner, grouping);
	while (isNext(scanner, ","));
	scanner.skipSpace();
	if (scanner.takeWord("by")) {
		do readKey(scanner, grouping);
		while (isNext(scanner, ","));
	}
	if (isNext(scanner, "|")) readTop(scanner, grouping);
	if (scanner.skipSpace()) scanner.fail(grouping.top === null ? "`by`, `| top` or the query's end" : "the query's end");
	return grouping;
}

function isNext(scanner: Scanner, sign: string): boolean {
	return scanner.skipSpace() && scanner.take(sign);
}

function readMeasure(scanner: Scanner, { keys, measures }: Grouping): void {
	scanner.skipSpace();
	const began = scanner.position;
	const word = scanner.name();
	if (measures.length >= MOST_MEASURES) scanner.fail(`no more than ${MOST_MEASURES} numbers`, began);
	if (word === "count") {
		add(scanner, measures, { name: "count", what: { kind: "count" } }, began);
		return;
	}
	const fold = FOLDS.find((one) => one === word);
	const isQuantile = Object.hasOwn(QUANTILES, word);
	if (fold === undefined && !isQuantile && word !== "histogram") {
		const near = word === "" ? null : nearest(word.slice(0, 20), NAMES);
		scanner.fail(near === null ? `a number: ${NAMES.join(", ")}` : near, began);
	}
	const field = readMeasured(scanner);
	const name = `${word}(${field.name})`;
	if (fold !== undefined) add(scanner, measures, { name, what: { kind: fold, field } }, began);
	else if (isQuantile)
		add(scanner, measures, { name, what: { kind: "quantile", share: QUANTILES[word], field } }, began);
	else {
		add(scanner, measures, { name: "count", what: { kind: "count" } }, began);
		keys.push({ name: field.name, what: { kind: "buckets", field } });
	}
}

/** A field in parentheses that has numbers. */
function readMeasured(scanner: Scanner): Field {
	scanner.skipSpace();
	if (!scanner.take("(")) scanner.fail("a field in parentheses, as in p99(cpuMs)");
	scanner.skipSpace();
	const began = scanner.position;
	const field = fieldOf(scanner, scanner.name(), began);
	if (!isMeasured(field)) scanner.fail("a field that has numbers", began);
	scanner.skipSpace();
	if (!scanner.take(")")) scanner.fail(")");
	return field;
}

function fieldOf(scanner: Scanner, name: string, at: number): Field {
	return FIELDS.get(name) ?? scanner.fail(name === "" ? "a field" : unknownField(name), at);
}

function readKey(scanner: Scanner, { keys }: Grouping): void {
	scanner.skipSpace();
	const began = scanner.position;
	if (keys.length >= MOST_KEYS) scanner.fail(`no more than ${MOST_KEYS} fields`, began);
	const word = scanner.name();
	const ms = durationOf(word);
	if (ms !== null) {
		if (ms < SHORTEST_STEP || ms > LONGEST_STEP) scanner.fail("a step of time from 1s to 31d", began);
		if (keys.some(({ what }) => what.kind !== "field")) scanner.fail("one step of time or histogram, not two", began);
		keys.unshift({ name: "time", what: { kind: "step", ms } });
		return;
	}
	const field = fieldOf(scanner, word, began);
	add<Key>(scanner, keys, { name: field.name, what: { kind: "field", field } }, began);
}

function add<What extends Key | Measure>(scanner: Scanner, to: Column<What>[], column: Column<What>, at: number): void {
	if (to.some(({ name }) => name === column.name)) scanner.fail(`${column.name} once`, at);
	to.push(column);
}

function readTop(scanner: Scanner, grouping: Grouping): void {
	scanner.skipSpace();
	if (!scanner.takeWord("top")) scanner.fail("top, as in | top 10");
	scanner.skipSpace();
	const began = scanner.position;
	const count = Number(scanner.name());
	if (!Number.isInteger(count) || count < 1 || count > MOST_ROWS)
		scanner.fail(`a number from 1 to ${MOST_ROWS}`, began);
	grouping.top = { count, column: grouping.measures[0].name };
	scanner.skipSpace();
	if (!scanner.takeWord("by")) return;
	scanner.skipSpace();
	const at = scanner.position;
	const name = scanner.name();
	const field = isNext(scanner, "(") ? `(${scanner.name()}${scanner.take(")") ? ")" : ""}` : "";
	const column = grouping.measures.find((measure) => measure.name === name + field);
	if (column === undefined) {
		scanner.fail(`one of the query's numbers: ${grouping.measures.map((measure) => measure.name).join(", ")}`, at);
	}
	grouping.top.column = column.name;
}
