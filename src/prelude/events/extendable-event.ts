import { reportError, tracker } from "../errors/report-error.ts";
import { waitUntil } from "../execution-context.ts";
import type { Request } from "../fetch/request.ts";
import { asInterface } from "../interface.ts";
import type { IoContext } from "../io-context.ts";
import { dispatchTrusted, Event, type EventTarget } from "./event.ts";

/** https://w3c.github.io/ServiceWorker/#fetchevent-interface */
export class FetchEvent extends Event {
	#request: Request;
	#context: IoContext;
	#response: { value: unknown } | null = null;
	constructor(request: Request, context: IoContext) {
		super("fetch", { cancelable: true });
		this.#request = request;
		this.#context = context;
	}
	get request(): Request {
		return this.#request;
	}
	respondWith(response: unknown): void {
		if (this.#response !== null) throw new Error("respondWith() has already been called");
		this.#response = { value: response };
		this.stopImmediatePropagation();
	}
	waitUntil(promise: unknown): void {
		waitUntil(this.#context, promise);
	}
	passThroughOnException(): void {}
	/** @internal */
	static answerOf(event: FetchEvent): unknown {
		return event.#response?.value;
	}
}
asInterface(FetchEvent, "FetchEvent");
const { answerOf } = FetchEvent;
Reflect.deleteProperty(FetchEvent, "answerOf");

/** Has a request's listeners answer it. */
export function dispatchFetch(scope: EventTarget, request: Request, context: IoContext): unknown {
	const event = new FetchEvent(request, context);
	dispatchTrusted(scope, event);
	return answerOf(event);
}

/** What keeps the handling of an event from being over. Its first failure is the event's; others are logged. */
class Lifetime {
	readonly #over = Promise.withResolvers<void>();
	/** The listeners themselves, and each promise that they have handed in. */
	#pending = 1;
	#failure: { error: unknown } | null = null;

	get over(): Promise<void> {
		return this.#over.promise;
	}

	extend(promise: unknown): void {
		if (this.#pending === 0) throw new Error("waitUntil() is not available after the event has been handled");
		this.#pending++;
		tracker?.handle(promise);
		void (async () => {
			try {
				await promise;
			} catch (error) {
				this.fail(error);
			}
			this.release();
		})();
	}

	fail(error: unknown): void {
		if (this.#failure === null) this.#failure = { error };
		else reportError(error);
	}

	release(): void {
		if (--this.#pending > 0) return;
		if (this.#failure === null) this.#over.resolve();
		else this.#over.reject(this.#failure.error);
	}
}

/**
 * https://w3c.github.io/ServiceWorker/#extendableevent-interface: an event that is no request, as listeners are given
 * it. What a handler would do before it returns they do in promises, which `waitUntil` takes.
 */
class ExtendableEvent extends Event {
	#lifetime: Lifetime;
	constructor(type: string, lifetime: Lifetime) {
		super(type);
		this.#lifetime = lifetime;
	}
	waitUntil(promise: unknown): void {
		this.#lifetime.extend(promise);
	}
}
asInterface(ExtendableEvent, "ExtendableEvent");

/**
 * Gives the listeners for a type of event that which a handler would have as its argument. Rejects with what the first
 * of them threw, or a promise of theirs was rejected with.
 */
export function dispatchExtendable(scope: EventTarget, type: string, argument: object): Promise<void> {
	const lifetime = new Lifetime();
	const event = new ExtendableEvent(type, lifetime);
	const properties = Object.getOwnPropertyDescriptors(argument);
	// An event has its type already, where no function can change it.
	Reflect.deleteProperty(properties, "type");
	Object.defineProperties(event, properties);
	dispatchTrusted(scope, event, (error) => lifetime.fail(error));
	lifetime.release();
	return lifetime.over;
}
