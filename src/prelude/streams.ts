export {
	ByteLengthQueuingStrategy,
	CountQueuingStrategy,
	ReadableByteStreamController,
	ReadableStream,
	ReadableStreamBYOBReader,
	ReadableStreamBYOBRequest,
	ReadableStreamDefaultController,
	ReadableStreamDefaultReader,
	TransformStream,
	TransformStreamDefaultController,
	WritableStream,
	WritableStreamDefaultController,
	WritableStreamDefaultWriter,
} from "web-streams-polyfill";

import { ReadableStream } from "web-streams-polyfill";

// https://webidl.spec.whatwg.org/#js-asynchronous-iterator-prototype-object: it inherits from %AsyncIteratorPrototype%.
const iterators = Object.getPrototypeOf(new ReadableStream().values()) as object;
Object.setPrototypeOf(
	iterators,
	Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype) as object,
);
Reflect.deleteProperty(iterators, Symbol.asyncIterator);

interface Internals {
	_disturbed: boolean;
}

/** https://streams.spec.whatwg.org/#is-readable-stream-disturbed */
export function isDisturbed(stream: ReadableStream): boolean {
	return (stream as unknown as Internals)._disturbed;
}
