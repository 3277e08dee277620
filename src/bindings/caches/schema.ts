import { encodeList, isFieldsFrom } from "../../link/heads.ts";

/** What a cache is asked for. `cache` is its name; `null` for the default one. Headers: name, value, name, value, … */
export type CacheAsked =
	| { op: "match"; cache: string | null; ignoreVary: boolean; url: string; headers: string[] }
	| {
			op: "put";
			cache: string | null;
			url: string;
			/** Those of the request that matter. */
			requestHeaders: string[];
			status: number;
			statusText: string;
			headers: string[];
	  }
	| { op: "delete"; cache: string | null; url: string }
	/** Removes all of a cache. */
	| { op: "drop"; cache: string }
	/** The names of those that hold anything. */
	| { op: "names" };

/** What `match` has found; nothing is told as an empty text. */
export interface CacheFound {
	status: number;
	statusText: string;
	headers: string[];
	url: string;
}

/** Lines, as `link/heads.ts` has them: what is asked, of which cache (as JSON), and then what that takes. */
export function encodeCacheAsked(asked: CacheAsked): string {
	if (asked.op === "names") return "names\nnull";
	const cache = asked.cache === null ? "null" : JSON.stringify(asked.cache);
	switch (asked.op) {
		case "match":
			return `match\n${cache}\n${asked.ignoreVary ? 1 : 0}\n${asked.url}${encodeList(asked.headers)}`;
		case "put": {
			const { requestHeaders, status, statusText, url, headers } = asked;
			const lines = `${status}\n${requestHeaders.length}\n${statusText}\n${url}`;
			return `put\n${cache}\n${lines}${encodeList(requestHeaders)}${encodeList(headers)}`;
		}
		default:
			return `${asked.op}\n${cache}\n${asked.op === "delete" ? asked.url : ""}`;
	}
}

// Sticky, so that `lastIndex` tells where the line with the URL begins.
const ASKED =
	/(?:match\n[^\n]*\n[01]|put\n[^\n]*\n[1-5]\d\d\n(?:0|[1-9]\d{0,5})\n[^\n]*|delete\n[^\n]*|drop\n[^\n]*)\n/y;

/** What a text asks for, or `null` where `encodeCacheAsked` never makes such a text. */
export function decodeCacheAsked(text: string): CacheAsked | null {
	if (text === "names\nnull") return { op: "names" };
	ASKED.lastIndex = 0;
	if (!ASKED.test(text) || !isFieldsFrom(text, ASKED.lastIndex)) return null;
	const [op, quoted, ...lines] = text.split("\n");
	const cache = nameOf(quoted);
	if (cache === undefined) return null;
	switch (op) {
		case "match":
			return { op, cache, ignoreVary: lines[0] === "1", url: lines[1], headers: lines.slice(2) };
		case "put": {
			const [status, count, statusText, url, ...fields] = lines;
			const length = Number(count);
			if (length % 2 === 1 || length > fields.length) return null;
			const parts = { requestHeaders: fields.slice(0, length), headers: fields.slice(length) };
			return { op, cache, url, status: Number(status), statusText, ...parts };
		}
		case "delete":
			return lines.length === 1 ? { op, cache, url: lines[0] } : null;
		default:
			return cache !== null && lines.length === 1 && lines[0] === "" ? { op: "drop", cache } : null;
	}
}

/** `undefined` for what is no name. */
function nameOf(quoted: string): string | null | undefined {
	if (quoted === "null") return null;
	try {
		const name = JSON.parse(quoted) as unknown;
		return typeof name === "string" ? name : undefined;
	} catch {
		return undefined;
	}
}
