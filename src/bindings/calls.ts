import type { Account } from "../limits/account.ts";
import { MAX_HEADER_BYTES, MAX_URL_BYTES } from "../limits/limits.ts";
import { type BindingNumber, decodeCall, encodeAnswer } from "../link/calls.ts";
import { Kind } from "../link/messages.ts";
import type { CallSpan } from "../observe/trace.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import type { Bytes } from "../units.ts";
import type { OpenBinding, Prepared } from "./binding.ts";
import { BodyReceiver, BodySender, type BodyTarget } from "./body.ts";
import { CallBounds, type CallLimits, type OnExceeded } from "./bounds.ts";
import { answer, fail, lend, paced, type Reply, untilRead } from "./reply.ts";

/** Opens a binding of the function for its request; `null` where it has none of that number. */
export type OpenBindings = (binding: BindingNumber) => OpenBinding | null;

/** What a call may ask for beside its body, in letters: the longest URL with the most headers, and as much of anything else. */
const MOST_ARGUMENT = MAX_URL_BYTES + MAX_HEADER_BYTES;

/** What a call has the edge hold beside its body. */
const CALL_BYTES: Bytes = 2048;

/** The trace that calls are part of. */
export interface CallTracing {
	/** A call begins: its span, if it is recorded. */
	traceCall(binding: BindingNumber, prepared: Prepared): CallSpan | null;
	/** Where what a call leads to goes on in the trace. */
	traceOf(call: CallSpan | null): TraceContext;
}

/** Who performs the calls of an attempt, within which limits, and what they have the edge hold. */
interface CallSettings {
	open: OpenBindings;
	limits: CallLimits;
	account: Account;
	tracing: CallTracing;
	onExceeded: OnExceeded;
}

interface Running {
	held: Bytes;
	controller: AbortController;
	outgoing: BodyReceiver | null;
	incoming: BodySender | null;
	/** The body that is handed on as its own. */
	handedOn: BodySender | null;
	bounds: CallBounds;
	span: CallSpan | null;
}

/** One for all: each of its own would take the edge the time of a stack trace. */
const ENDED = new Error("nobody waits for the call any more");

/** The calls of bindings of one attempt, with their limits: what it has started outside, and how to stop it. */
export class Calls {
	readonly #open: OpenBindings;
	readonly #limits: CallLimits;
	/** What the edge holds for them. */
	readonly account: Account;
	readonly #tracing: CallTracing;
	readonly #onExceeded: OnExceeded;
	/** Made at the first call, as is the next: most requests have none. */
	#running: Map<number, Running> | null = null;
	#bindings: Map<BindingNumber, OpenBinding> | null = null;
	#waiting: (() => void)[] = [];
	/** How many were started. */
	count = 0;
	#active = 0;

	constructor({ open, limits, account, tracing, onExceeded }: CallSettings) {
		this.#open = open;
		this.#limits = limits;
		this.account = account;
		this.#tracing = tracing;
		this.#onExceeded = onExceeded;
	}

	/** Takes a call. Returns whether it is one that the isolate's side of its binding sends. */
	call(op: number, text: string, whole: Uint8Array | undefined, reply: Reply): boolean {
		const { subrequests, concurrentSubrequests } = this.#limits;
		if (this.#running?.has(op)) return false; // In its place the one before could not be stopped any more.
		const { binding, body, argument } = decodeCall(text);
		const opened = this.#binding(binding);
		if (opened?.note !== undefined) return body === "none" && opened.note(argument);
		if (this.count >= subrequests) {
			const message = `the request has already made its ${subrequests} subrequests`;
			this.#onExceeded("subrequests", message);
			fail(reply, message);
			return true;
		}
		this.count++;
		if (text.length > MOST_ARGUMENT) {
			fail(reply, `what is asked for has more than ${MOST_ARGUMENT} letters`);
			return true;
		}
		const prepared = opened?.prepare(argument) ?? null;
		if (prepared === null) return false;
		if (typeof prepared === "string") {
			fail(reply, prepared);
			return true;
		}
		if (body === "none" && this.#answerNow(text, binding, prepared, reply)) return true;
		const outgoing =
			body === "stream"
				? new BodyReceiver(
						this.account,
						(bytes) => {
							const { handedOn } = running;
							if (handedOn === null) reply.send(Kind.credit, "", bytes);
							else handedOn.taken(bytes);
						},
						() => reply.send(Kind.cancel, ""),
					)
				: null;
		const held = CALL_BYTES + (whole?.byteLength ?? 0);
		this.account.hold(held);
		const running: Running = {
			held,
			controller: new AbortController(),
			outgoing,
			incoming: null,
			handedOn: null,
			bounds: new CallBounds(this.#limits, prepared.target, this.#onExceeded),
			span: this.#tracing.traceCall(binding, prepared),
		};
		this.#running ??= new Map();
		this.#running.set(op, running);
		const content = outgoing ?? (body === "whole" ? (whole ?? new Uint8Array(0)) : null);
		const { signal } = running.controller;
		const trace = this.#tracing.traceOf(running.span);
		const start = () => void this.#run(op, running, () => prepared.perform(content, signal, trace), reply);
		if (this.#active < concurrentSubrequests) start();
		else this.#waiting.push(start);
		return true;
	}

	/** Answers a call whose answer is known, where nothing keeps it from leaving at once. Returns whether it has. */
	#answerNow(call: string, binding: BindingNumber, prepared: Prepared, reply: Reply): boolean {
		if (prepared.known === undefined || this.#active >= this.#limits.concurrentSubrequests) return false;
		const known = prepared.known();
		if (known === null || reply.clogged(ignore)) return false;
		const { text, content } = known;
		if (content !== null && content.byteLength > this.#limits.subrequestBodyBytes) return false;
		this.#tracing.traceCall(binding, prepared)?.end();
		answer(reply, text, content);
		lend(reply, call, known);
		return true;
	}

	/** Takes that a call was answered with what its sandbox was lent. Returns whether that can have been. */
	reused(call: string): boolean {
		if (this.count >= this.#limits.subrequests || call.length > MOST_ARGUMENT) return false;
		const { binding, body, argument } = decodeCall(call);
		const prepared = body === "none" ? this.#binding(binding)?.prepare(argument) : null;
		if (typeof prepared !== "object" || prepared?.known === undefined) return false;
		this.count++;
		this.#tracing.traceCall(binding, prepared)?.end();
		return true;
	}

	#binding(number: BindingNumber): OpenBinding | null {
		const known = this.#bindings?.get(number);
		if (known !== undefined) return known;
		const opened = this.#open(number);
		if (opened === null) return null;
		this.#bindings ??= new Map();
		this.#bindings.set(number, opened);
		return opened;
	}

	async #run(
		op: number,
		running: Running,
		perform: () => ReturnType<Prepared["perform"]>,
		reply: Reply,
	): Promise<void> {
		this.#active++;
		let idle = false;
		const { bounds, span } = running;
		const { signal } = running.controller;
		try {
			if (signal.aborted) return;
			const { text, content, idle: stays = false, isStored = false, status } = await bounds.wait(perform());
			if (status !== undefined) span?.status(status);
			if (stays) {
				idle = true;
				this.#next();
			}
			if (content === null) answer(reply, text, null);
			else if (content instanceof Uint8Array) {
				if (!isStored) bounds.size(content.byteLength);
				running.held += content.byteLength;
				this.account.hold(content.byteLength);
				await untilRead(reply, signal);
				if (!signal.aborted) answer(reply, text, content);
			} else {
				reply.send(Kind.answer, encodeAnswer({ body: "stream", text }));
				const sender = new BodySender(this.account, {
					chunk: (piece) => reply.send(Kind.body, "", piece),
					end: (failure) => reply.send(Kind.end, failure),
				});
				running.incoming = sender;
				// Whoever waited may have gone meanwhile: the body is begun all the same, so that it is closed.
				if (signal.aborted) sender.cancel();
				const untilMore = () => (sender.isHandedOn ? null : untilRead(reply, signal));
				await this.#sendBody(sender, paced(bounds.body(content, isStored), untilMore));
			}
		} catch (error) {
			span?.fail(error as Error);
			if (!signal.aborted) fail(reply, (error as Error).message);
			running.controller.abort(ENDED);
		} finally {
			if (!idle) this.#next();
			span?.end();
			this.#running?.delete(op);
			running.outgoing?.drop();
			running.incoming?.cancel();
			this.account.release(running.held);
		}
	}

	/** One runs no longer: another may. */
	#next(): void {
		this.#active--;
		this.#waiting.shift()?.();
	}

	async #sendBody(sender: BodySender, body: AsyncIterable<Uint8Array>): Promise<void> {
		try {
			if (await sender.send(body)) sender.end("");
		} catch (error) {
			sender.end(`the response broke off: ${(error as Error).message}`);
		}
	}

	chunk(op: number, bytes: Uint8Array): void {
		const running = this.#running?.get(op);
		if (running !== undefined && running.handedOn === null) more(running, bytes);
	}

	end(op: number, failure: string): void {
		const running = this.#running?.get(op);
		if (running !== undefined && running.handedOn === null) end(running, failure);
	}

	/** The body that a call's answer has, as long as it comes in. */
	incoming(op: number): BodySender | null {
		return this.#running?.get(op)?.incoming ?? null;
	}

	/** Takes a call's own body from there. `null` where it takes none, or it comes from elsewhere already. */
	sendOn(op: number, body: BodySender): BodyTarget | null {
		const running = this.#running?.get(op);
		if (running === undefined || running.outgoing === null || running.handedOn !== null) return null;
		running.handedOn = body;
		return { chunk: (piece) => more(running, piece), end: (failure) => end(running, failure) };
	}

	credit(op: number, bytes: number): void {
		this.#running?.get(op)?.incoming?.credit(bytes);
	}

	cancel(op: number): void {
		const running = this.#running?.get(op);
		running?.controller.abort(ENDED);
		running?.incoming?.cancel();
		running?.outgoing?.end("cancelled");
	}

	/** The attempt is over. */
	close(): void {
		if (this.#running !== null) {
			for (const op of this.#running.keys()) this.cancel(op);
			for (const start of this.#waiting.splice(0)) start();
		}
		if (this.#bindings === null) return;
		for (const opened of this.#bindings.values()) opened.close?.();
		this.#bindings = null;
	}
}

const ignore = () => undefined;

/** More of a call's own body. */
function more({ bounds, outgoing }: Running, bytes: Uint8Array): void {
	bounds.progress();
	outgoing?.chunk(bytes);
}

function end({ outgoing }: Running, failure: string): void {
	outgoing?.end(failure === "" ? "" : "the function's request body failed");
}
