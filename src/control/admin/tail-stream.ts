import type { Context } from "hono";
import type { Control } from "../control.ts";
import { TailSession, type TailSettings } from "../tails/tail-session.ts";
import type { Authenticated } from "../tokens.ts";
import { eventStream } from "./event-stream.ts";

/** Streams what a function does. Throws ControlError `too_many_tails`. */
export function tailStream(c: Context<Authenticated>, control: Control, settings: TailSettings): Response {
	return eventStream(
		c,
		control,
		({ send, leftOut }) => new TailSession(settings, { onInvocation: send, onLeftOut: leftOut }),
	);
}
