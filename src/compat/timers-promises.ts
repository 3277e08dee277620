/** `node:timers/promises`: https://nodejs.org/api/timers.html#timers-promises-api */
import { aborted } from "./node-errors.ts";

interface Options {
	signal?: AbortSignal;
}

export function setTimeout<T>(delay = 1, value?: T, { signal }: Options = {}): Promise<T> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) throw aborted(signal.reason);
		const abort = () => {
			globalThis.clearTimeout(timer);
			reject(aborted(signal?.reason));
		};
		const timer = globalThis.setTimeout(() => {
			signal?.removeEventListener("abort", abort);
			resolve(value as T);
		}, delay);
		signal?.addEventListener("abort", abort, { once: true });
	});
}

export function setImmediate<T>(value?: T, options?: Options): Promise<T> {
	return setTimeout(0, value, options);
}

export async function* setInterval<T>(delay = 1, value?: T, { signal }: Options = {}): AsyncGenerator<T> {
	if (signal?.aborted) throw aborted(signal.reason);
	let due = 0;
	let waiting: PromiseWithResolvers<void> | null = null;
	const wake = () => {
		waiting?.resolve();
		waiting = null;
	};
	const timer = globalThis.setInterval(() => {
		due += 1;
		wake();
	}, delay);
	signal?.addEventListener("abort", wake, { once: true });
	try {
		for (;;) {
			if (signal?.aborted) throw aborted(signal.reason);
			if (due === 0) {
				waiting = Promise.withResolvers();
				await waiting.promise;
			}
			// What was due before it was aborted is still given.
			for (; due > 0; due--) yield value as T;
		}
	} finally {
		globalThis.clearInterval(timer);
		signal?.removeEventListener("abort", wake);
	}
}

export const scheduler = {
	wait: (delay: number, options?: Options): Promise<void> => setTimeout(delay, undefined, options),
	yield: (): Promise<void> => setImmediate(),
};
export default { setTimeout, setImmediate, setInterval, scheduler };
