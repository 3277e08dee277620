/** https://developers.cloudflare.com/analytics/analytics-engine/limits/ */
export const MOST_BLOBS = 20;
export const MOST_DOUBLES = 20;
/** In UTF-8. */
export const MOST_BLOB_BYTES = 16 * 1024;
export const MOST_INDEX_BYTES = 96;
/** Of one invocation. */
export const MOST_POINTS = 250;

/** A data point, as a function writes it. */
export interface DataPoint {
	index: string;
	blobs: string[];
	/** `null` for what is no finite number. */
	doubles: (number | null)[];
}

/** As JSON, which asks no object how it wants to be written. */
export function encodeDataPoint({ index, blobs, doubles }: DataPoint): string {
	let text = `[${JSON.stringify(index)},[`;
	for (let i = 0; i < blobs.length; i++) text += `${i === 0 ? "" : ","}${JSON.stringify(blobs[i])}`;
	text += "],[";
	for (let i = 0; i < doubles.length; i++) text += `${i === 0 ? "" : ","}${doubles[i]}`;
	return `${text}]]`;
}

/** So many letters a point has at most, each of which may be written as six. */
export const LONGEST_POINT = 6 * (MOST_BLOB_BYTES + MOST_INDEX_BYTES) + 2000;
