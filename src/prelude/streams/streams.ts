export {
	ByteLengthQueuingStrategy,
	CountQueuingStrategy,
	ReadableByteStreamController,
	ReadableStream,
	ReadableStreamBYOBReader,
	ReadableStreamBYOBRequest,
	ReadableStreamDefaultController,
	ReadableStreamDefaultReader,
	type Transformer,
	TransformStream,
	TransformStreamDefaultController,
	WritableStream,
	WritableStreamDefaultController,
	WritableStreamDefaultWriter,
} from "web-streams-polyfill";

import { ReadableStream, ReadableStreamBYOBReader } from "web-streams-polyfill";
import { requireArguments } from "../interface.ts";

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

const { read } = ReadableStreamBYOBReader.prototype;
const reading = {
	/**
	 * https://developers.cloudflare.com/workers/runtime-apis/streams/readablestreambyobreader/: what is read before the
	 * stream ends is no end yet.
	 */
	async readAtLeast(this: ReadableStreamBYOBReader, minBytes: unknown, view: unknown) {
		const where = "ReadableStreamBYOBReader.readAtLeast";
		requireArguments(arguments.length, 2, where);
		if (!ArrayBuffer.isView(view)) throw new TypeError(`${where}: the second argument is no view`);
		const bytes = Math.trunc(Number(minBytes));
		if (!(bytes > 0)) throw new TypeError(`${where}: the number of bytes is not above 0`);
		if (bytes > view.byteLength)
			throw new TypeError(`${where}: the view has ${view.byteLength} bytes, which is less than ${bytes}`);
		const size = (view as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
		const { done, value } = await read.call(this, view, { min: Math.ceil(bytes / size) });
		return { done: done && !(value !== undefined && value.byteLength > 0), value };
	},
};
Object.defineProperty(ReadableStreamBYOBReader.prototype, "readAtLeast", {
	value: reading.readAtLeast,
	writable: true,
	enumerable: true,
	configurable: true,
});
