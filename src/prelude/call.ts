import { type BindingNumber, decodeAnswer, decodeReusable, encodeCall } from "../link/calls.ts";
import { Kind, STREAM_WINDOW } from "../link/messages.ts";
import { exactBytes } from "./encoding/bytes.ts";
import { type AbortSignal, onAbort } from "./events/abort.ts";
import { Body, type Whole, wholeBody } from "./fetch/body.ts";
import { receiveStream, sendStream } from "./fetch/body-stream.ts";
import { type IoContext, Operation, requireContext } from "./io-context.ts";

/** What a call of a binding sends out. */
interface Called {
	/** As an error names it: `fetch()`. */
	what: string;
	/** What is asked for, as the binding's `schema.ts` has it. */
	argument: string;
	body: Body | null;
	/** Aborts it; the promise is rejected with its reason then. */
	signal: AbortSignal | null;
	/** Whether it may be answered as the same call was before, as long as that holds. Default: no. */
	reusable?: boolean;
}

const ANSWERED = Promise.resolve();

/** One call of a binding, for its isolate's side: the edge does it, and the answer comes back as a later turn. */
export class Call {
	/**
	 * Resolves once the answer is there, in the other fields: what a promise is resolved with is asked for a `then`,
	 * and so it is with nothing.
	 */
	readonly answered: Promise<void>;
	/** Why there is no answer; `null` where there is one. */
	failure: string | null = null;
	/** The answer, as the binding's `schema.ts` has it. */
	text = "";
	/** What came beside it. */
	body: Body | null = null;
	readonly #context: IoContext;
	readonly #op: number;
	readonly #operation = new Operation();
	#finished = false;

	constructor(binding: BindingNumber, { what, argument, body, signal, reusable = false }: Called) {
		const context = requireContext(what);
		const op = context.nextOperation();
		const operation = this.#operation;
		const whole = body !== null && isWhole(body);
		const mode = body === null ? "none" : whole ? "whole" : "stream";
		const call = encodeCall({ binding, body: mode, argument });
		this.#context = context;
		this.#op = op;
		const reused = reusable ? context.reuse(op, call) : null;
		if (reused !== null) {
			const { answer, content } = decodeReusable(reused);
			this.#take(answer, content);
			this.answered = ANSWERED;
			return;
		}
		const answered = Promise.withResolvers<void>();
		this.answered = answered.promise;
		operation.answer = (answer, data) => {
			this.#take(answer, data);
			answered.resolve();
		};
		context.operations.set(op, operation);
		context.emit(Kind.call, op, call, whole ? takeWhole(body as Body) : undefined);
		if (mode === "stream") void sendStream(context, op, (body as Body).stream, operation);
		if (signal === null) return;
		onAbort(signal, (reason) => {
			if (this.#finished) return;
			answered.reject(reason);
			operation.end?.(reason);
			operation.abort?.();
			context.emit(Kind.cancel, op);
		});
	}

	#take(answer: string, data: Whole): void {
		const { body, text } = decodeAnswer(answer);
		if (body === "stream") this.body = new Body(null, receiveStream(this.#context, this.#op, this.#operation));
		else {
			this.#finished = true;
			this.#context.operations.delete(this.#op);
			if (body === "whole") this.body = wholeBody(data);
		}
		if (body === "error") this.failure = text;
		else this.text = text;
	}
}

/** Says something to a binding that nobody answers, up to so many times in an attempt; what is more is left out. */
export function note(binding: BindingNumber, what: string, argument: string, most: number): void {
	const context = requireContext(what);
	if (context.noted(most)) return;
	context.emit(Kind.call, context.nextOperation(), encodeCall({ binding, body: "none", argument }));
}

/** Whether a body leaves in one piece, beside what is asked for. */
export function isWhole(body: Body): boolean {
	const { source } = body;
	return source !== null && source.length <= STREAM_WINDOW && !body.unusable;
}

function takeWhole(body: Body): string | Uint8Array {
	const source = body.take();
	return source === null ? "" : typeof source === "string" ? source : exactBytes(source);
}
