/** `node:events`: the `events` package, which old code can also call without `new`, with what it lacks of Node's. */
import { EventEmitter, once } from "events/events.js";
import { AsyncResource } from "./async-resource.ts";

type Listener = (...args: unknown[]) => void;
type Target = EventEmitter | EventTarget;

interface Iteration {
	signal?: AbortSignal;
	close?: string[];
}

/** https://nodejs.org/api/events.html#eventsonemitter-eventname-options */
export function on(
	emitter: EventEmitter,
	name: string,
	{ signal, close = [] }: Iteration = {},
): AsyncIterableIterator<unknown[]> {
	signal?.throwIfAborted();
	const events: unknown[][] = [];
	const waiting: PromiseWithResolvers<IteratorResult<unknown[]>>[] = [];
	let failure: { error: unknown } | null = null;
	let ended = false;
	const receive = (...args: unknown[]) => {
		const next = waiting.shift();
		if (next === undefined) events.push(args);
		else next.resolve({ value: args, done: false });
	};
	const fail = (error: unknown) => {
		const next = waiting.shift();
		if (next === undefined) failure = { error };
		else next.reject(error);
		end();
	};
	const abort = () => fail(signal?.reason);
	const end = () => {
		ended = true;
		emitter.off(name, receive);
		emitter.off("error", fail);
		for (const event of close) emitter.off(event, end);
		signal?.removeEventListener("abort", abort);
		for (const next of waiting.splice(0)) next.resolve({ value: undefined, done: true });
		return Promise.resolve({ value: undefined, done: true as const });
	};
	emitter.on(name, receive);
	if (name !== "error") emitter.on("error", fail);
	for (const event of close) emitter.on(event, end);
	signal?.addEventListener("abort", abort, { once: true });
	return {
		next() {
			const event = events.shift();
			if (event !== undefined) return Promise.resolve({ value: event, done: false });
			if (failure !== null) {
				const { error } = failure;
				failure = null;
				return Promise.reject(error);
			}
			if (ended) return Promise.resolve({ value: undefined, done: true });
			const next = Promise.withResolvers<IteratorResult<unknown[]>>();
			waiting.push(next);
			return next.promise;
		},
		return: end,
		throw: (error) => {
			fail(error);
			return Promise.resolve({ value: undefined, done: true });
		},
		[Symbol.asyncIterator]() {
			return this;
		},
	};
}

export const getEventListeners = (emitter: Target, name: string): Listener[] =>
	emitter instanceof EventEmitter ? (emitter.listeners(name) as Listener[]) : [];
export const getMaxListeners = (emitter: Target): number =>
	emitter instanceof EventEmitter ? emitter.getMaxListeners() : 10;
export function setMaxListeners(most: number, ...emitters: Target[]): void {
	for (const emitter of emitters) if (emitter instanceof EventEmitter) emitter.setMaxListeners(most);
}
export const listenerCount = (emitter: EventEmitter, name: string): number => emitter.listenerCount(name);

export class EventEmitterAsyncResource extends EventEmitter {
	readonly asyncResource = new AsyncResource();
}

export const errorMonitor = Symbol("events.errorMonitor");
export const captureRejectionSymbol = Symbol.for("nodejs.rejection");
export const defaultMaxListeners = 10;

Object.assign(EventEmitter, {
	captureRejectionSymbol,
	errorMonitor,
	EventEmitter,
	EventEmitterAsyncResource,
	getEventListeners,
	getMaxListeners,
	on,
	setMaxListeners,
});

export { EventEmitter, once };
export default EventEmitter;
