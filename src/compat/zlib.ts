/**
 * `node:zlib`: https://nodejs.org/api/zlib.html, by zlib in JavaScript. It runs in the isolate, where it counts as the
 * request's CPU time and memory, and can be cut off.
 */
import {
	ZStream,
	zlibDeflate,
	zlibDeflateEnd,
	zlibDeflateInit2,
	zlibDeflateSetDictionary,
	zlibInflate,
	zlibInflateEnd,
	zlibInflateInit2,
	zlibInflateSetDictionary,
} from "pako";
import { Transform } from "readable-stream";
import { constants as all } from "unenv/node/zlib";
import { absentModule } from "./absent.ts";
import { Buffer } from "./buffer.ts";
import { invalidType, withCode } from "./node-errors.ts";

type Bytes = string | ArrayBuffer | ArrayBufferView;
type Done = (error?: Error | null, chunk?: unknown) => void;
type Callback = (error: Error | null, result?: Buffer) => void;

interface Options {
	flush?: number;
	finishFlush?: number;
	chunkSize?: number;
	windowBits?: number;
	level?: number;
	memLevel?: number;
	strategy?: number;
	dictionary?: ArrayBuffer | ArrayBufferView;
	maxOutputLength?: number;
}

export const constants = all as Record<string, number>;
const STATUS = [
	"Z_OK",
	"Z_STREAM_END",
	"Z_NEED_DICT",
	"Z_ERRNO",
	"Z_STREAM_ERROR",
	"Z_DATA_ERROR",
	"Z_MEM_ERROR",
	"Z_BUF_ERROR",
	"Z_VERSION_ERROR",
];
/** Of a status its number, and the other way round. */
export const codes: Record<string, number | string> = Object.fromEntries(
	STATUS.flatMap((name) => [
		[name, constants[name]],
		[String(constants[name]), name],
	]),
);
const { Z_BUF_ERROR, Z_DATA_ERROR, Z_FINISH, Z_FULL_FLUSH, Z_NEED_DICT, Z_NO_FLUSH, Z_OK, Z_STREAM_END } = constants;

/** What stands around compressed data, as zlib's window bits say it beside the window. */
type Format = "deflate" | "raw" | "gzip" | "unzip";
const AROUND: Record<Format, (bits: number) => number> = {
	deflate: (bits) => bits,
	raw: (bits) => -bits,
	gzip: (bits) => bits + 16,
	unzip: (bits) => bits + 32,
};

function failure(status: number, message: string): Error {
	return Object.assign(new Error(message || "zlib error"), { errno: status, code: codes[status] });
}
const tooLarge = (most: number) =>
	withCode(new RangeError(`Cannot create a Buffer larger than ${most} bytes`), "ERR_BUFFER_TOO_LARGE");

function bytesOf(data: unknown): Uint8Array {
	if (typeof data === "string") return Buffer.from(data);
	if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	if (data instanceof ArrayBuffer) return new Uint8Array(data);
	throw invalidType(
		'The "buffer" argument must be of type string or an instance of Buffer, TypedArray, DataView, or ArrayBuffer.',
	);
}

function within(name: string, value: number | undefined, [least, most, standard]: [number, number, number]): number {
	if (value === undefined) return standard;
	if (typeof value === "number" && value >= least && value <= most) return value;
	const message = `The value of "options.${name}" is out of range. It must be >= ${least} and <= ${most}. Received ${value}`;
	throw withCode(new RangeError(message), "ERR_OUT_OF_RANGE");
}

/** One run of zlib over data that comes in pieces. */
class Run {
	readonly #stream = new ZStream();
	readonly #deflates: boolean;
	readonly #format: Format;
	readonly #windowBits: number;
	readonly #chunkSize: number;
	readonly #dictionary: Uint8Array | null;
	#ended = false;

	constructor(deflates: boolean, format: Format, options: Options) {
		this.#deflates = deflates;
		this.#format = format;
		this.#chunkSize = within("chunkSize", options.chunkSize, [64, Number.POSITIVE_INFINITY, 16 * 1024]);
		const bits = within("windowBits", options.windowBits || undefined, [8, 15, 15]);
		const level = within("level", options.level, [-1, 9, -1]);
		const memory = within("memLevel", options.memLevel, [1, 9, 8]);
		const strategy = within("strategy", options.strategy, [0, 4, 0]);
		this.#dictionary = options.dictionary === undefined ? null : bytesOf(options.dictionary);
		// A window of 256 bytes zlib has never had for data without anything around it.
		this.#windowBits = AROUND[format](format === "raw" && bits === 8 ? 9 : bits);
		const status = deflates
			? zlibDeflateInit2(this.#stream, level, 8, this.#windowBits, memory, strategy as 0)
			: zlibInflateInit2(this.#stream, this.#windowBits);
		if (status !== Z_OK) throw failure(status, "Init error");
		if (this.#dictionary !== null && (deflates || format === "raw")) this.#setDictionary();
	}

	#setDictionary(): void {
		const set = this.#deflates ? zlibDeflateSetDictionary : zlibInflateSetDictionary;
		const status = set(this.#stream, this.#dictionary as Uint8Array);
		if (status === Z_DATA_ERROR) throw failure(Z_NEED_DICT, "Bad dictionary");
		if (status !== Z_OK) throw failure(status, "Failed to set dictionary");
	}

	/** Whether what was compressed is over; what comes behind it is not looked at. */
	get ended(): boolean {
		return this.#ended;
	}

	/** What comes out of more data. */
	*push(data: Uint8Array, flush: number): Generator<Uint8Array> {
		const stream = this.#stream;
		stream.input = data;
		stream.next_in = 0;
		stream.avail_in = data.length;
		while (!this.#ended) {
			stream.output = new Uint8Array(this.#chunkSize);
			stream.next_out = 0;
			stream.avail_out = this.#chunkSize;
			let status: number = this.#deflates ? zlibDeflate(stream, flush as 0) : zlibInflate(stream, flush as 0);
			if (status === Z_NEED_DICT && this.#dictionary !== null) {
				this.#setDictionary();
				status = zlibInflate(stream, flush as 0);
			}
			if (stream.next_out > 0) yield stream.output.subarray(0, stream.next_out);
			if (status === Z_STREAM_END) this.#end();
			else if (status === Z_NEED_DICT) throw failure(status, "Missing dictionary");
			else if (status !== Z_OK && status !== Z_BUF_ERROR) throw failure(status, stream.msg);
			else if (stream.avail_out > 0) {
				if (flush === Z_FINISH && !this.#deflates) throw failure(Z_BUF_ERROR, "unexpected end of file");
				return;
			}
		}
	}

	/** Several members of gzip one after the other are one. */
	#end(): void {
		const { input, next_in: at, avail_in: left } = this.#stream;
		const isNext = !this.#deflates && left > 0 && input?.[at] === 0x1f && (left === 1 || input[at + 1] === 0x8b);
		if ((this.#format === "gzip" || this.#format === "unzip") && isNext)
			zlibInflateInit2(this.#stream, this.#windowBits);
		else this.#ended = true;
	}

	close(): void {
		if (this.#deflates) zlibDeflateEnd(this.#stream);
		else zlibInflateEnd(this.#stream);
	}
}

/** What all of zlib's streams are: they take data, and give what becomes of it. */
class ZlibBase extends Transform {
	bytesWritten = 0;
	readonly #run: Run;
	readonly #options: Options;
	#flushing: number | null = null;

	constructor(deflates: boolean, format: Format, options: Options = {}) {
		super(options as object);
		this.#options = options;
		this.#run = new Run(deflates, format, options);
	}

	override _transform(chunk: Uint8Array, _encoding: string, done: Done): void {
		this.bytesWritten += chunk.byteLength;
		this.#push(chunk, this.#flushing ?? this.#options.flush ?? Z_NO_FLUSH, done);
	}
	override _flush(done: Done): void {
		if (this.#run.ended) done();
		else this.#push(new Uint8Array(0), this.#options.finishFlush ?? Z_FINISH, done);
	}
	override _destroy(error: Error | null, done: Done): void {
		this.#run.close();
		super._destroy(error, done);
	}

	#push(data: Uint8Array, flush: number, done: Done): void {
		try {
			for (const part of this.#run.push(data, flush))
				this.push(Buffer.from(part.buffer as ArrayBuffer, part.byteOffset, part.byteLength));
		} catch (error) {
			done(error as Error);
			return;
		}
		done();
	}

	/** Has what was written so far come out. */
	flush(kind?: number | (() => void), callback?: () => void): void {
		const done = typeof kind === "function" ? kind : callback;
		this.write(Buffer.alloc(0), () => {
			this.#push(new Uint8Array(0), typeof kind === "number" ? kind : Z_FULL_FLUSH, () => done?.());
		});
	}
	close(callback?: () => void): void {
		if (callback !== undefined) this.once("close", callback);
		this.destroy();
	}
}

export class Deflate extends ZlibBase {
	constructor(options?: Options) {
		super(true, "deflate", options);
	}
}
export class Inflate extends ZlibBase {
	constructor(options?: Options) {
		super(false, "deflate", options);
	}
}
export class Gzip extends ZlibBase {
	constructor(options?: Options) {
		super(true, "gzip", options);
	}
}
export class Gunzip extends ZlibBase {
	constructor(options?: Options) {
		super(false, "gzip", options);
	}
}
export class DeflateRaw extends ZlibBase {
	constructor(options?: Options) {
		super(true, "raw", options);
	}
}
export class InflateRaw extends ZlibBase {
	constructor(options?: Options) {
		super(false, "raw", options);
	}
}
export class Unzip extends ZlibBase {
	constructor(options?: Options) {
		super(false, "unzip", options);
	}
}

export const createDeflate = (options?: Options) => new Deflate(options);
export const createInflate = (options?: Options) => new Inflate(options);
export const createGzip = (options?: Options) => new Gzip(options);
export const createGunzip = (options?: Options) => new Gunzip(options);
export const createDeflateRaw = (options?: Options) => new DeflateRaw(options);
export const createInflateRaw = (options?: Options) => new InflateRaw(options);
export const createUnzip = (options?: Options) => new Unzip(options);

function whole(deflates: boolean, format: Format, data: Bytes, options: Options = {}): Buffer {
	const bytes = bytesOf(data);
	const run = new Run(deflates, format, options);
	const most = options.maxOutputLength ?? Number.POSITIVE_INFINITY;
	const parts: Uint8Array[] = [];
	let length = 0;
	try {
		for (const part of run.push(bytes, options.finishFlush ?? Z_FINISH)) {
			length += part.byteLength;
			if (length > most) throw tooLarge(most);
			parts.push(part);
		}
	} finally {
		run.close();
	}
	return Buffer.concat(parts, length);
}

type Sync = (data: Bytes, options?: Options) => Buffer;
type Async = (data: Bytes, options: Options | Callback, done?: Callback) => void;
/** The same that calls back, a turn of microtasks later. */
const later =
	(sync: Sync): Async =>
	(data, options, done) => {
		const callback = (typeof options === "function" ? options : done) as Callback;
		const bytes = bytesOf(data);
		queueMicrotask(() => {
			let result: Buffer;
			try {
				result = sync(bytes, typeof options === "function" ? {} : options);
			} catch (error) {
				callback(error as Error);
				return;
			}
			callback(null, result);
		});
	};

export const deflateSync: Sync = (data, options) => whole(true, "deflate", data, options);
export const inflateSync: Sync = (data, options) => whole(false, "deflate", data, options);
export const gzipSync: Sync = (data, options) => whole(true, "gzip", data, options);
export const gunzipSync: Sync = (data, options) => whole(false, "gzip", data, options);
export const deflateRawSync: Sync = (data, options) => whole(true, "raw", data, options);
export const inflateRawSync: Sync = (data, options) => whole(false, "raw", data, options);
export const unzipSync: Sync = (data, options) => whole(false, "unzip", data, options);
export const deflate = later(deflateSync);
export const inflate = later(inflateSync);
export const gzip = later(gzipSync);
export const gunzip = later(gunzipSync);
export const deflateRaw = later(deflateRawSync);
export const inflateRaw = later(inflateRawSync);
export const unzip = later(unzipSync);

const TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
	let sum = i;
	for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
	return sum;
});
export function crc32(data: Bytes, value = 0): number {
	let sum = ~value;
	for (const byte of bytesOf(data)) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
	return ~sum >>> 0;
}

const brotli = absentModule("zlib", "a function has no Brotli. fetch() decompresses what it gets by itself");
export const { brotliCompress, brotliCompressSync, brotliDecompress, brotliDecompressSync } = brotli as Record<
	string,
	() => never
>;
export const { createBrotliCompress, createBrotliDecompress } = brotli as Record<string, () => never>;

export default {
	brotliCompress,
	brotliCompressSync,
	brotliDecompress,
	brotliDecompressSync,
	codes,
	constants,
	crc32,
	createBrotliCompress,
	createBrotliDecompress,
	createDeflate,
	createDeflateRaw,
	createGunzip,
	createGzip,
	createInflate,
	createInflateRaw,
	createUnzip,
	Deflate,
	DeflateRaw,
	deflate,
	deflateRaw,
	deflateRawSync,
	deflateSync,
	Gunzip,
	Gzip,
	gunzip,
	gunzipSync,
	gzip,
	gzipSync,
	Inflate,
	InflateRaw,
	inflate,
	inflateRaw,
	inflateRawSync,
	inflateSync,
	Unzip,
	unzip,
	unzipSync,
};
