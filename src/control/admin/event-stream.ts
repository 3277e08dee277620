import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { Count, Milliseconds } from "../../units.ts";
import type { Control } from "../control.ts";
import type { Watcher } from "../feed/feed.ts";
import type { Authenticated } from "../tokens.ts";

/** What the reader of a stream has not taken, in letters. */
const MOST_WAITING: Count = 2 ** 20;
const BEAT: Milliseconds = 10_000;

/** Where what is watched is written to. */
export interface EventWriter {
	/** What the reader does not take is left out, and counted. */
	send(value: object): void;
	/** So many were left out before. */
	leftOut(count: Count): void;
}

/**
 * Streams what is watched as server-sent events, until its reader goes, their token no longer holds or control ends; one
 * with the name `sampled` says how many were left out, since they were too many. Throws ControlError `too_many_tails`.
 */
export function eventStream(
	c: Context<Authenticated>,
	{ feed, tokens, closing }: Control,
	watcherOf: (writer: EventWriter) => Watcher,
): Response {
	const { promise: ended, resolve } = Promise.withResolvers<void>();
	let write = (_: string): Promise<unknown> => Promise.resolve();
	let waiting = 0;
	let left = 0;
	const post = async (text: string) => {
		waiting += text.length;
		await write(text);
		waiting -= text.length;
	};
	const tellLeft = () => {
		if (left === 0 || waiting > MOST_WAITING / 2) return;
		void post(`event: sampled\ndata: ${JSON.stringify({ leftOut: left })}\n\n`);
		left = 0;
	};
	const watcher = watcherOf({
		send(value) {
			const text = `data: ${JSON.stringify(value)}\n\n`;
			if (waiting > 0 && waiting + text.length > MOST_WAITING) left++;
			else {
				tellLeft();
				void post(text);
			}
		},
		leftOut(count) {
			left += count;
			tellLeft();
		},
	});
	feed.refuseIfFull(watcher.scope);
	const unwatch = feed.watch(watcher);
	const forget = tokens.onEnd(c.get("bearer"), resolve);
	// What stands between would take a quiet connection for a dead one.
	const beat = setInterval(() => {
		tellLeft();
		void post(": still here\n\n");
	}, BEAT);
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
