/** `node:diagnostics_channel`: https://nodejs.org/api/diagnostics_channel.html */
import { invalidType } from "./node-errors.ts";

type Name = string | symbol;
type Subscriber = (message: unknown, name: Name) => void;
type Transform = (message: unknown) => unknown;
type Callback = (...args: never[]) => unknown;
interface Store {
	run(store: unknown, callback: () => unknown): unknown;
}

const channels = new Map<Name, Channel>();

export class Channel {
	readonly name: Name;
	readonly #stores = new Map<Store, Transform>();
	#subscribers: readonly Subscriber[] = [];

	constructor(name: Name) {
		this.name = name;
	}

	get hasSubscribers(): boolean {
		return this.#subscribers.length > 0 || this.#stores.size > 0;
	}

	subscribe(subscriber: Subscriber): void {
		mustBeFunction(subscriber, "subscription");
		this.#subscribers = [...this.#subscribers, subscriber];
	}

	unsubscribe(subscriber: Subscriber): boolean {
		const at = this.#subscribers.indexOf(subscriber);
		if (at !== -1) this.#subscribers = this.#subscribers.toSpliced(at, 1);
		return at !== -1;
	}

	/** What a subscriber throws is nothing to whoever publishes. */
	publish(message: unknown): void {
		for (const subscriber of this.#subscribers) {
			try {
				subscriber(message, this.name);
			} catch (error) {
				reportError(error);
			}
		}
	}

	bindStore(store: Store, transform: Transform = (message) => message): void {
		this.#stores.set(store, transform);
	}

	unbindStore(store: Store): boolean {
		return this.#stores.delete(store);
	}

	/** Publishes a message, and calls a function with it in each store that is bound. */
	runStores<R>(message: unknown, callback: (...args: never[]) => R, self?: unknown, ...args: unknown[]): R {
		let run = (): unknown => {
			this.publish(message);
			return Reflect.apply(callback, self, args);
		};
		for (const [store, transform] of this.#stores) {
			const inner = run;
			run = () => {
				let value: unknown;
				try {
					value = transform(message);
				} catch (error) {
					reportError(error);
					return inner();
				}
				return store.run(value, inner);
			};
		}
		return run() as R;
	}
}

export function channel(name: Name): Channel {
	if (typeof name !== "string" && typeof name !== "symbol")
		throw invalidType('The "channel" argument must be of type string or symbol');
	const found = channels.get(name) ?? new Channel(name);
	channels.set(name, found);
	return found;
}
export const subscribe = (name: Name, subscriber: Subscriber): void => channel(name).subscribe(subscriber);
export const unsubscribe = (name: Name, subscriber: Subscriber): boolean => channel(name).unsubscribe(subscriber);
export const hasSubscribers = (name: Name): boolean => channels.get(name)?.hasSubscribers ?? false;

const EVENTS = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;
type Event = (typeof EVENTS)[number];
type Context = Record<string, unknown>;

/** The five channels that tell of one thing from its start to its end. */
class TracingChannel {
	readonly start: Channel;
	readonly end: Channel;
	readonly asyncStart: Channel;
	readonly asyncEnd: Channel;
	readonly error: Channel;

	constructor(of: string | Record<Event, Channel>) {
		const one = (event: Event) => (typeof of === "string" ? channel(`tracing:${of}:${event}`) : of[event]);
		this.start = one("start");
		this.end = one("end");
		this.asyncStart = one("asyncStart");
		this.asyncEnd = one("asyncEnd");
		this.error = one("error");
	}

	get hasSubscribers(): boolean {
		return EVENTS.some((event) => this[event].hasSubscribers);
	}

	subscribe(handlers: Partial<Record<Event, Subscriber>>): void {
		for (const event of EVENTS) if (handlers[event] !== undefined) this[event].subscribe(handlers[event]);
	}

	unsubscribe(handlers: Partial<Record<Event, Subscriber>>): boolean {
		const done = EVENTS.map((event) => handlers[event] === undefined || this[event].unsubscribe(handlers[event]));
		return done.every(Boolean);
	}

	traceSync<R>(callback: (...args: never[]) => R, context: Context = {}, self?: unknown, ...args: unknown[]): R {
		if (!this.hasSubscribers) return Reflect.apply(callback, self, args) as R;
		return this.start.runStores(context, () => {
			try {
				const result = Reflect.apply(callback, self, args) as R;
				context.result = result;
				return result;
			} catch (error) {
				throw this.#failed(context, error);
			} finally {
				this.end.publish(context);
			}
		});
	}

	tracePromise<R>(callback: (...args: never[]) => R, context: Context = {}, self?: unknown, ...args: unknown[]): R {
		if (!this.hasSubscribers) return Reflect.apply(callback, self, args) as R;
		const settled = () => this.asyncStart.runStores(context, () => this.asyncEnd.publish(context));
		return this.start.runStores(context, () => {
			try {
				const result = Reflect.apply(callback, self, args) as PromiseLike<unknown>;
				if (typeof result?.then !== "function") {
					context.result = result;
					return result;
				}
				return result.then(
					(value) => {
						context.result = value;
						settled();
						return value;
					},
					(error: unknown) => {
						this.#failed(context, error);
						settled();
						throw error;
					},
				);
			} catch (error) {
				throw this.#failed(context, error);
			} finally {
				this.end.publish(context);
			}
		}) as R;
	}

	traceCallback<R>(
		callback: (...args: never[]) => R,
		position = -1,
		context: Context = {},
		self?: unknown,
		...args: unknown[]
	): R {
		if (!this.hasSubscribers) return Reflect.apply(callback, self, args) as R;
		const done = args.at(position) as Callback;
		mustBeFunction(done, "callback");
		const { asyncStart, asyncEnd } = this;
		const failed = (error: unknown) => this.#failed(context, error);
		args.splice(position, 1, function (this: unknown, ...results: unknown[]) {
			const [error, result] = results;
			if (error) failed(error);
			else context.result = result;
			asyncStart.runStores(context, () => {
				try {
					return Reflect.apply(done, this, results);
				} finally {
					asyncEnd.publish(context);
				}
			});
		});
		return this.start.runStores(context, () => {
			try {
				return Reflect.apply(callback, self, args) as R;
			} catch (error) {
				throw failed(error);
			} finally {
				this.end.publish(context);
			}
		});
	}

	#failed(context: Context, error: unknown): unknown {
		context.error = error;
		this.error.publish(context);
		return error;
	}
}
export const tracingChannel = (of: string | Record<Event, Channel>): TracingChannel => new TracingChannel(of);

function mustBeFunction(value: unknown, name: string): void {
	if (typeof value !== "function") throw invalidType(`The "${name}" argument must be of type function`);
}

export default { Channel, channel, hasSubscribers, subscribe, tracingChannel, unsubscribe };
