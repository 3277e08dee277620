import type { StorageTelling } from "../../stores/storage-rule.ts";
import type { Bytes } from "../../units.ts";

/** A namespace of a tenant's. */
export interface KvNamespaceId {
	tenant: string;
	namespace: string;
}

export interface KvPut extends KvNamespaceId, StorageTelling {
	key: string;
	/** JSON; `null` for none. */
	metadata: string | null;
	/** In seconds since 1970; `null` for never. */
	expires: number | null;
	/** The blob that came in before, if the value is not with the call. */
	blob: string | null;
}

export interface KvDelete extends KvNamespaceId, StorageTelling {
	keys: string[];
}

export interface KvList extends KvNamespaceId {
	prefix: string;
	/** Keys behind this one, which begins with the prefix; empty for all. */
	after: string;
	limit: number;
}

/** What is told of a value. */
export interface KvFound {
	size: Bytes;
	metadata: string | null;
	/** In seconds since 1970; `null` for never. */
	expires: number | null;
	/** Whether the value comes along; else it is asked for by itself. */
	along: boolean;
}

/** A value that is asked for by itself, as long as it is the one that was told of. */
export interface KvValue extends KvNamespaceId {
	key: string;
	size: Bytes;
}
