import { apply, defineProperty, getPrototypeOf, hasOwn, kept, type Method } from "./kept.ts";

const KeptPromise = Promise;
const PromisePrototype = Promise.prototype;
const then = kept(Promise.prototype, "then");
const { resolve } = Promise;
const settle = (value: unknown) => apply(resolve, KeptPromise, [value]) as Promise<unknown>;

function isThenReplaced(): boolean {
	try {
		return PromisePrototype.then !== then;
	} catch {
		return true;
	}
}

/**
 * A promise is resolved with another by calling that one's `then`, whatever it is now: this sees to it that it is the
 * kept one.
 */
function steady<T>(value: T): T {
	if (typeof value !== "object" || value === null || !isThenReplaced()) return value;
	if (getPrototypeOf(value) === PromisePrototype && !hasOwn(value, "then"))
		defineProperty(value, "then", { value: then, writable: true, configurable: true });
	return value;
}

/** What stands for `Promise` as a constructor. */
export function makePromise<T>(
	executor: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
	return new KeptPromise<T>((resolve, reject) => executor((value) => resolve(steady(value)), reject));
}
makePromise.prototype = PromisePrototype;

/** `Promise.all(list)` */
export function all(list: Promise<unknown>[]): Promise<unknown[]> {
	return new KeptPromise((resolve, reject) => {
		const values: unknown[] = [];
		let missing = list.length;
		if (missing === 0) resolve(values);
		for (let i = 0; i < list.length; i++) {
			const keep = (value: unknown) => {
				values[i] = value;
				missing--;
				if (missing === 0) resolve(values);
			};
			apply(then, settle(list[i]), [keep, reject]);
		}
	});
}

/** `promise.then(…)` */
export function steadyThen(this: Promise<unknown>, onFulfilled?: unknown, onRejected?: unknown): Promise<unknown> {
	if (!isThenReplaced()) return apply(then, this, [onFulfilled, onRejected]);
	return apply(then, this, [steadyHandler(onFulfilled), steadyHandler(onRejected)]);
}

function steadyHandler(handler: unknown): unknown {
	return typeof handler === "function" ? (value: unknown) => steady(handler(value)) : handler;
}

/** `Promise.prototype`'s methods, which call `then`. */
export const PROMISE_METHODS: Record<string, Method> = {
	// biome-ignore lint/suspicious/noThenProperty: nobody awaits this table.
	then: steadyThen,
	catch(onRejected) {
		return apply(steadyThen, this, [undefined, onRejected]);
	},
	finally(onFinally) {
		const pass = (value: unknown) => apply(then, settle(onFinally()), [() => value]);
		const fail = (reason: unknown) =>
			apply(then, settle(onFinally()), [
				() => {
					throw reason;
				},
			]);
		return apply(steadyThen, this, [pass, fail]);
	},
};
