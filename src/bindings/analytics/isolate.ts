import type { BindingNumber } from "../../link/calls.ts";
import { note } from "../../prelude/call.ts";
import { copyBytes, decodeUtf8, encodeUtf8, isBufferSource } from "../../prelude/encoding/bytes.ts";
import { asInterface, toDictionary, toUSVString } from "../../prelude/interface.ts";
import { encodeDataPoint, MOST_BLOB_BYTES, MOST_BLOBS, MOST_DOUBLES, MOST_INDEX_BYTES, MOST_POINTS } from "./schema.ts";

const SECRET = Symbol("construct");
const WHERE = "writeDataPoint()";

/** https://developers.cloudflare.com/analytics/analytics-engine/get-started/ */
export class AnalyticsEngineDataset {
	readonly #binding: BindingNumber;

	constructor(secret?: unknown, binding?: BindingNumber) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#binding = binding as BindingNumber;
	}

	/** Returns at once: the point is written by and by, or left out where there are too many. */
	writeDataPoint(point?: unknown): undefined {
		const { indexes, blobs, doubles } = toDictionary(point, WHERE);
		const names = listOf(indexes, "indexes", 1, textOf);
		const texts = listOf(blobs, "blobs", MOST_BLOBS, textOf);
		const numbers = listOf(doubles, "doubles", MOST_DOUBLES, numberOf);
		const index = names.length === 0 ? "" : names[0];
		if (encodeUtf8(index).length > MOST_INDEX_BYTES)
			throw new TypeError(`${WHERE}: the index has more than ${MOST_INDEX_BYTES} bytes`);
		let bytes = 0;
		for (let i = 0; i < texts.length; i++) bytes += encodeUtf8(texts[i]).length;
		if (bytes > MOST_BLOB_BYTES) throw new TypeError(`${WHERE}: the blobs have more than ${MOST_BLOB_BYTES} bytes`);
		note(this.#binding, WHERE, encodeDataPoint({ index, blobs: texts, doubles: numbers }), MOST_POINTS);
		return undefined;
	}
}
asInterface(AnalyticsEngineDataset, "AnalyticsEngineDataset", { writeDataPoint: 0 });

function listOf<T>(value: unknown, what: string, most: number, convert: (item: unknown) => T): T[] {
	if (value === undefined || value === null) return [];
	if (!Array.isArray(value)) throw new TypeError(`${WHERE}: ${what} is not an array`);
	if (value.length > most) throw new TypeError(`${WHERE}: maximum of ${most} ${what} supported`);
	const list: T[] = [];
	for (let i = 0; i < value.length && i < most; i++) list.push(convert(value[i]));
	return list;
}

function textOf(value: unknown): string {
	if (value === undefined || value === null) return "";
	return isBufferSource(value) ? decodeUtf8(copyBytes(value)) : toUSVString(value);
}

function numberOf(value: unknown): number | null {
	const number = Number(value);
	return Number.isFinite(number) ? number : null;
}

export const create = (binding: BindingNumber): AnalyticsEngineDataset => new AnalyticsEngineDataset(SECRET, binding);
