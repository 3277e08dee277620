/** `node:buffer`: the `buffer` package, with what it lacks of Node's. */
import { Buffer, INSPECT_MAX_BYTES, kMaxLength, SlowBuffer } from "buffer/index.js";
import { globalScope } from "./global-scope.ts";

declare module "buffer/index.js" {
	export const INSPECT_MAX_BYTES: number;
	export const kMaxLength: number;
	export function SlowBuffer(length: number): Buffer;
}

/** https://nodejs.org/api/buffer.html#buffer-constants: what V8 has room for in a string. */
export const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: 2 ** 29 - 24 };

const toBase64Url = (text: string) => text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const isBase64Url = (encoding: unknown): boolean =>
	typeof encoding === "string" && encoding.toLowerCase() === "base64url";

// The package decodes base64url as base64, but does not know its name.
const { from, isEncoding, byteLength } = Buffer;
const { toString: toText, write } = Buffer.prototype;
const known = (encoding: unknown) => (isBase64Url(encoding) ? "base64" : encoding) as string | undefined;
type Loose = (...args: unknown[]) => never;

Buffer.from = ((value: unknown, encoding?: unknown, length?: unknown) =>
	(from as Loose)(value, known(encoding), length)) as typeof from;
Buffer.isEncoding = (encoding) => isBase64Url(encoding) || isEncoding(encoding);
Buffer.byteLength = (value, encoding) => byteLength(value, known(encoding));
Buffer.prototype.toString = function (encoding, start, end) {
	const text = toText.call(this, known(encoding), start, end);
	return isBase64Url(encoding) ? toBase64Url(text) : text;
};
Buffer.prototype.write = function (...args: unknown[]) {
	return (write as (...rest: unknown[]) => number).apply(
		this,
		args.map((argument) => (isBase64Url(argument) ? "base64" : argument)),
	);
};

Buffer.prototype.equals = function (other) {
	return Buffer.compare(this, other) === 0;
};

export const { Blob, File, atob, btoa } = globalScope;

/** Whether bytes are valid UTF-8. */
export function isUtf8(bytes: Uint8Array): boolean {
	try {
		new TextDecoder("utf-8", { fatal: true }).decode(bytes);
		return true;
	} catch {
		return false; // That is the answer.
	}
}

export function isAscii(bytes: Uint8Array): boolean {
	return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).every((byte) => byte < 0x80);
}

const TRANSCODED = /^(?:utf-?8|ucs-?2|utf-?16le|latin1|binary|ascii)$/i;

/** Bytes of one encoding in another; what that does not have becomes a question mark. */
export function transcode(source: Uint8Array, from_: string, to: string): Buffer {
	if (!TRANSCODED.test(from_) || !TRANSCODED.test(to))
		throw Object.assign(new Error("Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]"), {
			code: "U_ILLEGAL_ARGUMENT_ERROR",
			errno: 1,
		});
	const text = Buffer.from(source).toString(from_);
	const most = /^ascii$/i.test(to) ? 0x7f : /^(?:latin1|binary)$/i.test(to) ? 0xff : 0x10ffff;
	return Buffer.from([...text].map((letter) => ((letter.codePointAt(0) ?? 0) > most ? "?" : letter)).join(""), to);
}

export { Buffer, INSPECT_MAX_BYTES, kMaxLength, SlowBuffer };
export default {
	Buffer,
	Blob,
	File,
	atob,
	btoa,
	constants,
	INSPECT_MAX_BYTES,
	isAscii,
	isUtf8,
	kMaxLength,
	SlowBuffer,
	transcode,
};
