import { createHash } from "node:crypto";
import { Refused } from "../../stores/store.ts";
import type { EpochMs } from "../../units.ts";
import type { LogQuery } from "../calls.ts";

/** Where a page has ended: what comes next is before that. */
export interface Position {
	time: EpochMs;
	id: number;
}

/** What a cursor has: the position, and the times that the first page was asked for with. */
export interface Page {
	position: Position;
	since: EpochMs;
	until: EpochMs;
	now: EpochMs;
}

/** Which query a cursor is of, without its times. */
function markOf({ query, tenant, functions }: LogQuery): string {
	return createHash("sha256")
		.update(JSON.stringify([query, tenant, functions]))
		.digest("base64url")
		.slice(0, 16);
}

export function cursorOf(query: LogQuery, { position, since, until, now }: Page): string {
	return Buffer.from(JSON.stringify([markOf(query), position.time, position.id, since, until, now])).toString(
		"base64url",
	);
}

/** Throws Refused where it is none, or another query's. */
export function pageOf(query: LogQuery, cursor: string): Page {
	const [mark, ...numbers] = partsOf(cursor);
	if (numbers.length !== 5 || !numbers.every((number) => Number.isFinite(number)))
		throw new Refused("400 cursor: it is none that this log has given");
	if (mark !== markOf(query))
		throw new Refused("400 cursor: it belongs to another query, or to other tenants or functions");
	const [time, id, since, until, now] = numbers as number[];
	return { position: { time, id }, since, until, now };
}

function partsOf(cursor: string): unknown[] {
	try {
		const parts = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown;
		return Array.isArray(parts) ? parts : [];
	} catch {
		return [];
	}
}
