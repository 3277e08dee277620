import { reportError, tracker } from "./errors/report-error.ts";
import { asInterface } from "./interface.ts";
import type { IoContext } from "./io-context.ts";

/** https://developers.cloudflare.com/workers/runtime-apis/context/: the third argument of a handler. */
export class ExecutionContext {
	#context: IoContext;
	#props: object | null;
	constructor(context: IoContext, props: object | null = null) {
		this.#context = context;
		this.#props = props;
	}
	/** What whoever has called the function says of itself. */
	get props(): object {
		this.#props ??= {};
		return this.#props;
	}
	/** The function's own entrypoints, for it to call. */
	get exports(): object {
		return (require("./entrypoints/exports.ts") as typeof import("./entrypoints/exports.ts")).exports;
	}
	/** Keeps the request's resources until the promise settles; its failure is logged. */
	waitUntil(promise: unknown): void {
		waitUntil(this.#context, promise);
	}
	/** Accepted for compatibility: there is no origin behind a function to pass through to. */
	passThroughOnException(): void {}
}
asInterface(ExecutionContext, "ExecutionContext");

export function waitUntil(context: IoContext, promise: unknown): void {
	if (context.done) throw new Error("waitUntil() is not available after the request has ended");
	context.hold();
	tracker?.handle(promise);
	void (async () => {
		try {
			await promise;
		} catch (error) {
			reportError(error);
		}
		context.release();
	})();
}
