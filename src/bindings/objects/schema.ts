import type {
	ObjectCondition,
	ObjectFound,
	ObjectHead,
	ObjectListed,
	ObjectMetadata,
	ObjectPut,
	ObjectRange,
} from "./calls.ts";

/** What a bucket is asked for. */
export type ObjectsAsked =
	| { op: "head"; key: string }
	| { op: "get"; key: string; onlyIf: ObjectCondition | null; range: ObjectRange | null }
	| ({ op: "put"; key: string } & Pick<ObjectPut, "metadata" | "onlyIf" | "expected">)
	/** The keys come beside it. */
	| { op: "delete" }
	| {
			op: "list";
			prefix: string;
			cursor: string;
			startAfter: string;
			delimiter: string;
			limit: number;
			http: boolean;
			custom: boolean;
	  }
	| { op: "begin"; key: string; metadata: ObjectMetadata }
	| { op: "part"; key: string; upload: string; number: number }
	/** The parts come beside it. */
	| { op: "complete"; key: string; upload: string }
	| { op: "abort"; key: string; upload: string };

/** What is told of an object that was asked for: its range is `null` where a condition does not hold. */
export type ObjectTold = Pick<ObjectFound, "head" | "range">;

/** What is told of a list. */
export type ObjectsTold = Omit<ObjectListed, "next"> & { cursor: string | null };

export type { ObjectHead };

/** A text as JSON, which asks nothing that a function could have changed. */
const quote = (text: string): string => JSON.stringify(text);

function quoteList(list: string[]): string {
	let all = "";
	for (let i = 0; i < list.length; i++) all += i === 0 ? quote(list[i]) : `,${quote(list[i])}`;
	return `[${all}]`;
}

/** As JSON, which asks no object how it wants to be written. */
export function encodeObjectsAsked(asked: ObjectsAsked): string {
	const { op } = asked;
	if (op === "delete") return '{"op":"delete"}';
	if (op === "list") {
		const { prefix, cursor, startAfter, delimiter, limit, http, custom } = asked;
		const texts = `"prefix":${quote(prefix)},"cursor":${quote(cursor)},"startAfter":${quote(startAfter)}`;
		return `{"op":"list",${texts},"delimiter":${quote(delimiter)},"limit":${limit},"http":${http},"custom":${custom}}`;
	}
	const begun = `{"op":"${op}","key":${quote(asked.key)}`;
	switch (asked.op) {
		case "head":
			return `${begun}}`;
		case "get":
			return `${begun},"onlyIf":${conditionText(asked.onlyIf)},"range":${rangeText(asked.range)}}`;
		case "put": {
			const { metadata, onlyIf, expected } = asked;
			const hashed = expected === null ? "null" : `{"hash":"${expected.hash}","value":${quote(expected.value)}}`;
			return `${begun},"metadata":${metadataText(metadata)},"onlyIf":${conditionText(onlyIf)},"expected":${hashed}}`;
		}
		case "begin":
			return `${begun},"metadata":${metadataText(asked.metadata)}}`;
		case "part":
			return `${begun},"upload":${quote(asked.upload)},"number":${asked.number}}`;
		default:
			return `${begun},"upload":${quote(asked.upload)}}`;
	}
}

function metadataText({ http, custom, storageClass }: ObjectMetadata): string {
	return `{"http":${quoteList(http)},"custom":${quoteList(custom)},"storageClass":${quote(storageClass)}}`;
}

function rangeText(range: ObjectRange | null): string {
	if (range === null) return "null";
	return "suffix" in range ? `{"suffix":${range.suffix}}` : `{"offset":${range.offset},"length":${range.length}}`;
}

function conditionText(condition: ObjectCondition | null): string {
	if (condition === null) return "null";
	const { etagMatches, etagDoesNotMatch, uploadedBefore, uploadedAfter, secondsGranularity } = condition;
	const etags = `"etagMatches":${etagsText(etagMatches)},"etagDoesNotMatch":${etagsText(etagDoesNotMatch)}`;
	const times = `"uploadedBefore":${uploadedBefore},"uploadedAfter":${uploadedAfter}`;
	return `{${etags},${times},"secondsGranularity":${secondsGranularity}}`;
}

function etagsText(etags: ObjectCondition["etagMatches"]): string {
	if (etags === null) return "null";
	let all = "";
	for (let i = 0; i < etags.length; i++)
		all += `${i === 0 ? "" : ","}{"value":${quote(etags[i].value)},"isWeak":${etags[i].isWeak}}`;
	return `[${all}]`;
}

/** Keys as one text, each behind its length. */
export function encodeKeys(keys: string[]): string {
	let all = "";
	for (let i = 0; i < keys.length; i++) all += `${keys[i].length}:${keys[i]}`;
	return all;
}

/** `null` for what is none, and for more than so many. */
export function decodeKeys(text: string, most: number): string[] | null {
	const keys: string[] = [];
	for (let at = 0; at < text.length; ) {
		const colon = text.indexOf(":", at);
		const digits = text.slice(at, colon);
		// So short that a text without end is not looked through again and again.
		if (colon < 0 || colon - at > 5 || !/^(?:0|[1-9]\d*)$/.test(digits) || keys.length === most) return null;
		at = colon + 1 + Number(digits);
		if (at > text.length) return null;
		keys.push(text.slice(colon + 1, at));
	}
	return keys;
}

const ETAG = /^[0-9a-f]{32}$/;
/** Stands for whatever is no part's ETag. */
const NO_ETAG = "0".repeat(32);

/** Parts of an upload, a line each. */
export function encodePart(number: number, etag: string): string {
	return `${number} ${ETAG.test(etag) ? etag : NO_ETAG}\n`;
}

/** `null` for what is none, and for more than so many. */
export function decodeParts(text: string, most: number): { number: number; etag: string }[] | null {
	const line = /([1-9]\d{0,4}) ([0-9a-f]{32})\n/y;
	const parts: { number: number; etag: string }[] = [];
	while (line.lastIndex < text.length) {
		const found = line.exec(text);
		if (found === null || parts.length === most) return null;
		parts.push({ number: Number(found[1]), etag: found[2] });
	}
	return parts;
}
