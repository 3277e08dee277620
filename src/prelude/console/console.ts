import { encodeLine, type Line } from "../../link/line.ts";
import { Kind } from "../../link/messages.ts";
import { host } from "../host.ts";
import { current } from "../io-context.ts";
import { formatLog, inspect } from "./inspect.ts";

/** The longest line that leaves an isolate; the edge bounds what a whole request may log. */
const MAX_LINE = 16 * 1024;

let indent = "";
const counts = new Map<string, number>();
const timers = new Map<string, number>();

function write(level: Line["level"], message: string): void {
	if (host === undefined) return;
	let text = indent === "" ? message : indent + message.replaceAll("\n", `\n${indent}`);
	if (text.length > MAX_LINE) text = `${text.slice(0, MAX_LINE)}… (${text.length - MAX_LINE} more characters)`;
	host.emit(Kind.log, current?.id ?? 0, 0, encodeLine(level, text), undefined, false);
}

function elapsed(label: string): string {
	const started = timers.get(label);
	if (started === undefined) return "";
	const ms = host.now() - started;
	return ms >= 1000 ? `${(ms / 1000).toFixed(3)}s` : `${ms.toFixed(3)}ms`;
}

function table(data: unknown, columns?: unknown): string {
	if (typeof data !== "object" || data === null) return formatLog([data]);
	const rows =
		data instanceof Map
			? [...data.entries()]
			: data instanceof Set
				? [...data].map((value, i) => [i, value])
				: Object.entries(data);
	const keys: string[] = [];
	let plain = false;
	for (const [, row] of rows) {
		if (typeof row === "object" && row !== null)
			for (const key of Object.keys(row)) keys.includes(key) || keys.push(key);
		else plain = true;
	}
	const shown = Array.isArray(columns) ? columns.map(String) : keys;
	const header = ["(index)", ...shown, ...(plain ? ["Values"] : [])];
	const body = rows.map(([index, row]) => {
		const isObject = typeof row === "object" && row !== null;
		const cells = shown.map((key) =>
			isObject && Object.hasOwn(row, key) ? inspect((row as Record<string, unknown>)[key], 0) : "",
		);
		return [String(index), ...cells, ...(plain ? [isObject ? "" : inspect(row, 0)] : [])];
	});
	const widths = header.map((title, i) => Math.max(title.length, ...body.map((row) => row[i].length)) + 2);
	const rule = (left: string, middle: string, right: string) =>
		left + widths.map((width) => "─".repeat(width)).join(middle) + right;
	const line = (cells: string[]) => `│${cells.map((cell, i) => ` ${cell.padEnd(widths[i] - 1)}`).join("│")}│`;
	return [rule("┌", "┬", "┐"), line(header), rule("├", "┼", "┤"), ...body.map(line), rule("└", "┴", "┘")].join("\n");
}

/** https://console.spec.whatwg.org/: lines go to the function's log, with its version and the request's id. */
export const console = Object.create({}) as Record<string, unknown>;

const methods: Record<string, (...args: unknown[]) => void> = {
	debug: (...args) => write("debug", formatLog(args)),
	error: (...args) => write("error", formatLog(args)),
	info: (...args) => write("info", formatLog(args)),
	log: (...args) => write("log", formatLog(args)),
	warn: (...args) => write("warn", formatLog(args)),
	dir: (value, options) =>
		write(
			"log",
			inspect(value, ((options as { depth?: number | null } | undefined)?.depth ?? undefined) as number | undefined),
		),
	dirxml: (...args) => write("log", formatLog(args)),
	table: (data, columns) => write("log", table(data, columns)),
	trace: (...args) => {
		const { stack = "" } = new Error();
		write("error", `Trace${args.length === 0 ? "" : `: ${formatLog(args)}`}\n${stack.split("\n").slice(2).join("\n")}`);
	},
	assert: (condition, ...args) => {
		if (condition) return;
		if (typeof args[0] === "string") write("error", formatLog([`Assertion failed: ${args[0]}`, ...args.slice(1)]));
		else write("error", formatLog(["Assertion failed", ...args]));
	},
	count: (label = "default") => {
		const key = String(label);
		const count = (counts.get(key) ?? 0) + 1;
		counts.set(key, count);
		write("info", `${key}: ${count}`);
	},
	countReset: (label = "default") => {
		if (!counts.delete(String(label))) write("warn", `Count for '${String(label)}' does not exist`);
	},
	group: (...args) => {
		if (args.length > 0) write("log", formatLog(args));
		if (indent.length < 200) indent += "  ";
	},
	groupCollapsed: (...args) => methods.group(...args),
	groupEnd: () => {
		indent = indent.slice(2);
	},
	time: (label = "default") => {
		const key = String(label);
		if (timers.has(key)) write("warn", `Timer '${key}' already exists`);
		else if (host !== undefined) timers.set(key, host.now());
	},
	timeLog: (label = "default", ...args) => {
		const key = String(label);
		if (timers.has(key)) write("log", formatLog([`${key}: ${elapsed(key)}`, ...args]));
		else write("warn", `Timer '${key}' does not exist`);
	},
	timeEnd: (label = "default") => {
		const key = String(label);
		if (timers.has(key)) write("log", `${key}: ${elapsed(key)}`);
		else write("warn", `Timer '${key}' does not exist`);
		timers.delete(key);
	},
	clear: () => undefined,
	timeStamp: () => undefined,
	profile: () => undefined,
	profileEnd: () => undefined,
};
for (const name of Object.keys(methods)) {
	Object.defineProperty(methods[name], "name", { value: name });
	Object.defineProperty(console, name, { value: methods[name], writable: true, enumerable: true, configurable: true });
}
Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
