import type { MappedStack, StackRequest } from "./mapped-stack.ts";
import type { OriginalPosition, Position, SourceMap } from "./source-map.ts";

/** No honest stack has more frames, and no honest file's path or line that is to be shown more letters. */
const MOST_FRAMES = 200;
const MOST_LETTERS = 500;
/** No mapped text is longer, whatever its sources are called. */
const MOST_TEXT = 64 * 1024;
/** The module that atoll puts around a function, of which its author knows nothing. */
const ENTRY = "atoll-entry.js";

interface Frame extends Position {
	/** Which line of the text it stands in, and what stands there before and after the place. */
	at: number;
	before: string;
	after: string;
}

const PLACE = /^:(\d{1,9}):(\d{1,9})(\)?)$/;

/**
 * The frame of a script that a line of text is: `    at name (file.js:1:2)`, or without the name and the parentheses.
 */
function frameOf(line: string, filename: string, at: number): Frame | null {
	const place = line.lastIndexOf(`${filename}:`);
	if (place < 1 || !line.trimStart().startsWith("at ")) return null;
	const found = PLACE.exec(line.slice(place + filename.length));
	const before = line.slice(0, place);
	if (found === null || !/[ (]$/.test(before)) return null;
	return { at, before, line: Number(found[1]), column: Number(found[2]), after: found[3] };
}

function isPlatforms(line: string): boolean {
	return line.includes("(atoll:prelude:") || line.includes("at atoll:prelude:") || line.includes("<isolated-vm");
}

/**
 * Rewrites the stack frames in a text so that they point into the source; those of the platform's own code are
 * dropped.
 */
export function mapStack({ filename, text }: StackRequest, map: SourceMap): MappedStack {
	const lines: (string | null)[] = text.split("\n").map((line) => (isPlatforms(line) ? null : line));
	const frames: Frame[] = [];
	for (let at = 0; at < lines.length && frames.length < MOST_FRAMES; at++) {
		const frame = frameOf(lines[at] ?? "", filename, at);
		if (frame !== null) frames.push(frame);
	}
	const inOrder = frames.toSorted((a, b) => a.line - b.line || a.column - b.column);
	const originals = map.lookUp(inOrder);
	let first: { at: number; source: string; original: OriginalPosition } | null = null;
	for (const [i, { at, before, after }] of inOrder.entries()) {
		const original = originals[i];
		if (original === null) continue;
		const source = map.sources[original.source]?.slice(0, MOST_LETTERS);
		if (source === undefined) continue;
		if (source === ENTRY) {
			lines[at] = null;
			continue;
		}
		lines[at] = `${before}${source}:${original.line}:${original.column}${after}`;
		if (first === null || at < first.at) first = { at, source, original };
	}
	const line = first === null ? null : map.sourceLine(first.original);
	const mapped = lines.filter((one) => one !== null).join("\n");
	return {
		text: mapped.length > MOST_TEXT ? text : mapped,
		excerpt:
			first === null || line === null
				? null
				: { file: first.source, line: first.original.line, text: line.slice(0, MOST_LETTERS) },
	};
}
