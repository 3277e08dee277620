/** Packages without types of their own, as far as stand-ins use them: their usual types would bring in Node's. */
declare module "readable-stream" {
	import { Transform } from "node:stream";

	export { Duplex, Readable, Transform, Writable } from "node:stream";

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
	export { EventEmitter, once } from "node:events";
}
