import type { BindingNumber } from "../../../src/link/calls.ts";
import { Call } from "../../../src/prelude/call.ts";
import { AbortSignal } from "../../../src/prelude/events/abort.ts";
import { Body } from "../../../src/prelude/fetch/body.ts";
import { ReadableStream } from "../../../src/prelude/streams/streams.ts";
import { type Asked, encodeAsked } from "./schema.ts";

/** What stands in `env` for the sample. */
class Sample {
	readonly #binding: BindingNumber;

	constructor(binding: BindingNumber) {
		this.#binding = binding;
	}

	say(text: unknown): Promise<string> {
		return this.#ask("say", text);
	}

	shout(text: unknown): Promise<string> {
		return this.#ask("shout", text);
	}

	wait(signal: unknown): Promise<string> {
		return this.#ask("wait", "", signal);
	}

	async #ask(what: Asked, text: unknown, signal?: unknown): Promise<string> {
		const call = new Call(this.#binding, {
			what: `sample.${what}()`,
			argument: encodeAsked(what, `${text as string}`),
			body: null,
			signal: signal instanceof AbortSignal ? signal : null,
		});
		await call.answered;
		if (call.failure !== null) throw new Error(call.failure);
		return call.text;
	}

	/** Sends bytes, or a stream of them, and gives what comes back of them. */
	async mirror(content: unknown): Promise<ReadableStream> {
		const body =
			content instanceof ReadableStream ? new Body(null, content) : new Body(content as string | Uint8Array, null);
		const call = new Call(this.#binding, {
			what: "sample.mirror()",
			argument: encodeAsked("stream", ""),
			body,
			signal: null,
		});
		await call.answered;
		if (call.failure !== null) throw new Error(call.failure);
		return (call.body as Body).stream;
	}
}

export const create = (binding: BindingNumber): Sample => new Sample(binding);
