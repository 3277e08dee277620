import { validateHeaderName, validateHeaderValue } from "node:http";
import { filledIn, PathPattern } from "./path-pattern.ts";

const MOST_RULES = 100;
/** What all rules together set is no longer: it is as much as their text may be. */
const MOST_LETTERS = 100_000;

interface Rule {
	/** `null` for any. */
	host: string | null;
	pattern: PathPattern;
	/** In lower case. */
	set: [string, string][];
	unset: string[];
}

/** The rules of a `_headers` file: https://developers.cloudflare.com/workers/static-assets/headers/ */
export class HeaderRules {
	readonly #rules: Rule[] = [];

	/** What makes no sense is left out, as it is elsewhere. */
	constructor(text: string) {
		let rule: Rule | null = null;
		for (const line of text.split(/\r?\n/)) {
			const said = line.trim();
			if (said === "" || said.startsWith("#")) continue;
			if (!/^\s/.test(line)) {
				const [, host = null, path = said] = /^https?:\/\/([^/]+)(\/.*)$/.exec(said) ?? [];
				rule = path.startsWith("/") ? { host, pattern: new PathPattern(path), set: [], unset: [] } : null;
				if (rule !== null && this.#rules.length < MOST_RULES) this.#rules.push(rule);
				continue;
			}
			if (said.startsWith("!")) rule?.unset.push(said.slice(1).trim().toLowerCase());
			const colon = said.indexOf(":");
			if (colon > 0 && isHeader(said.slice(0, colon), said.slice(colon + 1).trim()))
				rule?.set.push([said.slice(0, colon).toLowerCase(), said.slice(colon + 1).trim()]);
		}
	}

	/** Changes headers, of which those that are given by several rules are joined. What gets too long is left out. */
	apply(headers: Map<string, string>, { host, path }: { host: string; path: string }): void {
		const set = new Set<string>();
		let letters = 0;
		for (const { host: wanted, pattern, set: given, unset } of this.#rules) {
			if (wanted !== null && wanted !== host) continue;
			const found = pattern.match(path);
			if (found === null) continue;
			for (const name of unset) headers.delete(name);
			for (const [name, value] of given) {
				const before = set.has(name) ? headers.get(name) : undefined;
				const filled = filledIn(value, found);
				if (filled === null || letters + filled.length > MOST_LETTERS) continue;
				letters += filled.length;
				headers.set(name, before === undefined ? filled : `${before}, ${filled}`);
				set.add(name);
			}
		}
	}
}

function isHeader(name: string, value: string): boolean {
	try {
		validateHeaderName(name);
		validateHeaderValue(name, value);
		return !["content-length", "transfer-encoding", "connection"].includes(name.toLowerCase());
	} catch {
		return false;
	}
}
