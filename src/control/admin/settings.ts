import type { z } from "@hono/zod-openapi";
import type { Settings } from "../catalog/catalog.ts";
import { ControlError } from "../control-error.ts";
import type { settingsRequest } from "./shapes.ts";

/** What is to change of a function. Throws ControlError `invalid` where it is to be paused and not. */
export function settingsOf({
	maxInstances,
	paused,
	triggers = {},
	...rest
}: z.infer<typeof settingsRequest>): Partial<Settings> {
	if (maxInstances === 0 && paused === false)
		throw new ControlError("invalid", "maxInstances: 0 pauses the function, and paused: false does not");
	// How many it has is not forgotten while it is paused.
	const isPaused = paused ?? (maxInstances === undefined ? undefined : maxInstances === 0);
	const most = maxInstances === 0 ? undefined : maxInstances;
	const { crons: schedules, queues: consumers, storage } = triggers;
	const all = { ...rest, paused: isPaused, maxInstances: most, schedules, consumers, storage };
	return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
