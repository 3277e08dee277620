import { reportError, tracker } from "../errors/report-error.ts";
import { waitUntil } from "../execution-context.ts";
import type { Request } from "../fetch/request.ts";
import { asInterface, requireArguments } from "../interface.ts";
import type { IoContext } from "../io-context.ts";
import { dispatchTrusted, Event, type EventTarget } from "./event.ts";

/** Takes a promise that keeps the handling of an event from being over. */
type Extend = (promise: unknown) => void;

/**
 * https://w3c.github.io/ServiceWorker/#extendableevent-interface: what a handler would do before it returns, listeners
 * do in promises, which `waitUntil` takes. As on Workers none of these events can be constructed.
 */
export class ExtendableEvent extends Event {
	#extend: Extend;
	constructor(secret: unknown, type: string, extend: Extend) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		super(type, CANCELABLE);
		this.#extend = extend;
	}
	waitUntil(promise: unknown): void {
		this.#extend(promise);
	}
}
const SECRET = Symbol("construct");
const CANCELABLE = { cancelable: true };
asInterface(ExtendableEvent, "ExtendableEvent", { constructor: 1 });

/** https://developers.cloudflare.com/workers/runtime-apis/handlers/scheduled/ */
export class ScheduledEvent extends ExtendableEvent {}
asInterface(ScheduledEvent, "ScheduledEvent", { constructor: 1 });

/** The same for messages of a queue. */
export class QueueEvent extends ExtendableEvent {}
asInterface(QueueEvent, "QueueEvent", { constructor: 1 });

const CLASSES: Record<string, typeof ExtendableEvent | undefined> = { scheduled: ScheduledEvent, queue: QueueEvent };

let answerOf: (event: FetchEvent) => unknown;

/** https://w3c.github.io/ServiceWorker/#fetchevent-interface */
export class FetchEvent extends ExtendableEvent {
	#request: Request;
	/** What `respondWith` was given; `null` once its time is over. */
	#answer: { given: boolean; value: unknown } | null = { given: false, value: undefined };
	constructor(secret: unknown, request: Request, extend: Extend) {
		super(secret, "fetch", extend);
		this.#request = request;
	}
	get request(): Request {
		return this.#request;
	}
	respondWith(response: unknown): void {
		requireArguments(arguments.length, 1, "FetchEvent.respondWith");
		if (this.#answer === null) throw new Error("respondWith() must be called while the event is dispatched");
		if (this.#answer.given) throw new Error("respondWith() has already been called");
		this.#answer.given = true;
		this.#answer.value = response;
		this.stopImmediatePropagation();
	}
	passThroughOnException(): void {}

	static {
		answerOf = (event) => {
			const answer = event.#answer;
			event.#answer = null;
			return answer?.value;
		};
	}
}
asInterface(FetchEvent, "FetchEvent", { constructor: 1 });

/** Has a request's listeners answer it. Throws what the first of them threw, where none has answered. */
export function dispatchFetch(scope: EventTarget, request: Request, context: IoContext): unknown {
	const event = new FetchEvent(SECRET, request, (promise) => waitUntil(context, promise));
	const failures: unknown[] = [];
	dispatchTrusted(scope, event, (error) => failures.push(error));
	const answer = answerOf(event);
	for (const error of failures) {
		if (answer === undefined) throw error;
		reportError(error);
	}
	return answer;
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
 * Gives the listeners for a type of event that which a handler would have as its argument. Rejects with what the first
 * of them threw, or a promise of theirs was rejected with.
 */
export function dispatchExtendable(scope: EventTarget, type: string, argument: object): Promise<void> {
	const lifetime = new Lifetime();
	const event = new (CLASSES[type] ?? ExtendableEvent)(SECRET, type, (promise) => lifetime.extend(promise));
	const properties = Object.getOwnPropertyDescriptors(argument);
	// An event has its type already, where no function can change it.
	Reflect.deleteProperty(properties, "type");
	Object.defineProperties(event, properties);
	dispatchTrusted(scope, event, (error) => lifetime.fail(error));
	lifetime.release();
	return lifetime.over;
}
