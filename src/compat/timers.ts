/** `node:timers`: the globals, and `setImmediate`. */
import promises from "./timers-promises.ts";

export const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;

export function setImmediate(callback: (...args: unknown[]) => void, ...args: unknown[]): unknown {
	return globalThis.setTimeout(callback, 0, ...args);
}
export function clearImmediate(timer: unknown): void {
	globalThis.clearTimeout(timer as never);
}
export { promises };
export default { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, promises };
