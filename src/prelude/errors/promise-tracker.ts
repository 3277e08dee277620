/**
 * Knows which promises were rejected, and why. V8 tells the sandbox that a rejection was not handled, but not of which
 * promise; so where a function listens for such events, the promises that it makes are watched from then on: those of
 * `new Promise`, of Promise's static functions and of `then`. Its `async` functions are lowered to these by the
 * bundler.
 */
export interface Rejection {
	promise: Promise<unknown>;
	reason: unknown;
}

/** What was rejected in the running turn, and not handled so far. */
let unhandled: Rejection[] = [];
const handled = new WeakSet<object>();
/** What a function was told of. */
const told = new WeakMap<object, unknown>();
let onLateHandling: (rejection: Rejection) => void = () => undefined;

const isPromise = (value: unknown): value is Promise<unknown> => value instanceof Promise;

/** A turn begins. What was left unhandled in the one before was told when that ended. */
export function beginTurn(): void {
	unhandled = [];
}

/** Somebody has taken on what becomes of a promise. */
export function handle(promise: unknown): void {
	if (!isPromise(promise) || handled.has(promise)) return;
	handled.add(promise);
	unhandled = unhandled.filter((rejection) => rejection.promise !== promise);
	if (!told.has(promise)) return;
	onLateHandling({ promise, reason: told.get(promise) });
	told.delete(promise);
}

/** What was rejected in this turn and not handled; it counts as told from now on. */
export function takeUnhandled(): Rejection[] {
	const taken = unhandled;
	unhandled = [];
	for (const { promise, reason } of taken) told.set(promise, reason);
	return taken;
}

function note(promise: Promise<unknown>, reason: unknown): void {
	if (!handled.has(promise)) unhandled.push({ promise, reason });
}

/** `promise` becomes what `source` becomes. */
function follow(source: Promise<unknown>, promise: () => Promise<unknown>): void {
	handle(source);
	source.then(undefined, (reason) => note(promise(), reason));
}

type Callback = (value: unknown) => unknown;

/** Watches the promises of a scope from now on. `late` hears of those that are handled after all. */
export function track(scope: object, late: (rejection: Rejection) => void): void {
	onLateHandling = late;
	const { prototype } = Promise;
	const Native = prototype.constructor as PromiseConstructor;
	const { resolve } = Native;

	function then(this: Promise<unknown>, onFulfilled?: unknown, onRejected?: unknown): Promise<unknown> {
		handle(this);
		const watch = (callback: Callback): Callback => {
			return (value) => {
				try {
					const result = callback(value);
					if (isPromise(result)) follow(result, () => derived);
					return result;
				} catch (error) {
					note(derived, error);
					throw error;
				}
			};
		};
		const pass = (reason: unknown): never => {
			note(derived, reason);
			throw reason;
		};
		const derived = this.then(
			typeof onFulfilled === "function" ? watch(onFulfilled as Callback) : undefined,
			typeof onRejected === "function" ? watch(onRejected as Callback) : pass,
		);
		return derived;
	}
	// biome-ignore lint/suspicious/noThenProperty: handlers are given to promises through this, which is what is to be seen.
	Object.defineProperty(prototype, "then", { value: then, writable: true, configurable: true });

	const watched: PromiseConstructor = new Proxy(Native, {
		construct(target, args, newTarget): object {
			const [executor] = args as [unknown];
			if (typeof executor !== "function") return Reflect.construct(target, args, newTarget) as object;
			let settled = false;
			let early: { reason: unknown } | null = null;
			let promise: Promise<unknown> | null = null;
			const fail = (reason: unknown) => {
				if (settled) return;
				settled = true;
				if (promise === null) early = { reason };
				else note(promise, reason);
			};
			const run = (fulfil: Callback, reject: Callback) => {
				try {
					executor(
						(value: unknown) => {
							if (!settled && isPromise(value)) follow(value, () => promise as Promise<unknown>);
							settled = true;
							fulfil(value);
						},
						(reason: unknown) => {
							fail(reason);
							reject(reason);
						},
					);
				} catch (error) {
					fail(error);
					throw error;
				}
			};
			const made = Reflect.construct(target, [run], newTarget === watched ? target : newTarget) as Promise<unknown>;
			promise = made;
			if (early !== null) note(made, (early as { reason: unknown }).reason);
			return made;
		},
		get(target, key, receiver): unknown {
			// Promise.resolve gives a promise back as it is only where it is of the very constructor that is asked.
			return key === "resolve" ? resolveAsNative : Reflect.get(target, key, receiver);
		},
	});
	function resolveAsNative(this: unknown, value?: unknown): unknown {
		return Reflect.apply(resolve, this === watched ? Native : this, [value]);
	}
	Object.defineProperty(resolveAsNative, "name", { value: "resolve", configurable: true });
	Object.defineProperty(scope, "Promise", { value: watched, writable: true, configurable: true });
}
