import { copyBytes, encodeUtf8, isBufferSource } from "../../../prelude/encoding/bytes.ts";
import { blobBytes, isBlob } from "../../../prelude/fetch/blob.ts";
import { Body, extractBody } from "../../../prelude/fetch/body.ts";
import { Headers } from "../../../prelude/fetch/headers.ts";
import { toDictionary, toUSVString } from "../../../prelude/interface.ts";
import { ReadableStream } from "../../../prelude/streams/streams.ts";
import type { ObjectCondition, ObjectMetadata, ObjectPut, ObjectRange } from "../calls.ts";
import { HTTP_FIELDS } from "./object.ts";

type Dictionary = Record<string, unknown>;

/** What can be put into an object. */
export function contentOf(value: unknown, what: string): Body {
	if (value === null) return new Body(new Uint8Array(0), null);
	if (typeof value === "string") return new Body(encodeUtf8(value), null);
	if (isBufferSource(value)) return new Body(copyBytes(value), null);
	if (isBlob(value)) return new Body(blobBytes(value), null);
	if (value instanceof ReadableStream) return extractBody(value).body;
	throw new TypeError(`${what}: a value must be a string, an ArrayBuffer, a view, a Blob, a ReadableStream or null`);
}

export function metadataOf({ httpMetadata, customMetadata, storageClass, ssecKey }: Dictionary): ObjectMetadata {
	if (ssecKey !== undefined) throw new TypeError("ssecKey: atoll does not encrypt objects with keys of functions");
	return {
		http: httpOf(httpMetadata),
		custom: customOf(customMetadata),
		storageClass: storageClass === undefined ? "Standard" : toUSVString(storageClass),
	};
}

function httpOf(given: unknown): string[] {
	const list: string[] = [];
	const metadata = given instanceof Headers ? null : toDictionary(given, "httpMetadata");
	for (let i = 0; i < HTTP_FIELDS.length; i++) {
		const [field, name] = HTTP_FIELDS[i];
		const value = metadata === null ? (given as Headers).get(name) : metadata[field];
		if (value === undefined || value === null) continue;
		if (field !== "cacheExpiry") list.push(name, toUSVString(value));
		else list.push(name, `${timeOf(value, "cacheExpiry")}`);
	}
	return list;
}

function customOf(given: unknown): string[] {
	const list: string[] = [];
	const metadata = toDictionary(given, "customMetadata");
	const names = Object.keys(metadata);
	for (let i = 0; i < names.length; i++) list.push(names[i].toWellFormed(), toUSVString(metadata[names[i]]));
	return list;
}

function timeOf(value: unknown, name: string): number {
	const time = value instanceof Date ? value.getTime() : typeof value === "string" ? Date.parse(value) : Number(value);
	if (!Number.isSafeInteger(time)) throw new TypeError(`${name} must be a Date`);
	return time;
}

const LENGTHS: readonly (readonly [NonNullable<ObjectPut["expected"]>["hash"], number])[] = [
	["md5", 16],
	["sha1", 20],
	["sha256", 32],
	["sha384", 48],
	["sha512", 64],
];

/** The hash that content is checked by. */
export function expectedOf(options: Dictionary): ObjectPut["expected"] {
	let expected: ObjectPut["expected"] = null;
	for (let i = 0; i < LENGTHS.length; i++) {
		const [hash, length] = LENGTHS[i];
		const given = options[hash];
		if (given === undefined || given === null) continue;
		if (expected !== null) throw new TypeError("You cannot specify multiple hashing algorithms.");
		const value = isBufferSource(given) ? hexOf(copyBytes(given)) : toUSVString(given).toLowerCase();
		if (value.length !== 2 * length || !/^[0-9a-f]*$/.test(value))
			throw new TypeError(`${hash} is ${length} bytes, as an ArrayBuffer or in hexadecimal`);
		expected = { hash, value };
	}
	return expected;
}

function hexOf(bytes: Uint8Array): string {
	let hex = "";
	for (let i = 0; i < bytes.length; i++) hex += bytes[i].toString(16).padStart(2, "0");
	return hex;
}

export function rangeOf(given: unknown): ObjectRange | null {
	if (given === undefined || given === null) return null;
	if (given instanceof Headers) return rangeIn(given.get("range"));
	const { offset, length, suffix } = toDictionary(given, "range");
	if (suffix !== undefined) {
		if (offset !== undefined) throw new TypeError("Suffix is incompatible with offset.");
		if (length !== undefined) throw new TypeError("Suffix is incompatible with length.");
		return { suffix: wholeOf(suffix, "Invalid suffix. Suffix") };
	}
	return {
		offset: offset === undefined ? 0 : wholeOf(offset, "Invalid range. Starting offset"),
		length: length === undefined ? null : wholeOf(length, "Invalid range. Length"),
	};
}

function wholeOf(value: unknown, what: string): number {
	const number = Number(value);
	if (!(number >= 0)) throw new RangeError(`${what} (${number}) must be greater than or equal to 0.`);
	if (!Number.isSafeInteger(number))
		throw new RangeError(`${what} (${number}) must be an integer, not floating point.`);
	return number;
}

/** One range as a header has it; what is none, or more than one, asks for all. */
function rangeIn(header: string | null): ObjectRange | null {
	const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
	if (found === null) return null;
	const [, first, last] = found;
	if (first === "") return last === "" ? null : { suffix: Number(last) };
	if (last === "") return { offset: Number(first), length: null };
	return Number(last) < Number(first) ? null : { offset: Number(first), length: Number(last) - Number(first) + 1 };
}

export function conditionOf(given: unknown): ObjectCondition | null {
	if (given === undefined || given === null) return null;
	if (given instanceof Headers) return conditionIn(given);
	const { etagMatches, etagDoesNotMatch, uploadedBefore, uploadedAfter, secondsGranularity } = toDictionary(
		given,
		"onlyIf",
	);
	return {
		etagMatches: etagMatches === undefined ? null : [etagOf(etagMatches)],
		etagDoesNotMatch: etagDoesNotMatch === undefined ? null : [etagOf(etagDoesNotMatch)],
		uploadedBefore: uploadedBefore === undefined ? null : timeOf(uploadedBefore, "uploadedBefore"),
		uploadedAfter: uploadedAfter === undefined ? null : timeOf(uploadedAfter, "uploadedAfter"),
		secondsGranularity: Boolean(secondsGranularity),
	};
}

function etagOf(given: unknown): { value: string; isWeak: boolean } {
	const value = toUSVString(given);
	if (value.length > 1 && value.startsWith('"') && value.endsWith('"'))
		throw new TypeError(`Conditional ETag should not be wrapped in quotes (${value}).`);
	return { value, isWeak: false };
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-13.1 */
function conditionIn(headers: Headers): ObjectCondition | null {
	const [match, none] = [headers.get("if-match"), headers.get("if-none-match")];
	const [since, unmodified] = [headers.get("if-modified-since"), headers.get("if-unmodified-since")];
	if (match === null && none === null && since === null && unmodified === null) return null;
	return {
		etagMatches: match === null ? null : etagsIn(match),
		etagDoesNotMatch: none === null ? null : etagsIn(none),
		uploadedBefore: dateIn(unmodified),
		uploadedAfter: dateIn(since),
		secondsGranularity: true,
	};
}

/** A date that is none is not said: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.3 */
function dateIn(header: string | null): number | null {
	const time = header === null ? Number.NaN : Date.parse(header);
	return Number.isNaN(time) ? null : time;
}

function etagsIn(header: string): { value: string; isWeak: boolean }[] {
	if (header.trim() === "*") return [{ value: "*", isWeak: false }];
	const etags: { value: string; isWeak: boolean }[] = [];
	const etag = /\s*(W\/)?"([^"]*)"\s*(?:,|$)/y;
	for (let found = etag.exec(header); found !== null; found = etag.exec(header))
		etags.push({ value: found[2], isWeak: found[1] !== undefined });
	if (etags.length === 0) throw new TypeError(`${header} is no list of ETags, which stand in quotes`);
	return etags;
}
