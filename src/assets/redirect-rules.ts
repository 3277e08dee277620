import { filledIn, PathPattern } from "./path-pattern.ts";

const MOST_RULES = 2100;
const STATUSES = [200, 301, 302, 303, 307, 308];

/** Where a path leads: another URL, or with status 200 another file in its place. */
export interface Redirect {
	to: string;
	status: number;
}

/**
 * The rules of a `_redirects` file, the first that matches counts:
 * https://developers.cloudflare.com/workers/static-assets/redirects/
 */
export class RedirectRules {
	readonly #exact = new Map<string, Redirect>();
	readonly #patterns: { pattern: PathPattern; redirect: Redirect }[] = [];

	/** What makes no sense is left out, as it is elsewhere. */
	constructor(text: string) {
		for (const line of text.split("\n").slice(0, MOST_RULES)) {
			const comment = line.search(/(?<!\S)#/);
			const said = comment < 0 ? line : line.slice(0, comment);
			const [from, to, code = "302", ...rest] = said.trim().split(/\s+/);
			const status = Number(code);
			if (!from?.startsWith("/") || to === undefined || rest.length > 0 || !STATUSES.includes(status)) continue;
			if (!to.startsWith("/") && (status === 200 || !/^https?:\/\//.test(to))) continue;
			if (/[*:]/.test(from)) this.#patterns.push({ pattern: new PathPattern(from), redirect: { to, status } });
			else if (!this.#exact.has(from)) this.#exact.set(from, { to, status });
		}
	}

	find(path: string): Redirect | null {
		const exact = this.#exact.get(path);
		if (exact !== undefined) return exact;
		for (const { pattern, redirect } of this.#patterns) {
			const found = pattern.match(path);
			const to = found && filledIn(redirect.to, found);
			if (to !== null) return { ...redirect, to };
		}
		return null;
	}
}
