/** `node:buffer`: the `buffer` package, with what it lacks of Node's. */
import * as buffer from "buffer/index.js";

const { Buffer, constants, INSPECT_MAX_BYTES, kMaxLength, SlowBuffer } =
	buffer as unknown as typeof import("node:buffer") & { SlowBuffer: unknown };

const toBase64Url = (text: string) => text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const isBase64Url = (encoding: unknown): boolean =>
	typeof encoding === "string" && encoding.toLowerCase() === "base64url";

// The package decodes base64url as base64, but does not know its name.
const { from, isEncoding, byteLength } = Buffer;
const { toString: toText, write } = Buffer.prototype;
const known = (encoding: unknown) => (isBase64Url(encoding) ? "base64" : encoding) as BufferEncoding;
type Loose = (...args: unknown[]) => never;

Buffer.from = ((value: unknown, encoding?: unknown, length?: unknown) =>
	(from as Loose)(value, known(encoding), length)) as typeof Buffer.from;
Buffer.isEncoding = ((encoding: string) => isBase64Url(encoding) || isEncoding(encoding)) as typeof Buffer.isEncoding;
Buffer.byteLength = (value, encoding) => byteLength(value as string, known(encoding));
Buffer.prototype.toString = function (this: Buffer, encoding?: BufferEncoding, start?: number, end?: number) {
	const text = toText.call(this, known(encoding), start, end);
	return isBase64Url(encoding) ? toBase64Url(text) : text;
};
Buffer.prototype.write = function (this: Buffer, ...args: unknown[]) {
	return (write as unknown as (...rest: unknown[]) => number).apply(
		this,
		args.map((argument) => (isBase64Url(argument) ? "base64" : argument)),
	);
} as typeof Buffer.prototype.write;

Buffer.prototype.equals = function (this: Buffer, other: Uint8Array) {
	return Buffer.compare(this, other) === 0;
};

export const { Blob, File, atob, btoa } = globalThis;

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

export { Buffer, constants, INSPECT_MAX_BYTES, kMaxLength, SlowBuffer };
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
};
