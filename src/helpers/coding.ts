import type { Bytes } from "../units.ts";

/** So much of a stream's input goes to a helper at once. */
export const INPUT_BYTES: Bytes = 32 * 1024;
/** With so much of a stream's output a helper answers, though there be more. */
export const OUTPUT_BYTES: Bytes = 128 * 1024;

/** The content codings that are decompressed. */
export type Coding = "gzip" | "deflate" | "br" | "zstd";

/**
 * What a decoder takes at most, by how its input starts: its window first of all, with a piece of output and what
 * else it has.
 */
export function decoderBytes(coding: Coding, start: Uint8Array): Bytes {
	// The largest window on the web: https://www.rfc-editor.org/rfc/rfc9659#section-3
	if (coding === "zstd") return 2 ** 23 + DECODER_BYTES;
	return coding === "br" ? 2 ** brotliWindowBits(start) + DECODER_BYTES : DECODER_BYTES;
}

const DECODER_BYTES: Bytes = 256 * 1024;

/** https://www.rfc-editor.org/rfc/rfc7932#section-9.1 */
function brotliWindowBits([first = 0]: Uint8Array): number {
	if ((first & 1) === 0) return 16;
	const large = (first >> 1) & 7;
	if (large > 0) return 17 + large;
	const small = (first >> 4) & 7;
	return small > 0 ? 8 + small : 17;
}
