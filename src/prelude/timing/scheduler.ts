import { AbortSignal, onAbort } from "../events/abort.ts";
import { asInterface, requireArguments, toDictionary } from "../interface.ts";
import { clearTimeout, setTimer } from "./timers.ts";

const SECRET = Symbol("construct");

/** https://wicg.github.io/scheduling-apis/#sec-scheduler, as far as edge platforms have it. */
export class Scheduler {
	constructor(secret?: unknown) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
	}
	/** Resolves after so many milliseconds: https://developers.cloudflare.com/workers/runtime-apis/scheduler/ */
	async wait(delay: unknown, options?: unknown): Promise<void> {
		requireArguments(arguments.length, 1, "Scheduler.wait");
		const { signal } = toDictionary(options, "Scheduler.wait");
		if (signal !== undefined && !(signal instanceof AbortSignal))
			throw new TypeError("Scheduler.wait: signal is not an AbortSignal");
		signal?.throwIfAborted();
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const timer = setTimer(resolve, Number(delay), false);
		if (signal !== undefined)
			onAbort(signal, (reason) => {
				clearTimeout(timer);
				reject(reason);
			});
		await promise;
	}
}
asInterface(Scheduler, "Scheduler", { constructor: 0, wait: 1 });
export const scheduler = new Scheduler(SECRET);
