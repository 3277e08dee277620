/**
 * `node:crypto`: hashes, HMAC, key derivation and randomness. They are computed in the isolate, where they count as the
 * request's CPU time and can be cut off; ciphers and signatures are WebCrypto's.
 */
import { hkdf as nobleHkdf } from "@noble/hashes/hkdf.js";
import { hmac } from "@noble/hashes/hmac.js";
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2 as noblePbkdf2 } from "@noble/hashes/pbkdf2.js";
import { scrypt as nobleScrypt } from "@noble/hashes/scrypt.js";
import { sha224, sha256, sha384, sha512, sha512_224, sha512_256 } from "@noble/hashes/sha2.js";
import { sha3_224, sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js";
import { Transform } from "readable-stream";
import { Buffer } from "./buffer.ts";
import { withCode } from "./node-errors.ts";

const HASHES = {
	md5,
	ripemd160,
	rmd160: ripemd160,
	sha1,
	sha224,
	sha256,
	sha384,
	sha512,
	"sha512-224": sha512_224,
	"sha512-256": sha512_256,
	"sha3-224": sha3_224,
	"sha3-256": sha3_256,
	"sha3-384": sha3_384,
	"sha3-512": sha3_512,
};

type HashFunction = typeof sha256;
type Data = string | ArrayBuffer | ArrayBufferView;
type Callback<T> = (error: Error | null, result?: T) => void;
interface Running {
	update(data: Uint8Array): unknown;
	digest(): Uint8Array;
	clone(): Running;
}

function invalid(message: string, code: string, Type: ErrorConstructor = TypeError): Error {
	return withCode(new Type(message), code);
}

function hashOf(name: string): HashFunction {
	const key = String(name).toLowerCase().replace(/^rsa-/, "");
	const plain = key.replace(/^sha-(?=\d)/, "sha");
	if (!Object.hasOwn(HASHES, plain)) throw new Error("Digest method not supported");
	return HASHES[plain as "sha256"];
}

function bytesOf(data: unknown, encoding?: string): Uint8Array {
	if (typeof data === "string") return Buffer.from(data, encoding ?? "utf8");
	if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
	if (data instanceof ArrayBuffer) return new Uint8Array(data);
	throw invalid(
		'The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.',
		"ERR_INVALID_ARG_TYPE",
	);
}

const encoded = (bytes: Uint8Array, encoding?: string) => {
	const buffer = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
	return encoding === undefined || encoding === "buffer" ? buffer : buffer.toString(encoding);
};

/** What Hash and Hmac share: they take data until they are asked for the digest, as calls or as a stream. */
class Digester extends Transform {
	#running: Running;
	#finished = false;

	constructor(running: Running) {
		super();
		this.#running = running;
	}
	update(data: Data, encoding?: string): this {
		if (this.#finished) throw invalid("Digest already called", "ERR_CRYPTO_HASH_FINALIZED", Error);
		this.#running.update(bytesOf(data, encoding));
		return this;
	}
	digest(encoding?: string): Buffer | string {
		if (this.#finished) throw invalid("Digest already called", "ERR_CRYPTO_HASH_FINALIZED", Error);
		this.#finished = true;
		return encoded(this.#running.digest(), encoding);
	}
	protected cloneRunning(): Running {
		if (this.#finished) throw invalid("Digest already called", "ERR_CRYPTO_HASH_FINALIZED", Error);
		return this.#running.clone();
	}
	override _transform(chunk: Data, encoding: string, done: () => void): void {
		this.update(chunk, encoding);
		done();
	}
	override _flush(done: () => void): void {
		this.push(this.digest());
		done();
	}
}

export class Hash extends Digester {
	copy(): Hash {
		return new Hash(this.cloneRunning());
	}
}
export class Hmac extends Digester {}

export const createHash = (algorithm: string): Hash => new Hash(hashOf(algorithm).create() as unknown as Running);
export const createHmac = (algorithm: string, key: Data): Hmac =>
	new Hmac(hmac.create(hashOf(algorithm), bytesOf(key)) as unknown as Running);
/** https://nodejs.org/api/crypto.html#cryptohashalgorithm-data-options */
export const hash = (algorithm: string, data: Data, encoding = "hex") =>
	encoded(hashOf(algorithm)(bytesOf(data)), encoding);
export const getHashes = () => Object.keys(HASHES);

export function timingSafeEqual(a: ArrayBufferView, b: ArrayBufferView): boolean {
	const [one, other] = [bytesOf(a), bytesOf(b)];
	if (one.length !== other.length)
		throw invalid(
			"Input buffers must have the same byte length",
			"ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH",
			RangeError as never,
		);
	let difference = 0;
	for (let i = 0; i < one.length; i++) difference |= one[i] ^ other[i];
	return difference === 0;
}

const MAX_RANDOM = 65536;

export function randomFillSync<T extends ArrayBufferView>(target: T, offset = 0, size = target.byteLength - offset): T {
	const bytes = new Uint8Array(target.buffer, target.byteOffset + offset, size);
	for (let at = 0; at < size; at += MAX_RANDOM)
		crypto.getRandomValues(bytes.subarray(at, at + MAX_RANDOM) as Uint8Array<ArrayBuffer>);
	return target;
}

export function randomFill<T extends ArrayBufferView>(target: T, ...rest: unknown[]): void {
	const done = rest.pop() as Callback<T>;
	later(() => randomFillSync(target, ...(rest as number[])), done);
}

export function randomBytes(size: number, done?: Callback<Buffer>): Buffer | undefined {
	const bytes = randomFillSync(Buffer.alloc(size));
	if (done === undefined) return bytes;
	later(() => bytes, done);
	return undefined;
}

/** A whole number from `min` to below `max`, each as likely. */
export function randomInt(min: number, max?: number | Callback<number>, done?: Callback<number>): number | undefined {
	const callback = typeof max === "function" ? max : done;
	const [low, high] = typeof max === "number" ? [min, max] : [0, min];
	const range = high - low;
	if (!(range > 0) || range > 2 ** 48 - 1)
		throw invalid('The value of "max" is out of range.', "ERR_OUT_OF_RANGE", RangeError as never);
	const most = 2 ** 48 - (2 ** 48 % range);
	let value: number;
	do value = randomFillSync(Buffer.alloc(6)).readUIntBE(0, 6);
	while (value >= most);
	const result = low + (value % range);
	if (callback === undefined) return result;
	later(() => result, callback);
	return undefined;
}

export const randomUUID = (): string => crypto.randomUUID();
export const getRandomValues = <T>(array: T): T => crypto.getRandomValues(array as never) as T;

function later<T>(compute: () => T, done: Callback<T>): void {
	let result: T;
	try {
		result = compute();
	} catch (error) {
		queueMicrotask(() => done(error as Error));
		return;
	}
	queueMicrotask(() => done(null, result));
}

export function pbkdf2Sync(password: Data, salt: Data, iterations: number, length: number, digest: string): Buffer {
	const derived = noblePbkdf2(hashOf(digest), bytesOf(password), bytesOf(salt), { c: iterations, dkLen: length });
	return encoded(derived) as Buffer;
}
export function pbkdf2(
	password: Data,
	salt: Data,
	iterations: number,
	length: number,
	digest: string,
	done: Callback<Buffer>,
): void {
	later(() => pbkdf2Sync(password, salt, iterations, length, digest), done);
}

interface ScryptOptions {
	N?: number;
	cost?: number;
	r?: number;
	blockSize?: number;
	p?: number;
	parallelization?: number;
	maxmem?: number;
}

export function scryptSync(password: Data, salt: Data, length: number, options: ScryptOptions = {}): Buffer {
	const { cost = 16384, blockSize = 8, parallelization = 1, maxmem = 32 * 1024 * 1024 } = options;
	const { N = cost, r = blockSize, p = parallelization } = options;
	if (128 * N * r > maxmem)
		throw invalid(
			"Invalid scrypt params: memory limit exceeded",
			"ERR_CRYPTO_INVALID_SCRYPT_PARAMS",
			RangeError as never,
		);
	const derived = nobleScrypt(bytesOf(password), bytesOf(salt), { N, r, p, dkLen: length, maxmem: maxmem * 2 });
	return encoded(derived) as Buffer;
}
export function scrypt(password: Data, salt: Data, length: number, ...rest: unknown[]): void {
	const done = rest.pop() as Callback<Buffer>;
	later(() => scryptSync(password, salt, length, rest[0] as ScryptOptions | undefined), done);
}

export function hkdfSync(digest: string, key: Data, salt: Data, info: Data, length: number): ArrayBuffer {
	return nobleHkdf(hashOf(digest), bytesOf(key), bytesOf(salt), bytesOf(info), length).slice().buffer as ArrayBuffer;
}
export function hkdf(
	digest: string,
	key: Data,
	salt: Data,
	info: Data,
	length: number,
	done: Callback<ArrayBuffer>,
): void {
	later(() => hkdfSync(digest, key, salt, info, length), done);
}

export const webcrypto = crypto;
export const { subtle } = crypto;
export const constants = {};

export default {
	constants,
	createHash,
	createHmac,
	getHashes,
	getRandomValues,
	Hash,
	hash,
	hkdf,
	hkdfSync,
	Hmac,
	pbkdf2,
	pbkdf2Sync,
	randomBytes,
	randomFill,
	randomFillSync,
	randomInt,
	randomUUID,
	scrypt,
	scryptSync,
	subtle,
	timingSafeEqual,
	webcrypto,
};
