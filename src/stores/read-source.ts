import type { Bytes } from "../units.ts";

/** What is read at a stretch: a blob, from where and to where, or bytes that are there already. */
export type Stretch = { name: string; from: Bytes; to: Bytes } | { bytes: Buffer };

/** What is read, stretch by stretch: the next one is asked for when it is wanted. */
export interface ReadSource {
	next(): Stretch | undefined;
	/** Nobody reads it any more. */
	close?(): void;
}

/** One blob, and all of it. */
export function wholeBlob(name: string, size: Bytes): ReadSource {
	return partOfBlob(name, 0, size);
}

/** Some of one blob. */
export function partOfBlob(name: string, from: Bytes, to: Bytes): ReadSource {
	let isGiven = false;
	return {
		next() {
			if (isGiven) return undefined;
			isGiven = true;
			return { name, from, to };
		},
	};
}
