/** Packages without types of their own: Node's streams as a package, and a part of Node's `assert`. */
declare module "readable-stream" {
	import streams from "node:stream";

	export { Duplex, Readable, Transform, Writable } from "node:stream";
	export default streams;
}
declare module "assert/build/internal/util/comparisons.js" {
	export function isDeepStrictEqual(one: unknown, other: unknown): boolean;
}
declare module "events/events.js" {
	export { EventEmitter, once } from "node:events";
}
