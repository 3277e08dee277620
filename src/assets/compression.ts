import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import type { Bytes } from "../units.ts";

/** Media types of what is text, or as good as text. What else files are is compressed already. */
const TEXT =
	/^(?:text\/|application\/(?:javascript|json|manifest\+json|wasm|xml|[\w.+-]+\+(?:json|xml))\b|image\/svg\+xml\b|font\/(?:ttf|otf)\b)/;
const LEAST: Bytes = 1024;
/** A larger file would take a thread for seconds. */
const MOST: Bytes = 8 * 2 ** 20;
/** Less than this of a file has to be left, for it to be worth a file of its own. */
const WORTH = 0.9;
/** Eleven is best and takes thirty times as long for a tenth less. */
const QUALITY = 6;

/** A file by brotli, where that makes it smaller; `null` where it is served as it is. */
export async function compressed(bytes: Uint8Array, type: string): Promise<Buffer | null> {
	if (!TEXT.test(type) || bytes.byteLength < LEAST || bytes.byteLength > MOST) return null;
	const params = {
		[constants.BROTLI_PARAM_QUALITY]: QUALITY,
		[constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength,
	};
	const made = await promisify(brotliCompress)(bytes, { params });
	return made.byteLength < bytes.byteLength * WORTH ? made : null;
}
