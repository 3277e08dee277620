import { z } from "zod";
import { queueName } from "../names.ts";
import { problemOfCron } from "./cron.ts";

/** Of one function so many schedules and queues, as a bound on what one deployment may ask for. */
const MOST_CRONS = 30;
const MOST_QUEUES = 100;

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
});
export type GivenTriggers = z.input<typeof triggersSchema>;
export type Triggers = z.output<typeof triggersSchema>;

/** What is to be changed of that; what is not said stays as it is. */
export const triggersPatch = z.strictObject({
	crons: cronsSchema.optional(),
	queues: consumersSchema.optional(),
});
export type TriggersPatch = z.output<typeof triggersPatch>;

export const NO_TRIGGERS: Triggers = { crons: [], queues: [] };

/** Why a function that has these handlers cannot be called by what is to call it, or `null`. */
export function missingHandler({ crons, queues }: Triggers, handlers: readonly string[]): string | null {
	if (crons.length > 0 && !handlers.includes("scheduled"))
		return "triggers.crons: the function has no scheduled handler";
	if (queues.length > 0 && !handlers.includes("queue")) return "triggers.queues: the function has no queue handler";
	return null;
}
