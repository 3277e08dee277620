/** `node:timers/promises` */
interface Options {
	signal?: AbortSignal;
}

export function setTimeout<T>(delay = 0, value?: T, { signal }: Options = {}): Promise<T> {
	return new Promise((resolve, reject) => {
		signal?.throwIfAborted();
		const timer = globalThis.setTimeout(() => resolve(value as T), delay);
		signal?.addEventListener("abort", () => {
			globalThis.clearTimeout(timer);
			reject(signal.reason);
		});
	});
}

export function setImmediate<T>(value?: T, options?: Options): Promise<T> {
	return setTimeout(0, value, options);
}

export async function* setInterval<T>(delay = 0, value?: T, options?: Options): AsyncGenerator<T> {
	for (;;) yield await setTimeout(delay, value as T, options);
}

export const scheduler = {
	wait: (delay: number, options?: Options) => setTimeout(delay, undefined, options),
	yield: () => setTimeout(0),
};
export default { setTimeout, setImmediate, setInterval, scheduler };
