import { copyBytes, isBufferSource, viewBytes } from "../encoding/bytes.ts";
import { DOMException } from "../errors/dom-exception.ts";
import { quotaExceeded } from "../errors/quota.ts";
import { host } from "../host.ts";
import { asInterface, asSingleton, requireArguments } from "../interface.ts";
import { current, Operation } from "../io-context.ts";
import { defineSerializable } from "../messaging/structured-clone.ts";

/** A key as the sandbox describes it; its material stays there, behind the number. */
interface KeyDescription {
	handle: number;
	type: string;
	extractable: boolean;
	algorithm: Record<string, unknown>;
	usages: string[];
}

type Encoded =
	| { type: "key"; key: KeyDescription }
	| { type: "pair"; pair: [KeyDescription, KeyDescription] }
	| { type: "json"; json: unknown }
	| { type: "error"; error: string; message: string };

let create: (description: KeyDescription) => CryptoKey;
let copy: (key: CryptoKey) => CryptoKey;
let handleOf: (key: CryptoKey) => number;
let isKey: (value: unknown) => value is CryptoKey;

/** https://w3c.github.io/webcrypto/#cryptokey-interface */
export class CryptoKey {
	#key: KeyDescription;
	constructor(secret?: unknown, key?: KeyDescription) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#key = key as KeyDescription;
	}
	get type(): string {
		return this.#key.type;
	}
	get extractable(): boolean {
		return this.#key.extractable;
	}
	get algorithm(): Record<string, unknown> {
		return this.#key.algorithm;
	}
	get usages(): string[] {
		return this.#key.usages;
	}
	static {
		handleOf = (key) => key.#key.handle;
		copy = (key) => new CryptoKey(SECRET, key.#key);
		isKey = (value): value is CryptoKey => typeof value === "object" && value !== null && #key in value;
	}
}
const SECRET = Symbol("construct");
create = (description) => {
	const { algorithm } = description;
	if (Object.hasOwn(algorithm, "publicExponent"))
		algorithm.publicExponent = new Uint8Array(algorithm.publicExponent as number[]);
	return new CryptoKey(SECRET, description);
};
asInterface(CryptoKey, "CryptoKey", { constructor: 0 });
defineSerializable(isKey, (key: CryptoKey) => copy(key));

/** The name in an AlgorithmIdentifier, in capitals. */
export function algorithmName(algorithm: unknown): string {
	const name = typeof algorithm === "object" && algorithm !== null ? (algorithm as { name?: unknown }).name : algorithm;
	return `${name as string}`.toUpperCase();
}

/** Operations started at the top level of a function wait here; they belong to no request. */
export const globalOperations = new Map<number, Operation>();
let nextGlobal = 1;

/**
 * Turns an argument into what can be sent to the sandbox: keys by their handle, bytes copied, the rest as plain data.
 */
function encode(value: unknown, depth = 0): unknown {
	if (isKey(value)) return { $key: handleOf(value) };
	if (isBufferSource(value)) return copyBytes(value);
	if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") return `${String(value)}`;
	if (typeof value !== "object" || value === null) return value;
	if (depth > 4) throw new TypeError("SubtleCrypto: an argument is nested too deeply");
	if (Array.isArray(value)) return value.map((item) => encode(item, depth + 1));
	if (typeof (value as Iterable<unknown>)[Symbol.iterator] === "function")
		return [...(value as Iterable<unknown>)].map((item) => encode(item, depth + 1));
	const plain = Object.create(null) as Record<string, unknown>;
	for (const key in value) plain[key] = encode((value as Record<string, unknown>)[key], depth + 1);
	return plain;
}

async function call(method: string, args: unknown[], needed: number): Promise<unknown> {
	requireArguments(args.length, needed, `SubtleCrypto.${method}`);
	const encoded = args.map((argument) => encode(argument));
	const context = current;
	const op = context === null ? nextGlobal++ : context.nextOperation();
	const operations = context?.operations ?? globalOperations;
	const { promise, resolve } = Promise.withResolvers<void>();
	const operation = new Operation();
	let result: ArrayBuffer | undefined;
	let text = "";
	// Not by the promise: what it is resolved with is asked for a `then`.
	operation.answer = (answerText, data) => {
		operations.delete(op);
		result = data as ArrayBuffer | undefined;
		text = answerText;
		resolve();
	};
	operations.set(op, operation);
	host.crypto(context?.id ?? 0, op, method, encoded);
	await promise;
	if (result !== undefined) return result;
	const answer = JSON.parse(text) as Encoded;
	switch (answer.type) {
		case "error":
			if (answer.error === "TypeError") throw new TypeError(answer.message);
			throw new DOMException(answer.message, answer.error);
		case "key":
			return create(answer.key);
		case "pair":
			return { publicKey: create(answer.pair[0]), privateKey: create(answer.pair[1]) };
		case "json":
			return answer.json;
	}
}

/** https://w3c.github.io/webcrypto/#subtlecrypto-interface: the sandbox's own WebCrypto does the work. */
export class SubtleCrypto {
	constructor(secret?: unknown) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
	}
}
for (const [name, needed] of Object.entries({
	encrypt: 3,
	decrypt: 3,
	sign: 3,
	verify: 4,
	digest: 2,
	generateKey: 3,
	deriveKey: 5,
	deriveBits: 2,
	importKey: 5,
	exportKey: 2,
	wrapKey: 4,
	unwrapKey: 7,
	getPublicKey: 2,
})) {
	const method = {
		async [name](this: unknown, ...args: unknown[]) {
			if (!(this instanceof SubtleCrypto)) throw new TypeError("Illegal invocation");
			if (name === "importKey" && args[0] === "jwk" && isBufferSource(args[1]))
				throw new TypeError("SubtleCrypto.importKey: a key in the format jwk is a JsonWebKey, not bytes");
			if (name === "digest" && args.length > 1 && algorithmName(args[0]) === "MD5" && isBufferSource(args[1])) {
				const { digestMd5 } = require("./md5.ts") as typeof import("./md5.ts");
				return digestMd5(copyBytes(args[1]));
			}
			return call(name, args, needed);
		},
	}[name];
	Object.defineProperty(method, "length", { value: needed });
	Object.defineProperty(SubtleCrypto.prototype, name, { value: method, writable: true, configurable: true });
}
asInterface(SubtleCrypto, "SubtleCrypto", { constructor: 0 });
const subtle = new SubtleCrypto(SECRET);

/** https://w3c.github.io/webcrypto/#crypto-interface */
export class Crypto {
	constructor(secret?: unknown) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
	}
	get subtle(): SubtleCrypto {
		return subtle;
	}
	getRandomValues<T>(array: T): T {
		requireArguments(arguments.length, 1, "Crypto.getRandomValues");
		if (!ArrayBuffer.isView(array))
			throw new TypeError("Crypto.getRandomValues: the argument is not an integer typed array");
		if (!INTEGER_ARRAY.test(`${arrayName.call(array)}`))
			throw new DOMException("Crypto.getRandomValues: the array is not of an integer type", "TypeMismatchError");
		if (array.byteLength > 65536) throw quotaExceeded("Crypto.getRandomValues: more than 65536 bytes are asked for");
		new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(
			new Uint8Array(host.randomBytes(array.byteLength)),
		);
		return array;
	}
	randomUUID(): string {
		const bytes = new Uint8Array(host.randomBytes(16));
		bytes[6] = (bytes[6] & 0x0f) | 0x40;
		bytes[8] = (bytes[8] & 0x3f) | 0x80;
		let text = "";
		for (let i = 0; i < 16; i++) text += (i === 4 || i === 6 || i === 8 || i === 10 ? "-" : "") + HEX[bytes[i]];
		return text;
	}
}
Object.defineProperty(SubtleCrypto.prototype, "timingSafeEqual", {
	/**
	 * https://developers.cloudflare.com/workers/runtime-apis/web-crypto/#timingsafeequal: takes as long wherever they
	 * differ.
	 */
	value: function timingSafeEqual(a: unknown, b: unknown): boolean {
		if (!isBufferSource(a) || !isBufferSource(b))
			throw new TypeError("timingSafeEqual: an argument is not a BufferSource");
		const [one, other] = [viewBytes(a), viewBytes(b)];
		if (one.length !== other.length) throw new TypeError("timingSafeEqual: the lengths differ");
		let difference = 0;
		for (let i = 0; i < one.length; i++) difference |= one[i] ^ other[i];
		return difference === 0;
	},
	writable: true,
	enumerable: true,
	configurable: true,
});
/** The name of a typed array's type; `undefined` for a DataView. */
const arrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
	?.get as (this: ArrayBufferView) => string | undefined;
const INTEGER_ARRAY = /^(?:Big)?U?[Ii]nt\d+(?:Clamped)?Array$/;
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
export const crypto = asSingleton(Crypto, "Crypto", new Crypto(SECRET));
