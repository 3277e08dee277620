import { z } from "zod";
import type { Verdict } from "../../link/verdicts.ts";
import type { Milliseconds } from "../../units.ts";
import { type EventType, eventPart } from "../event-type.ts";

/** A time has come. */
export interface ScheduledEvent {
	type: "scheduled";
	/** The expression that the time came of, such as `0 * * * *`; what it says is up to whoever dispatches. */
	cron: string;
	/** When the event was due, since the epoch. */
	scheduledTime: Milliseconds;
}

/** What came of a scheduled event. */
export interface ScheduledResult {
	/** Whether it may be dispatched again: it has failed, and its handler has not called `noRetry()`. */
	retry: boolean;
}

/** https://developers.cloudflare.com/workers/runtime-apis/handlers/scheduled/ */
export const scheduled: EventType<ScheduledEvent, ScheduledResult> = {
	input: z.strictObject({
		type: z.literal("scheduled"),
		cron: z.string().max(256),
		scheduledTime: z.number().int().min(0).max(8.64e15),
	}),
	encode({ cron, scheduledTime }: ScheduledEvent) {
		const argument = eventPart({ fields: { type: "scheduled", cron, scheduledTime }, methods: ["noRetry"] });
		return {
			head: { type: "scheduled", handler: "scheduled", argument, list: "", parts: [] },
			data: null,
			seen: { cron, scheduledTime },
		};
	},
	decode: (_event: ScheduledEvent, verdicts: Verdict[], ok: boolean) => ({ retry: !ok && verdicts.length === 0 }),
};
