import { z } from "zod";
import { check } from "./check.ts";

const subscriberSchema = z.looseObject({
	record: z.custom((value) => typeof value === "function", "must be a function").optional(),
	log: z.custom((value) => typeof value === "function", "must be a function").optional(),
});

/** Throws UsageError for what is no subscriber. */
export function checkSubscriber(subscriber: unknown): void {
	check<unknown>(subscriberSchema, subscriber, "subscribe");
}
