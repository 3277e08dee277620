import { parseQuery } from "../../logs/query/parser.ts";
import type { Query } from "../../logs/query/query.ts";
import { QueryError } from "../../logs/query/query-error.ts";
import { ControlError } from "../control-error.ts";

/** A query of the log as somebody has written it. Throws ControlError `invalid`, with the place, where it makes no sense. */
export function parsedQuery(text: string): Query {
	try {
		return parseQuery(text);
	} catch (error) {
		throw error instanceof QueryError ? new ControlError("invalid", `query: ${error.message}`) : error;
	}
}
