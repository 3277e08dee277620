/** Something in a function's source that keeps it from being built. */
export interface Problem {
	text: string;
	/**
	 * Where it is, relative to the function's root, or to the working directory where it has none; absent where it
	 * belongs to no line.
	 */
	file?: string;
	/** 1-based. */
	line?: number;
	/** 1-based. */
	column?: number;
	/** The line itself. */
	lineText?: string;
}

/** A function could not be built. The message lists every problem with its place and line. */
export class BuildError extends Error {
	override name = "BuildError";
	readonly problems: Problem[];
	constructor(problems: Problem[]) {
		super(problems.map(formatProblem).join("\n\n"));
		this.problems = problems;
	}
}

/** `file:line:column: what is wrong`, and below it the line with a mark at the column. */
function formatProblem({ text, file, line, column, lineText }: Problem): string {
	if (file === undefined) return text;
	const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
	if (lineText === undefined || line === undefined) return `${place}: ${text}`;
	const gutter = `  ${line} | `;
	const shown = lineText.length > 200 ? `${lineText.slice(0, 200)}…` : lineText;
	const mark = " ".repeat(gutter.length) + lineText.slice(0, Math.min((column ?? 1) - 1, 200)).replace(/[^\t]/g, " ");
	return `${place}: ${text}\n${gutter}${shown}\n${mark}^`;
}
