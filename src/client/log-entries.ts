import { label } from "../observe/printable.ts";

/** An invocation with what it logged, or lines of none, as the API tells of it. */
export interface LogEntry {
	time: number;
	record: {
		requestId: string;
		tenant: string;
		function: string;
		version: string;
		event: string;
		method: string;
		url: string;
		status: number;
		outcome: string;
		wallMs: number;
		cpuMs: number;
	} | null;
	lines: { time: string; level: string; tenant: string; function: string; version: string; message: string }[];
}

/** How wide columns are at least, and where what will be in them is not known yet. */
const LEAST = [18, 8, 8, 6, 6, 6];
const WIDTHS = [18, 16, 8, 14, 7, 6];
const NAMES = ["TIME (UTC)", "FUNCTION", "VERSION", "RESULT", "MS", "CPU MS", "WHAT"];
/** Those are numbers, which end where the others begin. */
const RIGHT = [4, 5];
const VERSION_DIGITS = 8;

/** Entries as a table, one line each, with what was logged below it. */
export class LogTable {
	readonly #widths: number[];
	readonly #width: number;

	/** What is in the table, as far as it is known, and how wide it may be. */
	constructor(entries: readonly LogEntry[], width: number) {
		const rows = entries.map(cellsOf);
		this.#widths = (entries.length === 0 ? WIDTHS : LEAST).map((width, i) =>
			Math.max(width, ...rows.map((row) => row[i].length)),
		);
		this.#width = width;
	}

	head(): string {
		return this.#row(NAMES);
	}

	entry(entry: LogEntry): string {
		const { record } = entry;
		const lines = entry.lines.map(({ level, message }) => indented(level === "log" ? "" : `${level} `, message));
		const isQuiet = lines.length === 0 && (record === null || record.outcome === "ok");
		const id = record === null || isQuiet ? [] : [`    request ${record.requestId}`];
		return [this.#row(cellsOf(entry)), ...lines, ...id].join("\n");
	}

	#row(cells: string[]): string {
		const columns = this.#widths.map((width, i) =>
			RIGHT.includes(i) ? cells[i].padStart(width) : cells[i].padEnd(width),
		);
		const before = `${columns.join("  ")}  `;
		const what = cells.at(-1) as string;
		const room = Math.max(20, this.#width - before.length);
		return (before + (what.length > room ? `${what.slice(0, room - 1)}…` : what)).trimEnd();
	}
}

/** Each line of a message stands below the first. */
function indented(before: string, message: string): string {
	const indent = `\n${" ".repeat(4 + before.length)}`;
	return `    ${before}${message.replaceAll("\n", indent)}`;
}

function cellsOf({ time, record, lines }: LogEntry): string[] {
	const at = shortTime(new Date(time).toISOString());
	const [first] = lines;
	const { tenant = "", function: name = "", version = "" } = record ?? first ?? {};
	const who = name === "" ? "-" : label({ tenant, name });
	const what = [at, oneLine(who), version.slice(0, VERSION_DIGITS)];
	if (record === null) return [...what, "", "", "", ""];
	return [...what, resultOf(record), number(record.wallMs), number(record.cpuMs), whatOf(record)];
}

/** A time in UTC as it stands before what happened then: to the millisecond, without the year. */
export const shortTime = (iso: string) => iso.slice(5, 23).replace("T", " ");

const number = (ms: number) => ms.toFixed(ms < 1000 ? 1 : 0);
const oneLine = (text: string) => text.replaceAll("\n", " ").replaceAll("\t", " ");

function resultOf({ status, outcome }: NonNullable<LogEntry["record"]>): string {
	const told = status === 0 ? "" : String(status);
	return outcome === "ok" && told !== "" ? told : `${told} ${outcome}`.trim();
}

/** Of a function's own requests what stands behind the hostname. */
function whatOf({ function: name, event, method, url }: NonNullable<LogEntry["record"]>): string {
	const asked = name === "" ? url : url.replace(/^[a-z]+:\/\/[^/]*/, "");
	return oneLine([event === "http" ? "" : event, method, asked].filter((part) => part !== "").join(" "));
}
