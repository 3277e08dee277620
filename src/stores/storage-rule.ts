import type { Bytes, Milliseconds } from "../units.ts";

/** What may become of what is stored, as events name it: https://developers.cloudflare.com/r2/buckets/event-notifications/ */
export const BUCKET_ACTIONS = [
	"PutObject",
	"CopyObject",
	"CompleteMultipartUpload",
	"DeleteObject",
	"LifecycleDeletion",
] as const;
export const KV_ACTIONS = ["PutKey", "DeleteKey"] as const;
export type StorageAction = (typeof BUCKET_ACTIONS)[number] | (typeof KV_ACTIONS)[number];

/** Where something is stored: a bucket of a tenant's, or a namespace, by its id. */
export type StoredIn = { bucket: string } | { kv: string };

/** Which changes are told of, and where. */
export interface StorageRule {
	/** What the keys begin and end with. */
	prefix: string;
	suffix: string;
	actions: StorageAction[];
	/** The queue that gets the events. */
	queue: string;
}

/** Whether a rule is about a key. */
export function concerns({ prefix, suffix }: StorageRule, key: string): boolean {
	return key.startsWith(prefix) && key.endsWith(suffix);
}

/** A rule of a bucket's own, which all that change the bucket tell by. */
export interface BucketRule extends StorageRule {
	id: string;
	created: Milliseconds;
	description?: string | undefined;
}

/** What a change is told by, in the transaction that makes it. */
export interface StorageTelling {
	/** Those of its bucket or namespace. */
	rules: StorageRule[];
	/** How many events deep whoever makes it is: an event of it would be one deeper. */
	depth: number;
	/** Where the change is made, in its trace, as the edge writes it; `null` where it is in none. */
	trace: string | null;
	/** How much the tenant may store. */
	mostBytes: Bytes;
}

const OWN = "~";

/** A queue whose events are a function's own, whose name no other queue can have. */
export function ownQueue(name: string, deadLetterQueue: string | null): string {
	return `${OWN}${name}${OWN}${deadLetterQueue ?? ""}`;
}

export const isOwnQueue = (queue: string) => queue.startsWith(OWN);
