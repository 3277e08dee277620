import type { Bytes } from "../units.ts";

/** What is larger goes to the data process in pieces, and lies there in a file of its own. */
const MOST_AT_ONCE: Bytes = 256 * 1024;

/** A value that goes to the data process at once; or, where it is too large for that, all of it as it comes. */
export async function begun(
	content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
	if (content instanceof Uint8Array) return content.byteLength <= MOST_AT_ONCE ? content : joined([content], null);
	const parts: Uint8Array[] = [];
	let bytes = 0;
	const rest = content[Symbol.asyncIterator]();
	while (bytes <= MOST_AT_ONCE) {
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
