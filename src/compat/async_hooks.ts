/**
 * `node:async_hooks`. V8 tells nobody which work led to which, so that it is carried by hand: through
 * `Promise.prototype.then`, by which all continuations go once `async` functions have been lowered to promises (which
 * the bundler does for functions that import this), and through timers and microtasks.
 */
type Frame = ReadonlyMap<AsyncLocalStorage<unknown>, unknown>;
type Callback = (...args: never[]) => unknown;

const NO_FRAME: Frame = new Map();
let current = NO_FRAME;

function runIn<R>(frame: Frame, callback: (...args: never[]) => R, self: unknown, args: unknown[]): R {
	const before = current;
	current = frame;
	try {
		return Reflect.apply(callback, self, args) as R;
	} finally {
		current = before;
	}
}

/** The function, to be called in the frame of now. */
function carried<T>(callback: T): T {
	if (typeof callback !== "function" || current === NO_FRAME) return callback;
	const frame = current;
	return function (this: unknown, ...args: unknown[]) {
		return runIn(frame, callback as unknown as Callback, this, args);
	} as T;
}

const { then } = Promise.prototype;
/** What runs on after `enterWith` has nothing around it that would put the frame back. */
let entered = false;
function leaveAfterwards(): void {
	if (entered) return;
	entered = true;
	then.call(Promise.resolve(), () => {
		entered = false;
		current = NO_FRAME;
	});
}

// biome-ignore lint/suspicious/noThenProperty: all continuations pass here, which is the point
Promise.prototype.then = function (onFulfilled, onRejected) {
	return then.call(this, carried(onFulfilled), carried(onRejected)) as never;
};
for (const name of ["setTimeout", "setInterval", "queueMicrotask"] as const) {
	const original = globalThis[name] as (callback: unknown, ...rest: unknown[]) => unknown;
	const replacement = { [name]: (callback: unknown, ...rest: unknown[]) => original(carried(callback), ...rest) }[name];
	Object.defineProperty(globalThis, name, { value: replacement, writable: true, enumerable: true, configurable: true });
}

/** https://nodejs.org/api/async_context.html#class-asynclocalstorage */
export class AsyncLocalStorage<T> {
	readonly name: string;
	readonly #default: T | undefined;

	constructor({ defaultValue, name = "" }: { defaultValue?: T; name?: string } = {}) {
		this.#default = defaultValue;
		this.name = name;
	}

	static bind<F extends Callback>(callback: F): F {
		const frame = current;
		return function (this: unknown, ...args: unknown[]) {
			return runIn(frame, callback, this, args);
		} as unknown as F;
	}

	static snapshot(): <R>(callback: (...args: never[]) => R, ...args: unknown[]) => R {
		const frame = current;
		return (callback, ...args) => runIn(frame, callback, undefined, args);
	}

	getStore(): T | undefined {
		return current.has(this as never) ? (current.get(this as never) as T) : this.#default;
	}

	run<R>(store: T, callback: (...args: never[]) => R, ...args: unknown[]): R {
		return runIn(new Map([...current, [this as never, store]]), callback, undefined, args);
	}

	exit<R>(callback: (...args: never[]) => R, ...args: unknown[]): R {
		return runIn(this.#without(), callback, undefined, args);
	}

	enterWith(store: T): void {
		leaveAfterwards();
		current = new Map([...current, [this as never, store]]);
	}

	disable(): void {
		current = this.#without();
	}

	#without(): Frame {
		const frame = new Map(current);
		frame.delete(this as never);
		return frame;
	}
}

/** https://nodejs.org/api/async_context.html#class-asyncresource */
export class AsyncResource {
	readonly type: string;
	readonly #frame = current;

	constructor(type = "AsyncResource") {
		this.type = type;
	}

	static bind<F extends Callback>(callback: F): F {
		return AsyncLocalStorage.bind(callback);
	}

	bind<F extends Callback>(callback: F): F {
		return ((...args: unknown[]) => runIn(this.#frame, callback, undefined, args)) as unknown as F;
	}

	runInAsyncScope<R>(callback: (...args: never[]) => R, self?: unknown, ...args: unknown[]): R {
		return runIn(this.#frame, callback, self, args);
	}

	emitDestroy(): this {
		return this;
	}
	asyncId(): number {
		return 0;
	}
	triggerAsyncId(): number {
		return 0;
	}
}

export const executionAsyncId = (): number => 0;
export const triggerAsyncId = (): number => 0;
export const executionAsyncResource = (): object => ({});
/** Hooks are accepted and never called. */
export const createHook = () => {
	const hook = { enable: () => hook, disable: () => hook };
	return hook;
};

export default {
	AsyncLocalStorage,
	AsyncResource,
	createHook,
	executionAsyncId,
	executionAsyncResource,
	triggerAsyncId,
};
