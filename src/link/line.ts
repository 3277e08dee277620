import type { Bytes } from "../units.ts";

/** A line that a function has logged. */
export interface Line {
	level: "debug" | "info" | "log" | "warn" | "error";
	message: string;
}

const LINE = /^(?:debug|info|log|warn|error) /;
/** More characters than the prelude ever puts into one, be it a line of the console or an error with its causes. */
const MAX_LINE = 64 * 1024;
/** What is told with a line, whatever it says. */
const LINE_BYTES: Bytes = 100;

export function encodeLine(level: Line["level"], message: string): string {
	return `${level} ${message}`;
}

export function isLine(text: string): boolean {
	return text.length <= MAX_LINE && LINE.test(text);
}

/** How much of what its function may log a line takes: an empty one is not for nothing. */
export const lineBytes = (text: string): Bytes => LINE_BYTES + text.length;

export function decodeLine(text: string): Line {
	const end = text.indexOf(" ");
	return { level: text.slice(0, end) as Line["level"], message: text.slice(end + 1) };
}
