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

/**
 * https://webidl.spec.whatwg.org/#es-asynchronous-iterator-prototype-object: what the polyfill's iterators inherit
 * from, which is within reach as soon as there is one of them.
 */
function amendIteratorPrototype(iterator: object): void {
	const prototype = Object.getPrototypeOf(iterator) as object;
	Reflect.deleteProperty(prototype, Symbol.asyncIterator);
	Object.setPrototypeOf(prototype, AsyncIteratorPrototype);
	Object.defineProperty(prototype, Symbol.toStringTag, { value: "ReadableStream AsyncIterator", configurable: true });
	amended = true;
}
const AsyncIteratorPrototype = Object.getPrototypeOf(
	Object.getPrototypeOf(async function* () {}.prototype) as object,
) as object;
let amended = false;

const iterate = ReadableStream.prototype.values;
const amending = {
	values(this: ReadableStream, options = undefined) {
		const iterator = iterate.call(this, options);
		if (!amended) amendIteratorPrototype(iterator);
		return iterator;
	},
};
for (const [key, enumerable] of [
	["values", true],
	[Symbol.asyncIterator, false],
] as const)
	Object.defineProperty(ReadableStream.prototype, key, {
		value: amending.values,
		writable: true,
		enumerable,
		configurable: true,
	});
