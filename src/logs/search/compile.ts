import type { Count, EpochMs } from "../../units.ts";
import { type Field, LEVELS } from "../query/fields.ts";
import type { Comparison, Filter } from "../query/query.ts";
import { momentOf, searched } from "../query/values.ts";
import { storedText } from "../store/messages.ts";
import type { Group } from "../store/segment.ts";

/** So many letters are compared in about the time that it takes to come to them. */
const LONG_TEXT = 64;

/** A condition on an entry `e` of a group `g`, with what stands for its question marks. */
export interface Condition {
	sql: string;
	values: (string | number)[];
}

const OF_GROUP = ["tenant", "function", "version"] as const;
type OfGroup = (typeof OF_GROUP)[number];

const isOfGroup = ({ name }: Field): boolean => OF_GROUP.some((one) => one === name);

/** Where a field's values are. Names are those of the table of fields, and nobody's else. */
export function columnOf(field: Field): string {
	return `${isOfGroup(field) ? "g" : "e"}."${field.name}"`;
}

/** A filter in SQL. All that was written in it goes as values. What an entry does not have is not so. */
export function compile(filter: Filter, now: EpochMs): Condition {
	switch (filter.kind) {
		case "and":
		case "or": {
			const parts = filter.parts.map((part) => compile(part, now));
			const sql = `(${parts.map((part) => part.sql).join(filter.kind === "and" ? " AND " : " OR ")})`;
			return { sql, values: parts.flatMap(({ values }) => values) };
		}
		case "not": {
			const { sql, values } = compile(filter.part, now);
			return { sql: `NOT ${sql}`, values };
		}
		case "text":
			return compileText(filter.text, filter.where === "anywhere" ? ["e.text", "e.url"] : ["e.text"]);
		case "compare": {
			const value = typeof filter.value === "string" ? storedText(filter.value) : filter.value;
			return holds(`${columnOf(filter.field)} ${filter.comparison} ?`, [value]);
		}
		case "begins":
			if (filter.prefix === "") return holds(`${columnOf(filter.field)} <> ''`, []);
			return holds(`instr(${columnOf(filter.field)}, ?) = 1`, [storedText(filter.prefix)]);
		case "exceeded":
			if (filter.limit === "") return holds("e.exceeded IS NOT NULL", []);
			return holds("instr(e.exceeded, ?) > 0", [`"${filter.limit}":`]);
		case "level":
			return holds("e.levels & ?", [1 << LEVELS.indexOf(filter.level)]);
		case "time":
			return holds(`e.time ${filter.comparison} ?`, [momentOf(filter.time, now)]);
	}
}

const holds = (sql: string, values: (string | number)[]): Condition => ({ sql: `(${sql}) IS TRUE`, values });

function compileText(text: string, columns: string[]): Condition {
	const value = searched(storedText(text));
	const sql = columns.map((column) => `instr(lower(${column}), ?) > 0`).join(" OR ");
	return holds(
		sql,
		columns.map(() => value),
	);
}

/** How many texts a filter looks for; a long one costs as much as several. */
export function textsIn(filter: Filter): Count {
	if (filter.kind === "and" || filter.kind === "or") return filter.parts.reduce((sum, part) => sum + textsIn(part), 0);
	if (filter.kind === "not") return textsIn(filter.part);
	return filter.kind === "text" ? Math.ceil(filter.text.length / LONG_TEXT) : 0;
}

/** Between which times a filter's entries are, as far as it says so at its top. */
export function rangeOf(filter: Filter | null, now: EpochMs): { since: EpochMs; until: EpochMs } {
	const range = { since: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };
	for (const part of filter === null ? [] : filter.kind === "and" ? filter.parts : [filter]) {
		if (part.kind !== "time") continue;
		const moment = momentOf(part.time, now);
		if (part.comparison === ">=" || part.comparison === ">") range.since = Math.max(range.since, moment);
		else if (part.comparison === "<" || part.comparison === "<=") range.until = Math.min(range.until, moment + 1);
	}
	return range;
}

/** Whether a version's entries may be among a filter's, by what is known without reading any; `null` where some may. */
export function isWithin(filter: Filter, group: Group): boolean | null {
	switch (filter.kind) {
		case "and": {
			const parts = filter.parts.map((part) => isWithin(part, group));
			return parts.includes(false) ? false : parts.includes(null) ? null : true;
		}
		case "or": {
			const parts = filter.parts.map((part) => isWithin(part, group));
			return parts.includes(true) ? true : parts.includes(null) ? null : false;
		}
		case "not": {
			const part = isWithin(filter.part, group);
			return part === null ? null : !part;
		}
		case "compare":
			if (!isOfGroup(filter.field)) return null;
			return isSo(group[filter.field.name as OfGroup], filter.comparison, filter.value as string);
		case "begins":
			if (!isOfGroup(filter.field)) return null;
			return filter.prefix === ""
				? group[filter.field.name as OfGroup] !== ""
				: group[filter.field.name as OfGroup].startsWith(filter.prefix);
		default:
			return null;
	}
}

function isSo(value: string, comparison: Comparison, other: string): boolean | null {
	if (comparison === "=") return value === other;
	if (comparison === "!=") return value !== other;
	// SQLite's order of letters may be another one.
	return null;
}
