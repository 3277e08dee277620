/** One item that a pattern asks for, or any number of whatever items. */
type Pattern<T> = readonly ("any" | ((item: T) => boolean))[];

interface Rule {
	/** Of a path's segments. */
	pattern: Pattern<string>;
	/** Takes back what a rule before it has said. */
	negated: boolean;
	foldersOnly: boolean;
}

/**
 * The rules of an `.assetsignore` file, whose syntax is that of https://git-scm.com/docs/gitignore, without a difference
 * between letters of either case. Matching takes a time that is at most the path's length times the pattern's.
 */
export class IgnoreRules {
	readonly #rules: Rule[];

	constructor(text: string) {
		this.#rules = text.split(/\r?\n/).flatMap((line) => ruleOf(line.toLowerCase()));
	}

	/** Whether a path such as `img/a.png` is left out. What lies in a folder that is left out is not asked about. */
	ignores(path: string, isFolder: boolean): boolean {
		const segments = path.toLowerCase().split("/");
		const last = this.#rules.findLast(
			({ pattern, foldersOnly }) => (isFolder || !foldersOnly) && matches(pattern, segments),
		);
		return last !== undefined && !last.negated;
	}
}

function ruleOf(line: string): Rule[] {
	// Spaces at the end count where a backslash stands before them. Each row of spaces is looked at once.
	const said = line.replace(/(?<![\\ ]) +$|(?<=\\ ) +$/, "");
	if (said === "" || said.startsWith("#")) return [];
	const negated = said.startsWith("!");
	const glob = negated ? said.slice(1) : said;
	const foldersOnly = glob.endsWith("/");
	const path = glob.replace(/^\/|\/$/g, "");
	if (path === "") return [];
	// With a slash before its end it is a path from here, and else a name at any depth.
	const isPath = glob.slice(0, -1).includes("/");
	const pattern: ("any" | ((item: string) => boolean))[] = isPath ? [] : ["any"];
	const segments = path.split("/");
	for (const [i, segment] of segments.entries()) {
		if (segment !== "**") {
			const own = segmentPattern(segment);
			pattern.push((name) => matches(own, [...name]));
		} else {
			// `a/**` is all that lies in `a`, and not `a`.
			if (i > 0 && i === segments.length - 1) pattern.push(() => true);
			pattern.push("any");
		}
	}
	return [{ pattern, negated, foldersOnly }];
}

/** `*`, `?`, `[a-z]`, `\*` and letters that stand for themselves. */
function segmentPattern(segment: string): Pattern<string> {
	const pattern: ("any" | ((item: string) => boolean))[] = [];
	const letters = [...segment];
	/** Whether there is a bracket that may end a class: where one class has none, those behind it have none either. */
	let mayEnd = true;
	for (let i = 0; i < letters.length; i++) {
		const letter = letters[i];
		const end: number = letter === "[" && mayEnd ? classEnd(letters, i) : -1;
		if (letter === "[") mayEnd = end >= 0;
		if (letter === "*") pattern.push("any");
		else if (letter === "?") pattern.push(() => true);
		else if (end >= 0) {
			pattern.push(classOf(letters.slice(i + 1, end)));
			i = end;
		} else {
			const literal = letter === "\\" && i + 1 < letters.length ? letters[++i] : letter;
			pattern.push((item) => item === literal);
		}
	}
	return pattern;
}

/** Where a class that begins at `start` ends: a bracket that is the first in it stands for itself. */
function classEnd(letters: readonly string[], start: number): number {
	const first = /^[!^]$/.test(letters[start + 1] ?? "") ? start + 2 : start + 1;
	return letters.indexOf("]", first + 1);
}

function classOf(letters: readonly string[]): (item: string) => boolean {
	const negated = letters[0] === "!" || letters[0] === "^";
	const all = negated ? letters.slice(1) : letters;
	const ranges: [string, string][] = [];
	for (let i = 0; i < all.length; i++) {
		const isRange = all[i + 1] === "-" && i + 2 < all.length;
		ranges.push([all[i], isRange ? all[i + 2] : all[i]]);
		if (isRange) i += 2;
	}
	return (item) => ranges.some(([from, to]) => item >= from && item <= to) !== negated;
}

/** Goes back to the last "any" alone where it gets stuck, since what an earlier one took does not matter then. */
function matches<T>(pattern: Pattern<T>, items: readonly T[]): boolean {
	let at = 0;
	let any = -1;
	let taken = 0;
	for (let i = 0; i < items.length; ) {
		const wanted = pattern[at];
		if (wanted === "any") {
			any = at++;
			taken = i;
		} else if (wanted?.(items[i])) {
			at++;
			i++;
		} else {
			if (any < 0) return false;
			at = any + 1;
			i = ++taken;
		}
	}
	return pattern.slice(at).every((left) => left === "any");
}
