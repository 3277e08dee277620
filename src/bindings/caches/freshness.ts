import { readCacheControl } from "../../http/cache-control.ts";
import { httpDate } from "../../http/conditional.ts";
import { headerIn, joinedIn } from "../../link/header-list.ts";
import type { Milliseconds, Seconds } from "../../units.ts";

/** A response that is to be kept, and the request that it answers. */
export interface Exchanged {
	/** Of the request: those at least that the response varies by, and `authorization`. Name, value, name, value, … */
	requestHeaders: readonly string[];
	status: number;
	headers: readonly string[];
}

/** How a response is kept. */
export interface Kept {
	/** Without those that are for one client alone. */
	headers: string[];
	/** When it was as new as can be, until when it is fresh, and until when it may be used. */
	born: Milliseconds;
	stale: Milliseconds;
	expires: Milliseconds;
	/** What it varies by: names of the request's headers in their order, with the values that there were. */
	vary: [name: string, value: string | null][];
	/** By which it may be removed, in lower case. */
	tags: string[];
}

const LONGEST: Seconds = 365 * 24 * 3600;
const MOST_VARY = 20;
const MOST_TAGS = 100;
const MOST_TAG = 1024;

/** For how long those are kept that do not say it: https://developers.cloudflare.com/cache/how-to/configure-cache-status-code/#edge-ttl */
const USUAL: Readonly<Record<number, Seconds>> = {
	200: 7200,
	301: 7200,
	302: 1200,
	303: 1200,
	404: 180,
	410: 180,
};

/** Written by the cache, or about the one connection that a response came over. */
const NOT_KEPT = ["age", "cf-cache-status", "connection", "keep-alive", "transfer-encoding"];

/**
 * How a cache that many share keeps a response: RFC 9111, and Workers' own rules where they are stricter. `null` for one
 * that it does not keep.
 */
export function kept({ requestHeaders, status, headers: given }: Exchanged, now: Milliseconds): Kept | null {
	if (status < 200 || status === 206 || status === 304) return null;
	const control = readCacheControl(joinedIn(given, "cache-control"));
	if (control.has("no-store")) return null;
	const withheld = new Set(NOT_KEPT);
	for (const directive of ["private", "no-cache"]) {
		const fields = control.get(directive);
		if (fields === "") return null;
		for (const field of fields?.split(",") ?? []) withheld.add(field.trim().toLowerCase());
	}
	const headers: string[] = [];
	for (let i = 0; i < given.length; i += 2) if (!withheld.has(given[i])) headers.push(given[i], given[i + 1]);
	if (headerIn(headers, "set-cookie") !== undefined) return null;
	const shared = ["public", "s-maxage", "must-revalidate"].some((directive) => control.has(directive));
	if (headerIn(requestHeaders, "authorization") !== undefined && !shared) return null;
	const vary = varyOf(given, requestHeaders);
	const tags = tagsOf(given);
	if (vary === null || tags === null) return null;
	const age = initialAge(given, now);
	const born = now - age;
	const stale = born + Math.min(lifetime(control, given, status, now), LONGEST * 1000);
	const expires = stale + Math.min(staleTime(control), LONGEST * 1000);
	return expires > now ? { headers, born, stale, expires, vary, tags } : null;
}

/** RFC 9111, section 4.2.1. */
function lifetime(
	control: ReadonlyMap<string, string>,
	headers: readonly string[],
	status: number,
	now: Milliseconds,
): Milliseconds {
	const said = control.get("s-maxage") ?? control.get("max-age");
	if (said !== undefined) return /^\d+$/.test(said) ? Number(said) * 1000 : 0;
	const expires = headerIn(headers, "expires");
	if (expires === undefined) return (USUAL[status] ?? 0) * 1000;
	const date = httpDate(headerIn(headers, "date"));
	const until = httpDate(expires) - (Number.isNaN(date) ? now : date);
	return until > 0 ? until : 0;
}

/** For how long a response may be used that is stale, while it is made anew: RFC 5861, section 3. */
function staleTime(control: ReadonlyMap<string, string>): Milliseconds {
	const said = control.get("stale-while-revalidate") ?? "";
	if (control.has("must-revalidate") || control.has("proxy-revalidate") || !/^\d+$/.test(said)) return 0;
	return Number(said) * 1000;
}

/** How old a response is that comes now: RFC 9111, section 4.2.3. */
function initialAge(headers: readonly string[], now: Milliseconds): Milliseconds {
	const date = httpDate(headerIn(headers, "date"));
	const apparent = date < now ? now - date : 0;
	const said = headerIn(headers, "age")?.trim() ?? "";
	return Math.max(apparent, /^\d{1,10}$/.test(said) ? Number(said) * 1000 : 0);
}

/** What a response varies by; `null` where that is everything, or too much. */
function varyOf(headers: readonly string[], requestHeaders: readonly string[]): Kept["vary"] | null {
	const names = new Set(listOf(joinedIn(headers, "vary")));
	if (names.has("*") || names.size > MOST_VARY) return null;
	return [...names].sort().map((name) => [name, joinedIn(requestHeaders, name) ?? null]);
}

/** `null` for too many to keep note of. */
function tagsOf(headers: readonly string[]): string[] | null {
	const tags = [...new Set(listOf(joinedIn(headers, "cache-tag")))];
	return tags.length > MOST_TAGS || tags.some(({ length }) => length > MOST_TAG) ? null : tags;
}

function listOf(value: string | undefined): string[] {
	return (value ?? "")
		.split(",")
		.map((one) => one.trim().toLowerCase())
		.filter((one) => one !== "");
}
