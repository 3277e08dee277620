/** What is filled in makes no text longer than this: no client takes a header of that length. */
const MOST_LETTERS = 32 * 1024;

/**
 * A path with placeholders and one splat, as rules of sites have it: `/blog/:slug`, `/old/*`. Matching looks at no more
 * of a path than its pattern asks for, since a site may have thousands of them.
 */
export class PathPattern {
	readonly #before: string[];
	/** What follows the splat; `null` without one. */
	readonly #after: string | null;

	constructor(pattern: string) {
		const star = pattern.indexOf("*");
		this.#before = (star < 0 ? pattern : pattern.slice(0, star)).split("/");
		this.#after = star < 0 ? null : pattern.slice(star + 1);
	}

	/** What stands for the placeholders, and for `splat`; `null` where it does not match. */
	match(path: string): Record<string, string> | null {
		const found: Record<string, string> = {};
		const last = this.#before.length - 1;
		/** Where the segment begins. */
		let at = 0;
		for (const [i, part] of this.#before.entries()) {
			if (at > path.length) return null;
			if (this.#after !== null && i === last) {
				if (!path.startsWith(part, at) || !path.endsWith(this.#after)) return null;
				const [start, end] = [at + part.length, path.length - this.#after.length];
				if (end < start) return null;
				found.splat = path.slice(start, end);
				return found;
			}
			const isPlaceholder = part.startsWith(":");
			if (!isPlaceholder && !path.startsWith(part, at)) return null;
			const slash = path.indexOf("/", isPlaceholder ? at : at + part.length);
			const end = slash < 0 ? path.length : slash;
			if (isPlaceholder ? end === at : end !== at + part.length) return null;
			if (isPlaceholder) found[part.slice(1)] = path.slice(at, end);
			at = end + 1;
		}
		return at > path.length ? found : null;
	}
}

/** Puts what was found in the place of `:placeholder` and `:splat`; `null` where that would be too long. */
export function filledIn(text: string, found: Record<string, string>): string | null {
	let letters = text.length;
	const filled = text.replace(/:([A-Za-z]\w*)/g, (all, name: string) => {
		if (!Object.hasOwn(found, name)) return all;
		letters += found[name].length;
		return letters > MOST_LETTERS ? "" : found[name];
	});
	return letters > MOST_LETTERS ? null : filled;
}
