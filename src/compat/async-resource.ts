/**
 * What packages that stand in for Node's modules use of `node:async_hooks`: nothing that would follow continuations.
 */
export class AsyncResource {
	readonly type: string;
	constructor(type = "AsyncResource") {
		this.type = type;
	}
	runInAsyncScope<R>(callback: (...args: unknown[]) => R, self?: unknown, ...args: unknown[]): R {
		return Reflect.apply(callback, self, args) as R;
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
export default { AsyncResource };
