import type { LogQuery, LogResult } from "../../logs/calls.ts";
import { nearest } from "../../logs/query/fields.ts";
import type { Filter } from "../../logs/query/query.ts";
import type { FunctionName } from "../../names.ts";
import type { Store } from "../store/store.ts";
import { parsedQuery } from "./parsed-query.ts";

/** So many names are told of, and so much of each: no name is longer. */
const MOST_NOTES = 3;
const MOST_LETTERS = 64;

/**
 * What to say to whoever has found nothing and has named a function that is not there, one sentence each: a query that is
 * misspelt looks like a function that has done nothing. Only what the asker may see is named.
 */
export async function unknownNames(
	store: Store,
	{ query, tenant, functions }: Pick<LogQuery, "query" | "tenant" | "functions">,
	{ entries, rows, cursor }: Pick<LogResult, "entries" | "rows" | "cursor">,
	asked?: FunctionName,
): Promise<string[]> {
	const isNothing = (row: LogResult["rows"][number]) => row.every((cell) => cell === 0 || cell === null);
	if (tenant === null || entries.length > 0 || !rows.every(isNothing) || cursor !== null) return [];
	const named = new Set(functionsIn(parsedQuery(query).filter));
	if (asked !== undefined) named.add(asked);
	if (named.size === 0) return [];
	const all = (await store.list("function", { prefix: `${tenant}/` })).map(({ value }) => value.name);
	const seen = asked === undefined && functions !== null ? all.filter((name) => functions.includes(name)) : all;
	return [...named]
		.filter((name) => !seen.includes(name))
		.slice(0, MOST_NOTES)
		.map((name) => {
			const short = name.slice(0, MOST_LETTERS);
			const near = nearest(short, seen);
			const meant = near === null ? "" : `; did you mean ${near}?`;
			return `the tenant ${tenant} has no function ${JSON.stringify(short)} now${meant}`;
		});
}

/** The functions that a query is of, as far as it says so outright. */
function functionsIn(filter: Filter | null): string[] {
	if (filter?.kind === "and" || filter?.kind === "or") return filter.parts.flatMap(functionsIn);
	const isOne = filter?.kind === "compare" && filter.field.name === "function" && filter.comparison === "=";
	return isOne ? [String(filter.value)] : [];
}
