import type { Bytes, Milliseconds } from "../../../units.ts";
import type { ObjectHead, ObjectMetadata } from "../calls.ts";

/** What an object takes beside its key, its metadata and what is in it. */
const OBJECT_BYTES: Bytes = 400;

/** An object's row, without what is in it. */
export interface Row {
	id: number;
	bucket: number;
	key: string;
	version: string;
	size: Bytes;
	etag: string;
	uploaded: Milliseconds;
	checksums: string;
	storage_class: string;
	http: string;
	custom: string;
	/** What is in it, where it does not stand in the row. */
	body: number | null;
}
export const HEAD = "id, bucket, key, version, size, etag, uploaded, checksums, storage_class, http, custom, body";

export function headOf(row: Row): ObjectHead {
	const { key, version, size, etag, uploaded, checksums, storage_class: storageClass, http, custom } = row;
	const about = { checksums: JSON.parse(checksums) as ObjectHead["checksums"], storageClass };
	return { key, version, size, etag, uploaded, ...about, http: listIn(http), custom: listIn(custom) };
}

const listIn = (text: string) => JSON.parse(text) as string[];

/** What an object takes in its row. */
export function weightOf({
	key,
	http,
	custom,
	body,
	size,
}: Pick<Row, "key" | "http" | "custom" | "body" | "size">): Bytes {
	const metadata = Buffer.byteLength(http) + Buffer.byteLength(custom);
	return OBJECT_BYTES + Buffer.byteLength(key) + metadata + (body === null ? size : 0);
}

/** As rows have it. */
export function columnsOf({ http, custom, storageClass }: ObjectMetadata) {
	return { http: JSON.stringify(http), custom: JSON.stringify(custom), storage_class: storageClass };
}
