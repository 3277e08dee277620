import type { EventTypes } from "./event-type.ts";
import { event } from "./events/event.ts";
import { queue } from "./events/queue.ts";
import { scheduled } from "./events/scheduled.ts";
import { storage } from "./events/storage.ts";

/**
 * The types of events that can be dispatched, beside requests. A new one is a file in `events/` and a line here; a
 * handler's name that functions have not had until then stands in `link/handlers.ts`, too.
 */
export const EVENT_TYPES: EventTypes = { scheduled, queue, storage, event };
