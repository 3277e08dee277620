import type { LogEntry, LogQuery } from "../../logs/calls.ts";
import { ControlError } from "../control-error.ts";
import type { Logs } from "./logs.ts";

/** What an invocation may be called by whoever sends its request. */
const REQUEST_ID = /^[\w.:-]{1,200}$/;
/** Lines that came without their record are entries of their own. */
const MOST_ENTRIES = 1000;

/** Who looks for an invocation, and when it was. */
export type Sought = Pick<LogQuery, "tenant" | "functions" | "since" | "until">;

/** An invocation of that request, with all its lines. Throws ControlError `not_found` where the log has none. */
export async function invocationOf(logs: Logs, id: string, sought: Sought): Promise<LogEntry> {
	if (!REQUEST_ID.test(id)) throw new ControlError("not_found", "that is no invocation's id");
	const { entries } = await logs.query({ query: `requestId:"${id}"`, ...sought, limit: MOST_ENTRIES, cursor: null });
	const known = entries.find(({ record }) => record !== null) ?? entries[0];
	if (known === undefined)
		throw new ControlError(
			"not_found",
			`the log has no invocation ${id}: it is too old, or its record is not stored yet`,
		);
	const lines = entries.flatMap((one) => one.lines).sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
	return { ...known, lines };
}
