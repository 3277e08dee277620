import {
	type ReadableByteStreamController,
	ReadableStream,
	type TransformStream,
	type WritableStream,
} from "web-streams-polyfill";

/** What the polyfill keeps of a stream. */
interface Internals {
	_state: "readable" | "closed" | "errored";
	_reader: object | undefined;
	_storedError: unknown;
	_disturbed: boolean;
	_readableStreamController: { _controlledReadableByteStream: object };
	/** What `lazyByteStream` was given. */
	_lazyPull: Pull;
}

type Pull = (controller: ReadableByteStreamController) => void;

/** https://streams.spec.whatwg.org/#is-readable-stream-disturbed */
export function isDisturbed(stream: ReadableStream): boolean {
	return (stream as unknown as Internals)._disturbed;
}

/** https://streams.spec.whatwg.org/#is-readable-stream-locked */
export function isLocked(stream: ReadableStream): boolean {
	return (stream as unknown as Internals)._reader !== undefined;
}

/** Has a stream that a reader has count as read from. */
export function disturb(stream: ReadableStream): void {
	(stream as unknown as Internals)._disturbed = true;
}

/** Gives a transform stream sides that were made otherwise. */
export function replaceSides(transform: TransformStream, readable: ReadableStream, writable: WritableStream): void {
	const sides = transform as unknown as { _readable: ReadableStream; _writable: WritableStream };
	sides._readable = readable;
	sides._writable = writable;
}

/**
 * A stream of bytes with a high-water mark of 0, whose controller is made when something is first read: most bodies
 * are handed on as `response.body` and nobody reads them, and a controller takes forty calls.
 */
export function lazyByteStream(pull: Pull): ReadableStream<Uint8Array<ArrayBuffer>> {
	const stream = Object.create(ReadableStream.prototype) as Internals;
	stream._state = "readable";
	stream._reader = undefined;
	stream._storedError = undefined;
	stream._disturbed = false;
	stream._lazyPull = pull;
	Object.defineProperties(stream, UNMADE);
	return stream as unknown as ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** By its name the polyfill tells a stream from what is none. */
const UNMADE = {
	_readableStreamController: {
		__proto__: null,
		get(this: Internals) {
			const source = { type: "bytes", pull: this._lazyPull } as const;
			const made = new ReadableStream(source, { highWaterMark: 0 }) as unknown as Internals;
			const value = made._readableStreamController;
			value._controlledReadableByteStream = this;
			const property = { __proto__: null, value, writable: true, enumerable: true };
			Object.defineProperties(this, { _readableStreamController: property });
			return value;
		},
		configurable: true,
		enumerable: true,
	},
};
