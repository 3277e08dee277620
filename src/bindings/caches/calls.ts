import type { Bytes, Milliseconds } from "../../units.ts";

/** Which cache. */
export interface CacheId {
	/** For whom all that is kept counts together: a tenant, or a function of `default`. */
	account: string;
	/** The function whose own it is; empty for one that all functions of the account share. */
	function: string;
	/** `null` for the function's default one. */
	name: string | null;
}

export interface CachePut extends CacheId {
	url: string;
	/** What the response varies by, as JSON; empty for nothing. */
	vary: string;
	/** All that `match` tells of it, as JSON. */
	head: string;
	tags: string[];
	/** Until when it is fresh, and until when it may be used. */
	stale: Milliseconds;
	expires: Milliseconds;
	/** The blob that came in before, if the body is not with the call. */
	blob: string | null;
	/** How much the account may keep. */
	mostBytes: Bytes;
}

/** What has become of a response: it is kept, it never will be, or more has to make room and it is to be put again. */
export type CachePutResult = "kept" | "refused" | "again";

export interface CacheMatch extends CacheId {
	url: string;
	/** The request's headers; `null` for whatever varies. */
	headers: string[] | null;
	now: Milliseconds;
}

export interface CacheMatched {
	entry: number;
	/** `stale` for who is to make it anew, and `updating` for all others until somebody has. */
	state: "fresh" | "stale" | "updating";
	head: string;
	size: Bytes;
	/** Whether the body comes along; else it is asked for by itself. */
	along: boolean;
}

/** A part of a body that lies in a file. */
export interface CacheBody {
	account: string;
	entry: number;
	start: Bytes;
	size: Bytes;
}

/** What is to be removed of a cache: what is at some URLs, what has one of some tags, or all. */
export interface CachePurge extends CacheId {
	urls: string[];
	tags: string[];
	all: boolean;
}
