/** A line that a function has logged. */
export interface Line {
	level: "debug" | "info" | "log" | "warn" | "error";
	message: string;
}

const LINE = /^(?:debug|info|log|warn|error) /;
/** More characters than the prelude ever puts into one, be it a line of the console or an error with its causes. */
const MAX_LINE = 64 * 1024;

export function encodeLine(level: Line["level"], message: string): string {
	return `${level} ${message}`;
}

export function isLine(text: string): boolean {
	return text.length <= MAX_LINE && LINE.test(text);
}

export function decodeLine(text: string): Line {
	const end = text.indexOf(" ");
	return { level: text.slice(0, end) as Line["level"], message: text.slice(end + 1) };
}
