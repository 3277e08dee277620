import { headerIn, joinedIn } from "../link/header-list.ts";
import type { Bytes, Milliseconds } from "../units.ts";

/** What tells one state of something from another: the values of its headers, where it has these. */
export interface Validators {
	etag: string | undefined;
	lastModified: string | undefined;
}

/** A part of a body: its first byte, and its last one. */
export interface ByteRange {
	first: Bytes;
	last: Bytes;
}

// Those that are not quoted are none, but functions write them.
const ENTITY_TAG = /(?:W\/)?"[^"]*"|[^\s,"]+/g;

/** When that is, in milliseconds since 1970; NaN for what is no date of HTTP: RFC 9110, section 5.6.7. */
export function httpDate(text: string | undefined): Milliseconds {
	return text !== undefined && /^[A-Za-z]{3,9},? [\x20-\x7e]{6,60}$/.test(text) ? Date.parse(text) : Number.NaN;
}

/** Whether a part is asked for, if there is any. */
export function asksForPart(headers: readonly string[]): boolean {
	return headerIn(headers, "range") !== undefined;
}

/** Whether whoever asks has it as it is: RFC 9110, sections 13.1.2 and 13.1.3. */
export function isNotModified(headers: readonly string[], { etag, lastModified }: Validators): boolean {
	const known = joinedIn(headers, "if-none-match");
	if (known !== undefined) {
		if (known.trim() === "*") return true;
		if (etag === undefined) return false;
		return known.match(ENTITY_TAG)?.some((one) => opaque(one) === opaque(etag)) ?? false;
	}
	const since = httpDate(headerIn(headers, "if-modified-since"));
	const changed = httpDate(lastModified);
	return changed <= since;
}

/**
 * The one part that a request asks for of so many bytes: RFC 9110, section 14.2. `null` where all is to be sent, as it is
 * where several parts are asked for.
 */
export function rangeOf(
	headers: readonly string[],
	size: Bytes,
	validators: Validators,
): ByteRange | "unsatisfiable" | null {
	const [, from, to] = /^bytes=[\t ]*(\d*)-(\d*)[\t ]*$/i.exec(headerIn(headers, "range") ?? "") ?? [];
	if (from === undefined || (from === "" && to === "") || !isSame(headerIn(headers, "if-range"), validators))
		return null;
	if (from === "") {
		const length = Math.min(Number(to), size);
		return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 };
	}
	const first = Number(from);
	const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
	if (to !== "" && Number(to) < first) return null;
	return first >= size ? "unsatisfiable" : { first, last };
}

/** Whether a part would be one of what the asker has already: RFC 9110, section 13.1.5. */
function isSame(ifRange: string | undefined, { etag, lastModified }: Validators): boolean {
	if (ifRange === undefined) return true;
	const given = ifRange.trim();
	if (given.startsWith('"')) return given === etag;
	return !given.startsWith("W/") && httpDate(given) === httpDate(lastModified);
}

function opaque(etag: string): string {
	return etag.trim().replace(/^W\//, "");
}
