import type { ReadableStream } from "./streams.ts";

/** A stream of bytes as a stream of text. */
export function decodeStream(stream: ReadableStream): ReadableStream<string> {
	const { TextDecoderStream } = require("./encoding-streams.ts") as typeof import("./encoding-streams.ts");
	return stream.pipeThrough(new TextDecoderStream());
}
