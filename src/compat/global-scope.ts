/** The global scope, with what its type leaves out: classes and constants. */
interface Declared {
	Blob: typeof Blob;
	ByteLengthQueuingStrategy: typeof ByteLengthQueuingStrategy;
	CompressionStream: typeof CompressionStream;
	CountQueuingStrategy: typeof CountQueuingStrategy;
	DecompressionStream: typeof DecompressionStream;
	File: typeof File;
	performance: Performance;
	ReadableByteStreamController: typeof ReadableByteStreamController;
	ReadableStream: typeof ReadableStream;
	ReadableStreamBYOBReader: typeof ReadableStreamBYOBReader;
	ReadableStreamBYOBRequest: typeof ReadableStreamBYOBRequest;
	ReadableStreamDefaultController: typeof ReadableStreamDefaultController;
	ReadableStreamDefaultReader: typeof ReadableStreamDefaultReader;
	TextDecoder: typeof TextDecoder;
	TextDecoderStream: typeof TextDecoderStream;
	TextEncoder: typeof TextEncoder;
	TextEncoderStream: typeof TextEncoderStream;
	TransformStream: typeof TransformStream;
	TransformStreamDefaultController: typeof TransformStreamDefaultController;
	WritableStream: typeof WritableStream;
	WritableStreamDefaultController: typeof WritableStreamDefaultController;
	WritableStreamDefaultWriter: typeof WritableStreamDefaultWriter;
}

export const globalScope = globalThis as typeof globalThis & Declared;
