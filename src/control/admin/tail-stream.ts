import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { Milliseconds } from "../../units.ts";
import type { Control } from "../control.ts";
import { TailSession, type TailSettings } from "../tails/tail-session.ts";
import type { Authenticated } from "../tokens.ts";

/** What the reader of a tail has not taken, in letters. */
const MOST_WAITING = 2 ** 20;
const BEAT: Milliseconds = 10_000;

/**
 * Streams what a function does as server-sent events, until its reader goes, their token no longer holds or control
 * ends. Throws ControlError `too_many_tails`.
 */
export function tailStream(
	c: Context<Authenticated>,
	{ feed, tokens, closing }: Control,
	settings: TailSettings,
): Response {
	feed.refuseIfFull(settings.function);
	const { promise: ended, resolve } = Promise.withResolvers<void>();
	let write = (_: string): Promise<unknown> => Promise.resolve();
	let waiting = 0;
	// What the reader does not take is dropped.
	const send = async (text: string) => {
		if (waiting > 0 && waiting + text.length > MOST_WAITING) return;
		waiting += text.length;
		await write(text);
		waiting -= text.length;
	};
	const unwatch = feed.watch(new TailSession(settings, (one) => void send(`data: ${JSON.stringify(one)}\n\n`)));
	const forget = tokens.onEnd(c.get("bearer"), resolve);
	// What stands between would take a quiet connection for a dead one.
	const beat = setInterval(() => void send(": still here\n\n"), BEAT);
	return streamSSE(c, async (stream) => {
		write = (text) => stream.write(text);
		stream.onAbort(resolve);
		await stream.write(": connected\n\n");
		await Promise.race([ended, closing]);
		clearInterval(beat);
		forget();
		unwatch();
	});
}
