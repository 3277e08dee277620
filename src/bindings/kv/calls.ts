import type { Bytes } from "../../units.ts";

/** A namespace of a tenant's. */
export interface KvNamespaceId {
	tenant: string;
	namespace: string;
}

export interface KvPut extends KvNamespaceId {
	key: string;
	/** JSON; `null` for none. */
	metadata: string | null;
	/** In seconds since 1970; `null` for never. */
	expires: number | null;
	/** The blob that came in before, if the value is not with the call. */
	blob: string | null;
	/** How much the tenant may store. */
	mostBytes: Bytes;
}

export interface KvList extends KvNamespaceId {
	prefix: string;
	/** Keys behind this one; empty for all. */
	after: string;
	limit: number;
}

/** What is told of a value: `blob` is what it is read by where it does not come along. */
export interface KvFound {
	size: Bytes;
	metadata: string | null;
	/** In seconds since 1970; `null` for never. */
	expires: number | null;
	blob: string | null;
}
