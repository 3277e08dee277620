import { z } from "zod";
import { bucketName, type FunctionName, namespaceId, queueName } from "../names.ts";
import { ownQueue, type StorageAction, type StorageRule } from "../stores/storage-rule.ts";
import { problemOfCron } from "./cron.ts";

/** Of one function so many schedules and queues, as a bound on what one deployment may ask for. */
const MOST_CRONS = 30;
const MOST_QUEUES = 100;
const MOST_RULES = 100;

/** How a function gets the messages of a queue: https://developers.cloudflare.com/queues/configuration/configure-queues/ */
export const consumerSchema = z.strictObject({
	/** The queue's name, of the function's tenant. */
	queue: queueName,
	/** How many messages one call of the handler gets at most. Default 10. */
	maxBatchSize: z.number().int().min(1).max(100).default(10),
	/** How many seconds the first of them waits for others. Default 5. */
	maxBatchTimeout: z.number().min(0).max(60).default(5),
	/** How often a message is delivered again before it is given up. Default 3. */
	maxRetries: z.number().int().min(0).max(100).default(3),
	/** After how many seconds it is, where the handler does not say. Default: a second, and each time twice as long. */
	retryDelay: z.number().int().min(0).max(43_200).nullable().default(null),
	/** The queue that gets what is given up. Default: none, it is dropped, and the log tells of it. */
	deadLetterQueue: queueName.nullable().default(null),
	/** How many calls of the handler there are at a time. Default 10. */
	maxConcurrency: z.number().int().min(1).max(250).default(10),
});
export type ConsumerSettings = z.output<typeof consumerSchema>;

/** How a queue's messages are taken over HTTP: https://developers.cloudflare.com/queues/configuration/pull-consumers/ */
export const pullSchema = z.strictObject({
	/** How many messages one call gets, where it does not say. Default 5. */
	maxBatchSize: z.number().int().min(1).max(100).default(5),
	/** How long they are nobody else's, in milliseconds, where it does not say. Default 30 s. */
	visibilityTimeoutMs: z.number().int().min(0).max(43_200_000).default(30_000),
	/** How often a message is given again before it is given up. Default 3. */
	maxRetries: consumerSchema.shape.maxRetries,
	/** After how many seconds one is that is handed back, where nobody says. Default: at once. */
	retryDelay: z.number().int().min(0).max(43_200).default(0),
	/** The queue that gets what is given up. Default: none, it is dropped. */
	deadLetterQueue: consumerSchema.shape.deadLetterQueue,
});
export type PullSettings = z.output<typeof pullSchema>;

export const cronsSchema = z
	.array(z.string().max(256))
	.max(MOST_CRONS)
	.superRefine((all, { addIssue }) => {
		// The first that is wrong says so: to find that one never comes about takes long.
		for (const [i, text] of all.entries()) {
			const problem = problemOfCron(text);
			if (problem === null) continue;
			addIssue({ code: "custom", path: [i], message: problem });
			return;
		}
	});

const EVENTS = ["object-create", "object-delete", "key-put", "key-delete"] as const;
type StorageEventName = (typeof EVENTS)[number];
const ACTIONS: Record<StorageEventName, readonly StorageAction[]> = {
	"object-create": ["PutObject", "CopyObject", "CompleteMultipartUpload"],
	"object-delete": ["DeleteObject", "LifecycleDeletion"],
	"key-put": ["PutKey"],
	"key-delete": ["DeleteKey"],
};
const affix = z.string().max(256).default("");

/** Changes of what is stored that a function is told of, or a queue. */
const storageSchema = z
	.strictObject({
		/** The bucket, of the function's tenant; or … */
		bucket: bucketName.optional(),
		/** … the KV namespace, by its id. */
		kv: namespaceId.optional(),
		/** What the keys begin and end with. Default: anything. */
		prefix: affix,
		suffix: affix,
		/** Which changes. Default: all that there are. */
		events: z.array(z.enum(EVENTS)).min(1).optional(),
		/** The queue that gets the events. Default: none, the function's `storage` handler is called. */
		queue: queueName.nullable().default(null),
		/** Without one: the queue that gets events that the handler has failed four times. Default: they are dropped. */
		deadLetterQueue: queueName.nullable().default(null),
	})
	.refine(
		({ bucket, kv }) => (bucket === undefined) !== (kv === undefined),
		"it must name a bucket, or a KV namespace (kv)",
	)
	.refine(
		({ bucket, events = [] }) => events.every((event) => event.startsWith(bucket === undefined ? "key-" : "object-")),
		"events: a bucket has object-create and object-delete, a KV namespace key-put and key-delete",
	)
	.refine(({ queue, deadLetterQueue }) => queue === null || deadLetterQueue === null, {
		error: "deadLetterQueue: say it where the queue is consumed",
	});
export type StorageSettings = z.output<typeof storageSchema>;

/** What events are told of, and how: for a function that has settings. */
export function storageRuleOf(name: FunctionName, settings: StorageSettings): StorageRule {
	const { bucket, prefix, suffix, queue, deadLetterQueue } = settings;
	const events =
		settings.events ?? EVENTS.filter((event) => event.startsWith(bucket === undefined ? "key-" : "object-"));
	const actions = events.flatMap((event) => ACTIONS[event]);
	return { prefix, suffix, actions, queue: queue ?? ownQueue(name, deadLetterQueue) };
}

const rulesSchema = z.array(storageSchema).max(MOST_RULES);

const consumersSchema = z
	.array(consumerSchema)
	.max(MOST_QUEUES)
	.refine((all) => new Set(all.map(({ queue }) => queue)).size === all.length, "a queue is named twice")
	.refine((all) => all.every(({ queue, deadLetterQueue }) => queue !== deadLetterQueue), {
		error: "a queue cannot be its own dead-letter queue",
	});

/** What calls a function beside requests. */
export const triggersSchema = z.strictObject({
	/** When its `scheduled` handler is called. */
	crons: cronsSchema.default([]),
	/** Whose messages its `queue` handler is given. */
	queues: consumersSchema.default([]),
	/** Which changes of what is stored its `storage` handler is called with, or are sent to a queue. */
	storage: rulesSchema.default([]),
});
export type GivenTriggers = z.input<typeof triggersSchema>;
export type Triggers = z.output<typeof triggersSchema>;

/** What is to be changed of that; what is not said stays as it is. */
export const triggersPatch = z.strictObject({
	crons: cronsSchema.optional(),
	queues: consumersSchema.optional(),
	storage: rulesSchema.optional(),
});
export type TriggersPatch = z.output<typeof triggersPatch>;

export const NO_TRIGGERS: Triggers = { crons: [], queues: [], storage: [] };

/** Why a function that has these handlers cannot be called by what is to call it, or `null`. */
export function missingHandler({ crons, queues, storage }: Triggers, handlers: readonly string[]): string | null {
	if (crons.length > 0 && !handlers.includes("scheduled"))
		return "triggers.crons: the function has no scheduled handler";
	if (queues.length > 0 && !handlers.includes("queue")) return "triggers.queues: the function has no queue handler";
	if (storage.some(({ queue }) => queue === null) && !handlers.includes("storage"))
		return "triggers.storage: the function has no storage handler, and no queue is named";
	return null;
}
