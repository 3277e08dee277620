/** Packages without types of their own, as far as stand-ins use them: their usual types would bring in Node's. */
declare module "readable-stream" {
	type Done = (error?: Error | null) => void;

	interface WritableOptions {
		write?(chunk: unknown, encoding: string, done: Done): void;
		final?(done: Done): void;
		destroy?(error: Error | null, done: Done): void;
	}

	export class Readable {
		static from(parts: Iterable<unknown> | AsyncIterable<unknown>, options?: object): Readable;
		push(chunk: unknown): boolean;
		destroy(error?: Error): this;
		[Symbol.asyncIterator](): AsyncIterator<unknown>;
	}
	export class Writable {
		constructor(options?: WritableOptions);
		write(chunk: unknown, done?: Done): boolean;
		end(done?: Done): this;
		destroy(error?: Error): this;
	}
	export class Duplex extends Readable {}
	export class Transform extends Duplex {
		_transform(chunk: unknown, encoding: string, done: Done): void;
		_flush(done: Done): void;
	}

	type Operation = (...args: unknown[]) => unknown;
	interface Streams {
		PassThrough: typeof Transform;
		Stream: new () => object;
		Transform: typeof Transform;
		addAbortSignal: Operation;
		compose: Operation;
		destroy: Operation;
		finished: Operation;
		isDisturbed: Operation;
		isErrored: Operation;
		isReadable: Operation;
		pipeline: Operation;
		promises: Record<"finished" | "pipeline", (...args: unknown[]) => Promise<void>>;
	}
	const streams: Streams;
	export default streams;
}
declare module "assert/build/internal/util/comparisons.js" {
	export function isDeepStrictEqual(one: unknown, other: unknown): boolean;
}
declare module "events/events.js" {
	type Name = string | symbol;
	type Listener = (...args: unknown[]) => void;

	export class EventEmitter {
		on(name: Name, listener: Listener): this;
		off(name: Name, listener: Listener): this;
		listeners(name: Name): Listener[];
		listenerCount(name: Name): number;
		getMaxListeners(): number;
		setMaxListeners(most: number): this;
	}
	export function once(emitter: EventEmitter | EventTarget, name: Name): Promise<unknown[]>;
}
