import { printable } from "../../observe/printable.ts";
import type { Client } from "../client.ts";
import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, listing, progress } from "../command.ts";
import { type LogEntry, LogTable } from "../log-entries.ts";
import { eventsOf, sampledNote } from "../server-sent-events.ts";

/** How wide a table is where it goes to no terminal: nothing is cut. */
const UNBOUNDED = Number.POSITIVE_INFINITY;

interface LogsOptions extends ClientOptions {
	since?: string;
	until?: string;
	limit: number;
	cursor?: string;
	function?: string;
	allTenants?: boolean;
	follow?: boolean;
}

interface LogsResult {
	entries: LogEntry[];
	columns: string[];
	rows: (string | number | null)[][];
	cursor: string | null;
	whole: boolean;
	lost: number;
	/** What may explain that nothing was found. */
	notes: string[];
}

/** `atoll logs`: what a query finds, the latest last, and with `--follow` what comes after that. */
export async function logs(query: string, options: LogsOptions): Promise<void> {
	const { since, until, limit, cursor, allTenants, follow, function: name } = options;
	if (follow && (until !== undefined || cursor !== undefined))
		throw new ClientError("--follow goes on from now: it takes neither --until nor --cursor", Exit.usage);
	const client = clientOf(options);
	const path = allTenants ? "/logs" : `/tenants/${encodeURIComponent(options.tenant)}/logs`;
	// What follows is listened to first, so that nothing comes between.
	const response = follow ? await asked(client, `${path}/follow`, query, { function: name }) : null;
	const shown = new Set<string>();
	if (!follow || since !== undefined) {
		const answer = await asked(client, path, query, { function: name, since, until, limit, cursor });
		const result = (await answer.json()) as LogsResult;
		for (const { record } of result.entries) if (record !== null) shown.add(record.requestId);
		show(result, options);
	}
	if (response !== null) await showEvents(response, shown, options);
}

/** What a query is answered; one that makes no sense is shown with the place where that was noticed. */
async function asked(
	client: Client,
	path: string,
	query: string,
	more: Record<string, string | number | undefined>,
): Promise<Response> {
	const given = Object.entries({ query, ...more }).filter(([, value]) => value !== undefined);
	const search = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
	try {
		return await client.send("GET", `${path}?${search}`);
	} catch (error) {
		const place = /^query: at position (\d+): /.exec((error as Error).message)?.[1];
		if (!(error instanceof ClientError) || place === undefined) throw error;
		const line = printable(query.replace(/[\n\t]/g, " "));
		throw new ClientError(`${error.message}\n  ${line}\n  ${" ".repeat(Number(place))}^`, error.exitCode);
	}
}

function show(result: LogsResult, options: LogsOptions): void {
	const { entries, columns, rows, cursor, whole, lost, notes } = result;
	if (options.json) for (const one of entries.toReversed()) console.log(JSON.stringify(one));
	else if (entries.length > 0) {
		const table = new LogTable(entries, process.stdout.columns ?? UNBOUNDED);
		console.log(printable(table.head()));
		for (const one of entries.toReversed()) console.log(printable(table.entry(one)));
	}
	const objects = () => rows.map((row) => Object.fromEntries(row.map((cell, i) => [columns[i], cell])));
	if (options.json) for (const one of objects()) console.log(JSON.stringify(one));
	else if (columns.length > 0) console.log(printable(groups(columns, rows)));
	else if (entries.length === 0) progress(options, "nothing is found");
	if (!whole) note("not all within the time was looked at: the query was ended at its bounds");
	if (cursor !== null) note(`there is more before that: go on with --cursor ${cursor}`);
	for (const one of notes) note(one);
	if (lost > 0) note(`${lost} records and lines of that time were lost before they were stored`);
}

/** It is no part of what is asked for, and needed by whoever reads that, be it a program. */
function note(text: string): void {
	console.error(printable(text));
}

function groups(columns: string[], rows: LogsResult["rows"]): string {
	const cells = rows.map((row) => row.map((cell, i) => (columns[i] === "time" ? timeOf(cell) : shown(cell))));
	const isNumber = columns.map((_, i) => rows.some((row) => typeof row[i] === "number"));
	const widths = columns.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i].length)));
	const aligned = (row: string[]) => row.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i]) : cell));
	return listing(aligned(columns), cells.map(aligned), "nothing is found");
}

/** When a step of time begins. */
function timeOf(cell: string | number | null): string {
	return new Date(Number(cell)).toISOString().slice(0, 19).replace("T", " ");
}

function shown(value: string | number | null): string {
	if (typeof value !== "number") return (value ?? "-").replace(/[\n\t]/g, " ");
	return Number.isInteger(value) ? String(value) : value.toFixed(3).replace(/\.?0+$/, "");
}

async function showEvents(response: Response, shown: ReadonlySet<string>, options: LogsOptions): Promise<void> {
	const table = new LogTable([], process.stdout.columns ?? UNBOUNDED);
	progress(options, "following; Ctrl-C ends it");
	for await (const { name, data } of eventsOf(response)) {
		if (name === "sampled") note(sampledNote(data));
		if (name !== "message") continue;
		const entry = JSON.parse(data) as LogEntry;
		if (entry.record !== null && shown.has(entry.record.requestId)) continue;
		console.log(options.json ? data : printable(table.entry(entry)));
	}
}
