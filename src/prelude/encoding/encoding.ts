import { host } from "../host.ts";
import { asInterface, requireArguments, toDictionary, toUSVString } from "../interface.ts";
import { concatBytes, copyBytes, decodeUtf8, encodeUtf8, exactBytes, isBufferSource } from "./bytes.ts";

/** https://encoding.spec.whatwg.org/#interface-textencoder */
export class TextEncoder {
	readonly #encoding = "utf-8";

	get encoding(): string {
		return this.#encoding;
	}
	encode(input: unknown = ""): Uint8Array<ArrayBuffer> {
		if (!(#encoding in this)) throw new TypeError("Illegal invocation");
		return encodeUtf8(`${input as string}`);
	}
	encodeInto(source: unknown, destination: unknown): { read: number; written: number } {
		if (!(#encoding in this)) throw new TypeError("Illegal invocation");
		requireArguments(arguments.length, 2, "TextEncoder.encodeInto");
		const text = toUSVString(source);
		if (!(destination instanceof Uint8Array))
			throw new TypeError("TextEncoder.encodeInto: the destination is not a Uint8Array");
		let read = 0;
		let written = 0;
		while (read < text.length) {
			const code = text.codePointAt(read) as number;
			const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
			if (written + size > destination.length) break;
			if (size === 1) destination[written] = code;
			else {
				destination[written] = (size === 2 ? 0xc0 : size === 3 ? 0xe0 : 0xf0) | (code >> (6 * (size - 1)));
				for (let i = 1; i < size; i++) destination[written + i] = 0x80 | ((code >> (6 * (size - 1 - i))) & 0x3f);
			}
			written += size;
			read += size === 4 ? 2 : 1;
		}
		return { read, written };
	}
}
asInterface(TextEncoder, "TextEncoder");

/** https://encoding.spec.whatwg.org/#interface-textdecoder */
export class TextDecoder {
	#encoding: string;
	#fatal: boolean;
	#ignoreBOM: boolean;
	/** Bytes of a character that is not complete yet, kept between the calls of a stream. */
	#rest: Uint8Array = EMPTY;
	#bomSeen = false;
	#streaming = false;

	constructor(label: unknown = "utf-8", options?: unknown) {
		const text = `${label as string}`;
		const dictionary = toDictionary(options, "TextDecoder constructor");
		const name = UTF8_LABEL.test(text) ? "utf-8" : host.encodingName(text);
		if (name === null)
			throw new RangeError(`TextDecoder constructor: ${JSON.stringify(text)} is not the label of an encoding`);
		this.#encoding = name;
		this.#fatal = Boolean(dictionary.fatal);
		this.#ignoreBOM = Boolean(dictionary.ignoreBOM);
	}

	get encoding(): string {
		return this.#encoding;
	}
	get fatal(): boolean {
		return this.#fatal;
	}
	get ignoreBOM(): boolean {
		return this.#ignoreBOM;
	}

	decode(input?: unknown, options?: unknown): string {
		if (input !== undefined && !isBufferSource(input))
			throw new TypeError("TextDecoder.decode: the input is not a BufferSource");
		const stream = Boolean(toDictionary(options, "TextDecoder.decode").stream);
		if (!this.#streaming) {
			this.#rest = EMPTY;
			this.#bomSeen = false;
		}
		this.#streaming = stream;
		let bytes = input === undefined ? EMPTY : copyBytes(input);
		if (this.#rest.length > 0) bytes = concatBytes([this.#rest, bytes]);
		this.#rest = EMPTY;
		if (stream) {
			const whole = completeLength(this.#encoding, bytes);
			this.#rest = bytes.slice(whole);
			bytes = bytes.slice(0, whole);
		}
		if (bytes.length === 0) return "";
		const keepBOM = this.#ignoreBOM || this.#bomSeen;
		this.#bomSeen = true;
		if (this.#encoding === "utf-8" && !this.#fatal) return decodeUtf8(bytes, keepBOM);
		const text = this.#decode(bytes, keepBOM);
		if (text === null) {
			this.#streaming = false;
			const error = new TypeError(`The encoded data was not valid for encoding ${this.#encoding}`) as TypeError & {
				code?: string;
			};
			error.code = "ERR_ENCODING_INVALID_ENCODED_DATA";
			throw error;
		}
		return text;
	}

	/** `null` where the bytes are malformed and that is fatal. */
	#decode(bytes: Uint8Array<ArrayBuffer>, keepBOM: boolean): string | null {
		if (!IN_PIECES.test(this.#encoding)) return host.decode(exactBytes(bytes), this.#encoding, this.#fatal, keepBOM);
		// The sandbox's decoders of old encodings are slow: between two pieces the function's time can end.
		let text = "";
		for (let at = 0; at < bytes.length; ) {
			const piece = bytes.subarray(at, at + PIECE);
			const whole = at + PIECE < bytes.length ? completeLength(this.#encoding, piece) : piece.length;
			const decoded = host.decode(piece.slice(0, whole), this.#encoding, this.#fatal, keepBOM);
			if (decoded === null) return null;
			text += decoded;
			at += whole;
		}
		return text;
	}
}
asInterface(TextDecoder, "TextDecoder", { constructor: 0, decode: 0 });

const PIECE = 256 * 1024;
/** All but those of Unicode, which are fast, and the one that has a state. */
const IN_PIECES = /^(?!utf-|iso-2022-jp$)/;
const EMPTY = new Uint8Array(0);
const UTF8_LABEL = /^[\t\n\f\r ]*utf-?8[\t\n\f\r ]*$/i;

/** How many of the bytes form whole characters; the rest waits for the stream's next chunk. */
function completeLength(encoding: string, bytes: Uint8Array): number {
	const { length } = bytes;
	if (encoding === "utf-8") {
		for (let back = 1; back <= 3 && back <= length; back++) {
			const byte = bytes[length - back];
			if ((byte & 0xc0) === 0x80) continue;
			const size = byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
			if (size <= back || byte > 0xf4) return length;
			return isPrefix(bytes.subarray(length - back)) ? length - back : length;
		}
		return length;
	}
	if (encoding === "utf-16le" || encoding === "utf-16be") {
		const even = length - (length % 2);
		if (even === 0) return 0;
		const high = encoding === "utf-16le" ? bytes[even - 1] : bytes[even - 2];
		return high >= 0xd8 && high <= 0xdb ? even - 2 : even;
	}
	return SINGLE_BYTE.test(encoding) ? length : multiByteLength(encoding, bytes);
}

/**
 * Whether the bytes begin a UTF-8 character as https://encoding.spec.whatwg.org/#utf-8-decoder bounds its second
 * byte.
 */
function isPrefix(bytes: Uint8Array): boolean {
	if (bytes.length < 2) return true;
	const [first, second] = bytes;
	if (first === 0xe0 && second < 0xa0) return false;
	if (first === 0xed && second > 0x9f) return false;
	if (first === 0xf0 && second < 0x90) return false;
	return !(first === 0xf4 && second > 0x8f);
}

const SINGLE_BYTE = /^(?:ibm866|iso-8859-|koi8-|macintosh|windows-|x-mac-|x-user-defined|replacement)/;

/** The legacy multi-byte encodings: walk the characters from the start and stop before one that is cut off. */
function multiByteLength(encoding: string, bytes: Uint8Array): number {
	if (encoding === "iso-2022-jp") {
		// Its state lasts over escapes, so only what ends in ASCII can be cut without losing it.
		const escape = bytes.lastIndexOf(0x1b);
		if (escape < 0) return bytes.length;
		return bytes[escape + 1] === 0x28 && bytes[escape + 2] === 0x42 ? bytes.length : bytes.indexOf(0x1b);
	}
	let at = 0;
	while (at < bytes.length) {
		const size = sizeAt(encoding, bytes, at);
		if (size === null) return at;
		at += size;
	}
	return bytes.length;
}

const isBetween = (byte: number, least: number, most: number) => byte >= least && byte <= most;

/**
 * How many bytes the character at a place has; `null` if they have not all come. What is malformed counts as the
 * decoder skips it.
 */
function sizeAt(encoding: string, bytes: Uint8Array, at: number): number | null {
	const [lead, second, third, fourth] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as (
		| number
		| undefined
	)[];
	if (lead === undefined || lead < 0x80) return 1;
	if (encoding === "shift_jis" && !isBetween(lead, 0x81, 0x9f) && !isBetween(lead, 0xe0, 0xfc)) return 1;
	if (encoding === "euc-jp" && lead !== 0x8e && lead !== 0x8f && !isBetween(lead, 0xa1, 0xfe)) return 1;
	if (!isBetween(lead, 0x81, 0xfe)) return 1;
	if (second === undefined) return null;
	if (encoding === "euc-jp" && lead === 0x8f && isBetween(second, 0xa1, 0xfe)) return third === undefined ? null : 3;
	if ((encoding !== "gb18030" && encoding !== "gbk") || !isBetween(second, 0x30, 0x39)) return 2;
	if (third === undefined) return null;
	if (!isBetween(third, 0x81, 0xfe)) return 1;
	if (fourth === undefined) return null;
	return isBetween(fourth, 0x30, 0x39) ? 4 : 1;
}
