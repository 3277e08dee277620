/** `node:stream/web`: the globals. */
import { globalScope } from "./global-scope.ts";

export const {
	ByteLengthQueuingStrategy,
	CompressionStream,
	CountQueuingStrategy,
	DecompressionStream,
	ReadableByteStreamController,
	ReadableStream,
	ReadableStreamBYOBReader,
	ReadableStreamBYOBRequest,
	ReadableStreamDefaultController,
	ReadableStreamDefaultReader,
	TextDecoderStream,
	TextEncoderStream,
	TransformStream,
	TransformStreamDefaultController,
	WritableStream,
	WritableStreamDefaultController,
	WritableStreamDefaultWriter,
} = globalScope;
