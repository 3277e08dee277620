import { z } from "zod";
import type { EventPart } from "../../link/event-head.ts";
import type { Verdict } from "../../link/verdicts.ts";
import { BUCKET_ACTIONS, KV_ACTIONS } from "../../stores/storage-rule.ts";
import { type EventType, eventPart } from "../event-type.ts";
import { type QueueResult, resultOf } from "./queue.ts";

/** How many changes there are in one call, as of a queue's messages. */
const MAX_CHANGES = 100;

/** A change of what is stored. */
export type StorageChange = {
	/** Whose it is. */
	account: string;
	/** When it was, in the form of RFC 3339. */
	eventTime: string;
} & (
	| {
			action: "PutObject" | "CopyObject" | "CompleteMultipartUpload" | "DeleteObject" | "LifecycleDeletion";
			bucket: string;
			/** `size` and `eTag` where it is there still. */
			object: { key: string; size?: number | undefined; eTag?: string | undefined };
	  }
	| {
			action: "PutKey" | "DeleteKey";
			/** The KV namespace's id. */
			namespace: string;
			key: string;
			size?: number | undefined;
	  }
);

/** Changes of what is stored, for one call of the handler. */
export interface StorageEvent {
	type: "storage";
	/** From one to a hundred, each under an id of its own, with how often it was dispatched, this time included. */
	changes: (StorageChange & { id: string; attempts: number })[];
}

const about = {
	id: z.string().min(1).max(128),
	attempts: z.number().int().min(1).max(1_000_000),
	account: z.string(),
	eventTime: z.string(),
};
const size = z.number().int().min(0).optional();

/** docs/triggers.md: no event of Cloudflare's, where a queue has to be between. */
export const storage: EventType<StorageEvent, QueueResult> = {
	input: z.strictObject({
		type: z.literal("storage"),
		changes: z
			.array(
				z.union([
					z.strictObject({
						...about,
						action: z.enum(BUCKET_ACTIONS),
						bucket: z.string(),
						object: z.strictObject({ key: z.string(), size, eTag: z.string().optional() }),
					}),
					z.strictObject({ ...about, action: z.enum(KV_ACTIONS), namespace: z.string(), key: z.string(), size }),
				]),
			)
			.min(1)
			.max(MAX_CHANGES)
			.refine((all) => new Set(all.map(({ id }) => id)).size === all.length, "two changes have the same id"),
	}),
	encode({ changes }: StorageEvent) {
		const parts = changes.map((change): EventPart => eventPart({ fields: { ...change }, methods: ["ack", "retry"] }));
		const argument = eventPart({ methods: ["ackAll", "retryAll"] });
		return { head: { type: "storage", handler: "storage", argument, list: "changes", parts }, data: null };
	},
	decode: ({ changes }: StorageEvent, verdicts: Verdict[], ok: boolean) => resultOf(changes, verdicts, ok),
};
