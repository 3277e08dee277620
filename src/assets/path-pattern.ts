/**
 * A path with placeholders and one splat, as rules of sites have it: `/blog/:slug`, `/old/*`. Matching takes a time
 * that is linear in the path, whatever the pattern.
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
		const segments = path.split("/");
		const last = this.#before.length - 1;
		if (this.#after === null && segments.length !== this.#before.length) return null;
		if (segments.length <= last) return null;
		for (const [i, part] of this.#before.entries()) {
			const segment = segments[i];
			if (this.#after !== null && i === last) {
				const rest = segments.slice(i).join("/");
				if (!rest.startsWith(part) || !rest.endsWith(this.#after)) return null;
				if (rest.length < part.length + this.#after.length) return null;
				found.splat = rest.slice(part.length, rest.length - this.#after.length);
			} else if (part.startsWith(":")) {
				if (segment === "") return null;
				found[part.slice(1)] = segment;
			} else if (segment !== part) return null;
		}
		return found;
	}
}

/** Puts what was found in the place of `:placeholder` and `:splat`. */
export function filledIn(text: string, found: Record<string, string>): string {
	return text.replace(/:([A-Za-z]\w*)/g, (all, name: string) => (Object.hasOwn(found, name) ? found[name] : all));
}
