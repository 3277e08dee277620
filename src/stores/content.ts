import type { Bytes } from "../units.ts";

/** A value that is to be stored: whole, or as it comes. */
export type Content = Uint8Array | AsyncIterable<Uint8Array>;

/** What is larger goes to the data process in pieces of this size, and lies there in a file of its own. */
export const PIECE: Bytes = 256 * 1024;

/** A value that goes to the data process at once; or, where it is too large for that, all of it as it comes. */
export async function begun(content: Content, most: Bytes): Promise<Content> {
	if (content instanceof Uint8Array) {
		const { byteLength } = content;
		if (byteLength > most) throw new Error(`413 Value length of ${byteLength} exceeds limit of ${most}.`);
		return byteLength <= PIECE ? content : joined([content], null);
	}
	const parts: Uint8Array[] = [];
	let bytes = 0;
	const rest = content[Symbol.asyncIterator]();
	while (bytes <= PIECE) {
		const { done, value } = await rest.next();
		if (done) return Buffer.concat(parts);
		parts.push(value);
		bytes += value.byteLength;
	}
	return joined(parts, rest);
}

async function* joined(parts: Uint8Array[], rest: AsyncIterator<Uint8Array> | null): AsyncGenerator<Uint8Array, void> {
	yield* parts;
	if (rest !== null) yield* { [Symbol.asyncIterator]: () => rest };
}
