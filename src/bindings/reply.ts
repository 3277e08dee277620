import { isAscii } from "node:buffer";
import { encodeAnswer, encodeReusable } from "../link/calls.ts";
import { machineMs } from "../link/machine-clock.ts";
import { Kind } from "../link/messages.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import type { KnownAnswer } from "./binding.ts";

/** Longer answers are not lent. */
const MOST_LENT: Bytes = 16 * 1024;

/** The way back into the isolate for what one call comes to. */
export interface Reply {
	send(kind: Kind, text: string, data?: Uint8Array | number): void;
	/** Whether its sandbox is to read what it was sent before; `resume` is called when it has. */
	clogged(resume: () => void): boolean;
	/** Lends its sandbox the answer to a call, to be given again up to a time of the machine's. */
	lend(call: string, answer: string, untilMs: Milliseconds): void;
	/** Has the sandbox forget one, also once the call and its attempt are over. */
	forgetter(call: string): () => void;
}

/** Answers with all that there is. */
export function answer(reply: Reply, text: string, content: Uint8Array | null): void {
	if (content === null) reply.send(Kind.answer, encodeAnswer({ body: "none", text }));
	else reply.send(Kind.answer, encodeAnswer({ body: "whole", text }), content);
}

/** Lends an answer to whoever has asked for it, where it may be given again and is text that needs no decoding. */
export function lend(reply: Reply, call: string, { text, content, lend: lent }: KnownAnswer): void {
	if (lent === undefined || (content !== null && !(content.byteLength <= MOST_LENT && isAscii(content)))) return;
	const forMs = lent(reply.forgetter(call));
	if (forMs === 0) return;
	const head = encodeAnswer({ body: content === null ? "none" : "whole", text });
	const letters =
		content === null ? "" : Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
	reply.lend(call, encodeReusable(head, letters), machineMs() + forMs);
}

/** Says why there is no answer. */
export function fail(reply: Reply, why: string): void {
	reply.send(Kind.answer, encodeAnswer({ body: "error", text: why }));
}

/**
 * Waits until a sandbox has read what it was sent, or nobody waits for more. A turn can keep it from reading for a
 * while, and what was written to it meanwhile could not be taken back.
 */
export async function untilRead(reply: Reply, signal: AbortSignal): Promise<void> {
	for (;;) {
		const { promise, resolve } = Promise.withResolvers<void>();
		if (signal.aborted || !reply.clogged(resolve)) return;
		const stop = () => resolve();
		signal.addEventListener("abort", stop);
		await promise;
		signal.removeEventListener("abort", stop);
	}
}

/** A body, of which more is asked for once `untilMore` resolves. */
export async function* paced(
	body: AsyncIterable<Uint8Array>,
	untilMore: () => Promise<void> | null,
): AsyncGenerator<Uint8Array> {
	for await (const bytes of body) {
		yield bytes;
		await untilMore();
	}
}
