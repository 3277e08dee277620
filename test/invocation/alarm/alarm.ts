import { z } from "zod";
import { type EventType, eventPart } from "../../../src/invocation/event-type.ts";
import type { Verdict } from "../../../src/link/verdicts.ts";
import type { Milliseconds } from "../../../src/units.ts";

/** An object's alarm has gone off. */
export interface AlarmEvent {
	type: "alarm";
	/** When it was set to, since the epoch. */
	due: Milliseconds;
	retryCount: number;
}

/** When it is to go off again, if at all: after as many seconds. */
export interface AlarmResult {
	snoozed: number | null;
}

/** All that there is of a type of event: what it is given, how its handler sees that, and what it comes to. */
export const alarm: EventType<AlarmEvent, AlarmResult> = {
	input: z.strictObject({ type: z.literal("alarm"), due: z.number().int(), retryCount: z.number().int().min(0) }),
	encode({ due, retryCount }: AlarmEvent) {
		const argument = eventPart({ fields: { retryCount }, dates: { due }, methods: ["snooze"] });
		return { head: { type: "alarm", handler: "alarm", argument, list: "", parts: [] }, data: null };
	},
	decode: (_event: AlarmEvent, [verdict]: Verdict[]) => ({ snoozed: verdict?.delaySeconds ?? null }),
};
