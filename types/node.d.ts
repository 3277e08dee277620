/**
 * Node's modules that a function can import, with and without `node:`, and the globals of Node's that it has where it
 * names them: what docs/web-apis.md lists, and nothing that is refused. Where a module differs from Node's, that page
 * says it.
 */
declare module "atoll:web" {
	/** Classes that are globals, for the modules which export them under the same name. */
	export interface Web {
		Blob: typeof Blob;
		ByteLengthQueuingStrategy: typeof ByteLengthQueuingStrategy;
		CompressionStream: typeof CompressionStream;
		CountQueuingStrategy: typeof CountQueuingStrategy;
		DecompressionStream: typeof DecompressionStream;
		File: typeof File;
		ReadableByteStreamController: typeof ReadableByteStreamController;
		ReadableStream: typeof ReadableStream;
		ReadableStreamBYOBReader: typeof ReadableStreamBYOBReader;
		ReadableStreamBYOBRequest: typeof ReadableStreamBYOBRequest;
		ReadableStreamDefaultController: typeof ReadableStreamDefaultController;
		ReadableStreamDefaultReader: typeof ReadableStreamDefaultReader;
		TextDecoder: typeof TextDecoder;
		TextDecoderStream: typeof TextDecoderStream;
		TextEncoder: typeof TextEncoder;
		TextEncoderStream: typeof TextEncoderStream;
		TransformStream: typeof TransformStream;
		TransformStreamDefaultController: typeof TransformStreamDefaultController;
		URL: typeof URL;
		URLSearchParams: typeof URLSearchParams;
		WritableStream: typeof WritableStream;
		WritableStreamDefaultController: typeof WritableStreamDefaultController;
		WritableStreamDefaultWriter: typeof WritableStreamDefaultWriter;
	}
}
declare module "node:assert" {
	export class AssertionError extends Error {
		constructor(options: { message?: string; actual?: unknown; expected?: unknown; operator?: string });
		readonly actual: unknown;
		readonly expected: unknown;
		readonly operator: string;
		readonly generatedMessage: boolean;
		readonly code: "ERR_ASSERTION";
	}
	type Thrown = RegExp | object | Error | (new (...args: never[]) => unknown) | ((thrown: unknown) => boolean);
	type Block = () => unknown;
	type AsyncBlock = (() => Promise<unknown>) | Promise<unknown>;
	export function ok(value: unknown, message?: string | Error): asserts value;
	export function fail(message?: string | Error): never;
	export function equal(actual: unknown, expected: unknown, message?: string | Error): void;
	export function notEqual(actual: unknown, expected: unknown, message?: string | Error): void;
	export function deepEqual(actual: unknown, expected: unknown, message?: string | Error): void;
	export function notDeepEqual(actual: unknown, expected: unknown, message?: string | Error): void;
	export function strictEqual<T>(actual: unknown, expected: T, message?: string | Error): asserts actual is T;
	export function notStrictEqual(actual: unknown, expected: unknown, message?: string | Error): void;
	export function deepStrictEqual<T>(actual: unknown, expected: T, message?: string | Error): asserts actual is T;
	export function notDeepStrictEqual(actual: unknown, expected: unknown, message?: string | Error): void;
	export function match(text: string, pattern: RegExp, message?: string | Error): void;
	export function doesNotMatch(text: string, pattern: RegExp, message?: string | Error): void;
	export function throws(block: Block, message?: string | Error): void;
	export function throws(block: Block, expected: Thrown, message?: string | Error): void;
	export function doesNotThrow(block: Block, message?: string | Error): void;
	export function rejects(block: AsyncBlock, message?: string | Error): Promise<void>;
	export function rejects(block: AsyncBlock, expected: Thrown, message?: string | Error): Promise<void>;
	export function doesNotReject(block: AsyncBlock, message?: string | Error): Promise<void>;
	export function ifError(value: unknown): asserts value is null | undefined;
	export const strict: typeof assert;
	function assert(value: unknown, message?: string | Error): asserts value;
	namespace assert {
		export {
			AssertionError,
			deepEqual,
			deepStrictEqual,
			doesNotMatch,
			doesNotReject,
			doesNotThrow,
			equal,
			fail,
			ifError,
			match,
			notDeepEqual,
			notDeepStrictEqual,
			notEqual,
			notStrictEqual,
			ok,
			rejects,
			strict,
			strictEqual,
			throws,
		};
	}
	export default assert;
}
declare module "assert" {
	export * from "node:assert";
	export { default } from "node:assert";
}
declare module "node:assert/strict" {
	export * from "node:assert";
	export { strict as default } from "node:assert";
}
declare module "assert/strict" {
	export * from "node:assert";
	export { strict as default } from "node:assert";
}
declare module "node:async_hooks" {
	/** https://nodejs.org/api/async_context.html#class-asynclocalstorage */
	export class AsyncLocalStorage<T> {
		constructor(options?: { defaultValue?: T; name?: string });
		static bind<F extends (...args: never[]) => unknown>(callback: F): F;
		static snapshot(): <R, A extends unknown[]>(callback: (...args: A) => R, ...args: A) => R;
		readonly name: string;
		getStore(): T | undefined;
		run<R, A extends unknown[]>(store: T, callback: (...args: A) => R, ...args: A): R;
		exit<R, A extends unknown[]>(callback: (...args: A) => R, ...args: A): R;
		enterWith(store: T): void;
		disable(): void;
	}
	/** https://nodejs.org/api/async_context.html#class-asyncresource */
	export class AsyncResource {
		constructor(type?: string);
		static bind<F extends (...args: never[]) => unknown>(callback: F): F;
		readonly type: string;
		bind<F extends (...args: never[]) => unknown>(callback: F): F;
		runInAsyncScope<R, A extends unknown[]>(callback: (...args: A) => R, self?: unknown, ...args: A): R;
		emitDestroy(): this;
		asyncId(): number;
		triggerAsyncId(): number;
	}
	export function executionAsyncId(): number;
	export function triggerAsyncId(): number;
	export function executionAsyncResource(): object;
	interface AsyncHook {
		enable(): this;
		disable(): this;
	}
	/** Hooks are accepted and never called. */
	export function createHook(callbacks: object): AsyncHook;
	const async_hooks: {
		AsyncLocalStorage: typeof AsyncLocalStorage;
		AsyncResource: typeof AsyncResource;
		createHook: typeof createHook;
		executionAsyncId: typeof executionAsyncId;
		executionAsyncResource: typeof executionAsyncResource;
		triggerAsyncId: typeof triggerAsyncId;
	};
	export default async_hooks;
}
declare module "async_hooks" {
	export * from "node:async_hooks";
	export { default } from "node:async_hooks";
}
declare module "node:buffer" {
	import type { Web } from "atoll:web";

	export type Blob = globalThis.Blob;
	export type File = globalThis.File;
	export type BufferEncoding =
		| "ascii"
		| "utf8"
		| "utf-8"
		| "utf16le"
		| "utf-16le"
		| "ucs2"
		| "ucs-2"
		| "base64"
		| "base64url"
		| "latin1"
		| "binary"
		| "hex";
	type Bytes = string | Uint8Array;
	/** https://nodejs.org/api/buffer.html */
	export interface Buffer extends Uint8Array<ArrayBuffer> {
		toString(encoding?: BufferEncoding, start?: number, end?: number): string;
		toJSON(): { type: "Buffer"; data: number[] };
		write(text: string, encoding?: BufferEncoding): number;
		write(text: string, offset: number, encoding?: BufferEncoding): number;
		write(text: string, offset: number, length: number, encoding?: BufferEncoding): number;
		equals(other: Uint8Array): boolean;
		compare(
			target: Uint8Array,
			targetStart?: number,
			targetEnd?: number,
			sourceStart?: number,
			sourceEnd?: number,
		): -1 | 0 | 1;
		copy(target: Uint8Array, targetStart?: number, sourceStart?: number, sourceEnd?: number): number;
		slice(start?: number, end?: number): Buffer;
		subarray(start?: number, end?: number): Buffer;
		fill(value: Bytes | number, offset?: number, end?: number, encoding?: BufferEncoding): this;
		indexOf(value: Bytes | number, offset?: number, encoding?: BufferEncoding): number;
		lastIndexOf(value: Bytes | number, offset?: number, encoding?: BufferEncoding): number;
		includes(value: Bytes | number, offset?: number, encoding?: BufferEncoding): boolean;
		swap16(): this;
		swap32(): this;
		swap64(): this;
		readIntLE(offset: number, byteLength: number): number;
		readIntBE(offset: number, byteLength: number): number;
		readUIntLE(offset: number, byteLength: number): number;
		readUIntBE(offset: number, byteLength: number): number;
		writeIntLE(value: number, offset: number, byteLength: number): number;
		writeIntBE(value: number, offset: number, byteLength: number): number;
		writeUIntLE(value: number, offset: number, byteLength: number): number;
		writeUIntBE(value: number, offset: number, byteLength: number): number;
		readInt8(offset?: number): number;
		writeInt8(value: number, offset?: number): number;
		readUInt8(offset?: number): number;
		writeUInt8(value: number, offset?: number): number;
		readInt16LE(offset?: number): number;
		writeInt16LE(value: number, offset?: number): number;
		readInt32LE(offset?: number): number;
		writeInt32LE(value: number, offset?: number): number;
		readUInt16LE(offset?: number): number;
		writeUInt16LE(value: number, offset?: number): number;
		readUInt32LE(offset?: number): number;
		writeUInt32LE(value: number, offset?: number): number;
		readFloatLE(offset?: number): number;
		writeFloatLE(value: number, offset?: number): number;
		readDoubleLE(offset?: number): number;
		writeDoubleLE(value: number, offset?: number): number;
		readBigInt64LE(offset?: number): bigint;
		writeBigInt64LE(value: bigint, offset?: number): number;
		readBigUInt64LE(offset?: number): bigint;
		writeBigUInt64LE(value: bigint, offset?: number): number;
		readInt16BE(offset?: number): number;
		writeInt16BE(value: number, offset?: number): number;
		readInt32BE(offset?: number): number;
		writeInt32BE(value: number, offset?: number): number;
		readUInt16BE(offset?: number): number;
		writeUInt16BE(value: number, offset?: number): number;
		readUInt32BE(offset?: number): number;
		writeUInt32BE(value: number, offset?: number): number;
		readFloatBE(offset?: number): number;
		writeFloatBE(value: number, offset?: number): number;
		readDoubleBE(offset?: number): number;
		writeDoubleBE(value: number, offset?: number): number;
		readBigInt64BE(offset?: number): bigint;
		writeBigInt64BE(value: bigint, offset?: number): number;
		readBigUInt64BE(offset?: number): bigint;
		writeBigUInt64BE(value: bigint, offset?: number): number;
	}
	interface BufferConstructor {
		readonly prototype: Buffer;
		readonly poolSize: number;
		from(text: string, encoding?: BufferEncoding): Buffer;
		from(bytes: ArrayBuffer | SharedArrayBuffer, offset?: number, length?: number): Buffer;
		from(bytes: Uint8Array | Iterable<number> | ArrayLike<number>): Buffer;
		from(json: { type: "Buffer"; data: number[] }): Buffer;
		alloc(size: number, fill?: Bytes | number, encoding?: BufferEncoding): Buffer;
		allocUnsafe(size: number): Buffer;
		allocUnsafeSlow(size: number): Buffer;
		concat(list: readonly Uint8Array[], length?: number): Buffer;
		compare(one: Uint8Array, other: Uint8Array): -1 | 0 | 1;
		byteLength(value: string | ArrayBufferView | ArrayBuffer, encoding?: BufferEncoding): number;
		isBuffer(value: unknown): value is Buffer;
		isEncoding(name: unknown): name is BufferEncoding;
	}
	export const Buffer: BufferConstructor;
	export const SlowBuffer: (length: number) => Buffer;
	export const INSPECT_MAX_BYTES: number;
	export const kMaxLength: number;
	export const constants: { readonly MAX_LENGTH: number; readonly MAX_STRING_LENGTH: number };
	export const Blob: Web["Blob"];
	export const File: Web["File"];
	export const atob: typeof globalThis.atob;
	export const btoa: typeof globalThis.btoa;
	/** Whether bytes are valid UTF-8. */
	export function isUtf8(bytes: Uint8Array): boolean;
	export function isAscii(bytes: Uint8Array): boolean;
	/** Bytes of one encoding in another; what that does not have becomes a question mark. */
	export function transcode(source: Uint8Array, from: BufferEncoding, to: BufferEncoding): Buffer;
	const buffer: {
		Buffer: typeof Buffer;
		Blob: typeof Blob;
		File: typeof File;
		atob: typeof atob;
		btoa: typeof btoa;
		constants: typeof constants;
		INSPECT_MAX_BYTES: number;
		isAscii: typeof isAscii;
		isUtf8: typeof isUtf8;
		kMaxLength: number;
		SlowBuffer: typeof SlowBuffer;
		transcode: typeof transcode;
	};
	export default buffer;
}
declare module "buffer" {
	export * from "node:buffer";
	export { default } from "node:buffer";
}
declare module "node:console" {
	export const assert: Console["assert"];
	export const clear: Console["clear"];
	export const count: Console["count"];
	export const countReset: Console["countReset"];
	export const debug: Console["debug"];
	export const dir: Console["dir"];
	export const dirxml: Console["dirxml"];
	export const error: Console["error"];
	export const group: Console["group"];
	export const groupCollapsed: Console["groupCollapsed"];
	export const groupEnd: Console["groupEnd"];
	export const info: Console["info"];
	export const log: Console["log"];
	export const table: Console["table"];
	export const time: Console["time"];
	export const timeEnd: Console["timeEnd"];
	export const timeLog: Console["timeLog"];
	export const trace: Console["trace"];
	export const warn: Console["warn"];
	const it: Console;
	export default it;
}
declare module "console" {
	export * from "node:console";
	export { default } from "node:console";
}
declare module "node:crypto" {
	import type { Buffer } from "node:buffer";
	import type { Transform } from "node:stream";

	type Data = string | ArrayBuffer | ArrayBufferView;
	type TextEncoding = "hex" | "base64" | "base64url" | "latin1" | "binary";
	type Done<T> = (error: Error | null, result: T) => void;
	/** What takes data until it is asked for the digest, as calls or as a stream. */
	class Digester extends Transform {
		update(data: Data, encoding?: string): this;
		digest(): Buffer;
		digest(encoding: "buffer"): Buffer;
		digest(encoding: TextEncoding): string;
	}
	export class Hash extends Digester {
		copy(): Hash;
	}
	export class Hmac extends Digester {}
	export function createHash(algorithm: string): Hash;
	export function createHmac(algorithm: string, key: Data): Hmac;
	/** https://nodejs.org/api/crypto.html#cryptohashalgorithm-data-options */
	export function hash(algorithm: string, data: Data, encoding?: TextEncoding): string;
	export function hash(algorithm: string, data: Data, encoding: "buffer"): Buffer;
	export function getHashes(): string[];
	export function timingSafeEqual(a: ArrayBufferView, b: ArrayBufferView): boolean;
	export function randomFillSync<T extends ArrayBufferView>(target: T, offset?: number, size?: number): T;
	export function randomFill<T extends ArrayBufferView>(target: T, done: Done<T>): void;
	export function randomFill<T extends ArrayBufferView>(target: T, offset: number, done: Done<T>): void;
	export function randomFill<T extends ArrayBufferView>(target: T, offset: number, size: number, done: Done<T>): void;
	export function randomBytes(size: number): Buffer;
	export function randomBytes(size: number, done: Done<Buffer>): void;
	/** A whole number from `min`, or 0, to below `max`, each as likely. */
	export function randomInt(max: number): number;
	export function randomInt(min: number, max: number): number;
	export function randomInt(max: number, done: Done<number>): void;
	export function randomInt(min: number, max: number, done: Done<number>): void;
	export function randomUUID(): string;
	export const getRandomValues: Crypto["getRandomValues"];
	export function pbkdf2Sync(password: Data, salt: Data, iterations: number, length: number, digest: string): Buffer;
	export function pbkdf2(
		password: Data,
		salt: Data,
		iterations: number,
		length: number,
		digest: string,
		done: Done<Buffer>,
	): void;
	interface ScryptOptions {
		N?: number;
		cost?: number;
		r?: number;
		blockSize?: number;
		p?: number;
		parallelization?: number;
		maxmem?: number;
	}
	export function scryptSync(password: Data, salt: Data, length: number, options?: ScryptOptions): Buffer;
	export function scrypt(password: Data, salt: Data, length: number, done: Done<Buffer>): void;
	export function scrypt(password: Data, salt: Data, length: number, options: ScryptOptions, done: Done<Buffer>): void;
	export function hkdfSync(digest: string, key: Data, salt: Data, info: Data, length: number): ArrayBuffer;
	export function hkdf(
		digest: string,
		key: Data,
		salt: Data,
		info: Data,
		length: number,
		done: Done<ArrayBuffer>,
	): void;
	export const webcrypto: Crypto;
	export const subtle: SubtleCrypto;
	export const constants: Record<string, never>;
	const crypto: {
		constants: typeof constants;
		createHash: typeof createHash;
		createHmac: typeof createHmac;
		getHashes: typeof getHashes;
		getRandomValues: typeof getRandomValues;
		Hash: typeof Hash;
		hash: typeof hash;
		hkdf: typeof hkdf;
		hkdfSync: typeof hkdfSync;
		Hmac: typeof Hmac;
		pbkdf2: typeof pbkdf2;
		pbkdf2Sync: typeof pbkdf2Sync;
		randomBytes: typeof randomBytes;
		randomFill: typeof randomFill;
		randomFillSync: typeof randomFillSync;
		randomInt: typeof randomInt;
		randomUUID: typeof randomUUID;
		scrypt: typeof scrypt;
		scryptSync: typeof scryptSync;
		subtle: SubtleCrypto;
		timingSafeEqual: typeof timingSafeEqual;
		webcrypto: Crypto;
	};
	export default crypto;
}
declare module "crypto" {
	export * from "node:crypto";
	export { default } from "node:crypto";
}
declare module "node:diagnostics_channel" {
	type Name = string | symbol;
	type Subscriber = (message: unknown, name: Name) => void;
	interface Store<T> {
		run<R>(store: T, callback: () => R): R;
	}
	/** https://nodejs.org/api/diagnostics_channel.html#class-channel */
	export class Channel {
		constructor(name: Name);
		readonly name: Name;
		readonly hasSubscribers: boolean;
		subscribe(subscriber: Subscriber): void;
		unsubscribe(subscriber: Subscriber): boolean;
		publish(message: unknown): void;
		bindStore<T>(store: Store<T>, transform?: (message: never) => T): void;
		unbindStore<T>(store: Store<T>): boolean;
		runStores<R, A extends unknown[]>(message: unknown, callback: (...args: A) => R, self?: unknown, ...args: A): R;
	}
	type TracingEvent = "start" | "end" | "asyncStart" | "asyncEnd" | "error";
	/** https://nodejs.org/api/diagnostics_channel.html#class-tracingchannel */
	interface TracingChannel extends Readonly<Record<TracingEvent, Channel>> {
		readonly hasSubscribers: boolean;
		subscribe(handlers: Partial<Record<TracingEvent, Subscriber>>): void;
		unsubscribe(handlers: Partial<Record<TracingEvent, Subscriber>>): boolean;
		traceSync<R, A extends unknown[]>(callback: (...args: A) => R, context?: object, self?: unknown, ...args: A): R;
		tracePromise<R, A extends unknown[]>(callback: (...args: A) => R, context?: object, self?: unknown, ...args: A): R;
		traceCallback<R, A extends unknown[]>(
			callback: (...args: A) => R,
			position?: number,
			context?: object,
			self?: unknown,
			...args: A
		): R;
	}
	export function channel(name: Name): Channel;
	export function hasSubscribers(name: Name): boolean;
	export function subscribe(name: Name, subscriber: Subscriber): void;
	export function unsubscribe(name: Name, subscriber: Subscriber): boolean;
	export function tracingChannel(of: string | Record<TracingEvent, Channel>): TracingChannel;
	const diagnostics_channel: {
		Channel: typeof Channel;
		channel: typeof channel;
		hasSubscribers: typeof hasSubscribers;
		subscribe: typeof subscribe;
		tracingChannel: typeof tracingChannel;
		unsubscribe: typeof unsubscribe;
	};
	export default diagnostics_channel;
}
declare module "diagnostics_channel" {
	export * from "node:diagnostics_channel";
	export { default } from "node:diagnostics_channel";
}
declare module "node:events" {
	import type { AsyncResource } from "node:async_hooks";

	type Name = string | symbol;
	// biome-ignore lint/suspicious/noExplicitAny: what an event carries is for its emitter to say.
	type Listener = (...args: any[]) => void;
	/** https://nodejs.org/api/events.html#class-eventemitter */
	class EventEmitter {
		static readonly EventEmitter: typeof EventEmitter;
		static readonly EventEmitterAsyncResource: typeof EventEmitterAsyncResource;
		static readonly captureRejectionSymbol: unique symbol;
		static readonly errorMonitor: unique symbol;
		static defaultMaxListeners: number;
		static once: typeof once;
		static on: typeof on;
		static getEventListeners: typeof getEventListeners;
		static getMaxListeners: typeof getMaxListeners;
		static setMaxListeners: typeof setMaxListeners;
		static listenerCount: typeof listenerCount;
		on(name: Name, listener: Listener): this;
		once(name: Name, listener: Listener): this;
		off(name: Name, listener: Listener): this;
		addListener(name: Name, listener: Listener): this;
		removeListener(name: Name, listener: Listener): this;
		prependListener(name: Name, listener: Listener): this;
		prependOnceListener(name: Name, listener: Listener): this;
		removeAllListeners(name?: Name): this;
		emit(name: Name, ...args: unknown[]): boolean;
		listeners(name: Name): Listener[];
		rawListeners(name: Name): Listener[];
		listenerCount(name: Name): number;
		eventNames(): Name[];
		getMaxListeners(): number;
		setMaxListeners(most: number): this;
	}
	class EventEmitterAsyncResource extends EventEmitter {
		readonly asyncResource: AsyncResource;
	}
	type Target = EventEmitter | EventTarget;
	/** https://nodejs.org/api/events.html#eventsoncemitter-name-options */
	function once(emitter: Target, name: Name, options?: { signal?: AbortSignal }): Promise<unknown[]>;
	/** https://nodejs.org/api/events.html#eventsonemitter-eventname-options */
	function on(
		emitter: EventEmitter,
		name: string,
		options?: { signal?: AbortSignal; close?: string[] },
	): AsyncIterableIterator<unknown[]>;
	function getEventListeners(emitter: Target, name: string): Listener[];
	function getMaxListeners(emitter: Target): number;
	function setMaxListeners(most: number, ...emitters: Target[]): void;
	function listenerCount(emitter: EventEmitter, name: string): number;
	const errorMonitor: unique symbol;
	const captureRejectionSymbol: unique symbol;
	const defaultMaxListeners: number;

	export {
		captureRejectionSymbol,
		defaultMaxListeners,
		EventEmitter,
		EventEmitterAsyncResource,
		errorMonitor,
		getEventListeners,
		getMaxListeners,
		listenerCount,
		on,
		once,
		setMaxListeners,
	};
	export default EventEmitter;
}
declare module "events" {
	export * from "node:events";
	export { default } from "node:events";
}
declare module "node:module" {
	interface Require {
		(name: string): never;
		resolve(name: string): never;
		readonly cache: Record<string, never>;
	}
	export const builtinModules: readonly string[];
	/** A `require` that finds nothing: what it loads is not bundled. */
	export function createRequire(from: string | URL): Require;
	export function isBuiltin(name: string): boolean;
	const module: {
		builtinModules: typeof builtinModules;
		createRequire: typeof createRequire;
		isBuiltin: typeof isBuiltin;
	};
	export default module;
}
declare module "module" {
	export * from "node:module";
	export { default } from "node:module";
}
declare module "node:net" {
	export function isIP(text: unknown): 0 | 4 | 6;
	export function isIPv4(text: unknown): boolean;
	export function isIPv6(text: unknown): boolean;
	const net: { isIP: typeof isIP; isIPv4: typeof isIPv4; isIPv6: typeof isIPv6 };
	export default net;
}
declare module "net" {
	export * from "node:net";
	export { default } from "node:net";
}
declare module "node:os" {
	export const EOL: "\n";
	export const devNull: string;
	export const constants: Record<string, Record<string, number>>;
	export function arch(): string;
	export function availableParallelism(): number;
	export function cpus(): object[];
	export function endianness(): "LE";
	export function freemem(): number;
	export function homedir(): string;
	export function hostname(): string;
	export function loadavg(): number[];
	export function machine(): string;
	export function networkInterfaces(): Record<string, object[]>;
	export function platform(): "linux";
	export function release(): string;
	export function tmpdir(): string;
	export function totalmem(): number;
	export function type(): string;
	export function uptime(): number;
	export function userInfo(): { uid: number; gid: number; username: string; homedir: string; shell: null };
	export function version(): string;
	const os: {
		constants: typeof constants;
		devNull: string;
		EOL: typeof EOL;
		arch: typeof arch;
		availableParallelism: typeof availableParallelism;
		cpus: typeof cpus;
		endianness: typeof endianness;
		freemem: typeof freemem;
		homedir: typeof homedir;
		hostname: typeof hostname;
		loadavg: typeof loadavg;
		machine: typeof machine;
		networkInterfaces: typeof networkInterfaces;
		platform: typeof platform;
		release: typeof release;
		tmpdir: typeof tmpdir;
		totalmem: typeof totalmem;
		type: typeof type;
		uptime: typeof uptime;
		userInfo: typeof userInfo;
		version: typeof version;
	};
	export default os;
}
declare module "os" {
	export * from "node:os";
	export { default } from "node:os";
}
declare module "node:path" {
	export interface ParsedPath {
		root: string;
		dir: string;
		base: string;
		ext: string;
		name: string;
	}
	export function resolve(...paths: string[]): string;
	export function normalize(path: string): string;
	export function isAbsolute(path: string): boolean;
	export function join(...paths: string[]): string;
	export function relative(from: string, to: string): string;
	export function dirname(path: string): string;
	export function basename(path: string, suffix?: string): string;
	export function extname(path: string): string;
	export function format(path: Partial<ParsedPath>): string;
	export function parse(path: string): ParsedPath;
	export const sep: "/";
	export const delimiter: ":";
	export const posix: typeof path;
	const path: {
		resolve: typeof resolve;
		normalize: typeof normalize;
		isAbsolute: typeof isAbsolute;
		join: typeof join;
		relative: typeof relative;
		dirname: typeof dirname;
		basename: typeof basename;
		extname: typeof extname;
		format: typeof format;
		parse: typeof parse;
		sep: "/";
		delimiter: ":";
		posix: typeof path;
	};
	export default path;
}
declare module "path" {
	export * from "node:path";
	export { default } from "node:path";
}
declare module "node:path/posix" {
	export * from "node:path";
	export { default } from "node:path";
}
declare module "path/posix" {
	export * from "node:path";
	export { default } from "node:path";
}
declare module "node:perf_hooks" {
	export const performance: Performance;
	const perf_hooks: { performance: Performance };
	export default perf_hooks;
}
declare module "perf_hooks" {
	export * from "node:perf_hooks";
	export { default } from "node:perf_hooks";
}
declare module "node:process" {
	interface HighResolutionTime {
		(before?: [number, number]): [number, number];
		bigint(): bigint;
	}
	interface Output {
		readonly isTTY: boolean;
		/** Logs what it is given, as a line. */
		write(text: unknown): boolean;
	}
	interface MemoryUsage {
		rss: number;
		heapTotal: number;
		heapUsed: number;
		external: number;
		arrayBuffers: number;
	}
	export const argv: string[];
	export const execArgv: string[];
	/** The function's variables; those that are no strings as JSON. */
	export const env: Record<string, string | undefined>;
	export const hrtime: HighResolutionTime;
	export const pid: number;
	export const platform: string;
	export const stdout: Output;
	export const stderr: Output;
	/** Nothing of Node's: packages tell Node by it. */
	export const version: string;
	export const versions: Record<string, string>;
	export function cwd(): string;
	export function emitWarning(warning: unknown): void;
	/** Throws: a function cannot end its process. */
	export function exit(): never;
	export function memoryUsage(): MemoryUsage;
	export function nextTick<A extends unknown[]>(callback: (...args: A) => void, ...args: A): void;
	export function uptime(): number;
	interface Process {
		argv: string[];
		execArgv: string[];
		env: Record<string, string | undefined>;
		hrtime: HighResolutionTime;
		pid: number;
		platform: string;
		arch: string;
		title: string;
		stdout: Output;
		stderr: Output;
		version: string;
		versions: Record<string, string>;
		release: Record<string, string>;
		exitCode: number | undefined;
		cwd: typeof cwd;
		emitWarning: typeof emitWarning;
		exit: typeof exit;
		memoryUsage: typeof memoryUsage;
		nextTick: typeof nextTick;
		uptime: typeof uptime;
		/** Nothing ever happens to the process that a function could hear of. */
		on(name: string, listener: (...args: never[]) => void): this;
		once(name: string, listener: (...args: never[]) => void): this;
		off(name: string, listener: (...args: never[]) => void): this;
	}
	export const process: Process;
	export default process;
}
declare module "process" {
	export * from "node:process";
	export { default } from "node:process";
}
declare module "node:querystring" {
	type Query = Record<string, string | string[] | undefined>;
	interface ParseOptions {
		maxKeys?: number;
		decodeURIComponent?: (text: string) => string;
	}
	interface StringifyOptions {
		encodeURIComponent?: (text: string) => string;
	}
	export function parse(text: string, separator?: string, equals?: string, options?: ParseOptions): Query;
	export function stringify(query: object, separator?: string, equals?: string, options?: StringifyOptions): string;
	// biome-ignore lint/suspicious/noShadowRestrictedNames: that is its name.
	export function escape(text: string): string;
	// biome-ignore lint/suspicious/noShadowRestrictedNames: that is its name.
	export function unescape(text: string): string;
	export function unescapeBuffer(text: string, decodeSpaces?: boolean): Uint8Array;
	export const decode: typeof parse;
	export const encode: typeof stringify;
	const querystring: {
		parse: typeof parse;
		stringify: typeof stringify;
		escape: typeof escape;
		unescape: typeof unescape;
		unescapeBuffer: typeof unescapeBuffer;
		decode: typeof parse;
		encode: typeof stringify;
	};
	export default querystring;
}
declare module "querystring" {
	export * from "node:querystring";
	export { default } from "node:querystring";
}
declare module "node:stream" {
	import type { BufferEncoding } from "node:buffer";
	import { EventEmitter } from "node:events";

	// biome-ignore lint/suspicious/noExplicitAny: what a stream carries is for whoever makes it to say.
	type Chunk = any;
	type Done = (error?: Error | null) => void;
	type Transformed = (error?: Error | null, chunk?: Chunk) => void;
	/** Where it is read from, or written to, in the encodings that Buffer has. */
	interface StreamOptions {
		highWaterMark?: number;
		objectMode?: boolean;
		emitClose?: boolean;
		autoDestroy?: boolean;
		signal?: AbortSignal;
	}
	interface ReadableOptions<T = Readable> extends StreamOptions {
		encoding?: BufferEncoding;
		construct?(this: T, done: Done): void;
		read?(this: T, size: number): void;
		destroy?(this: T, error: Error | null, done: Done): void;
	}
	interface WritableOptions<T = Writable> extends StreamOptions {
		decodeStrings?: boolean;
		defaultEncoding?: BufferEncoding;
		construct?(this: T, done: Done): void;
		write?(this: T, chunk: Chunk, encoding: BufferEncoding, done: Done): void;
		writev?(this: T, chunks: { chunk: Chunk; encoding: BufferEncoding }[], done: Done): void;
		final?(this: T, done: Done): void;
		destroy?(this: T, error: Error | null, done: Done): void;
	}
	interface DuplexOptions<T = Duplex> extends ReadableOptions<T>, WritableOptions<T> {
		construct?(this: T, done: Done): void;
		destroy?(this: T, error: Error | null, done: Done): void;
		allowHalfOpen?: boolean;
		readableObjectMode?: boolean;
		writableObjectMode?: boolean;
		readableHighWaterMark?: number;
		writableHighWaterMark?: number;
	}
	interface TransformOptions<T = Transform> extends DuplexOptions<T> {
		transform?(this: T, chunk: Chunk, encoding: BufferEncoding, done: Transformed): void;
		flush?(this: T, done: Transformed): void;
	}

	class Stream extends EventEmitter {
		pipe<W extends Writable>(destination: W, options?: { end?: boolean }): W;
	}
	/** https://nodejs.org/api/stream.html#readable-streams */
	class Readable extends Stream {
		constructor(options?: ReadableOptions);
		static from(source: Iterable<Chunk> | AsyncIterable<Chunk>, options?: ReadableOptions): Readable;
		static fromWeb(stream: ReadableStream, options?: ReadableOptions): Readable;
		static toWeb(readable: Readable): ReadableStream;
		readonly readable: boolean;
		readonly readableEnded: boolean;
		readonly readableFlowing: boolean | null;
		readonly readableHighWaterMark: number;
		readonly readableLength: number;
		readonly readableObjectMode: boolean;
		readonly destroyed: boolean;
		readonly closed: boolean;
		readonly errored: Error | null;
		_read(size: number): void;
		_construct?(done: Done): void;
		_destroy(error: Error | null, done: Done): void;
		read(size?: number): Chunk;
		push(chunk: Chunk, encoding?: BufferEncoding): boolean;
		unshift(chunk: Chunk, encoding?: BufferEncoding): void;
		setEncoding(encoding: BufferEncoding): this;
		pause(): this;
		resume(): this;
		isPaused(): boolean;
		unpipe(destination?: Writable): this;
		wrap(stream: EventEmitter): this;
		destroy(error?: Error): this;
		[Symbol.asyncIterator](): AsyncIterableIterator<Chunk>;
	}
	/** https://nodejs.org/api/stream.html#writable-streams */
	class Writable extends Stream {
		constructor(options?: WritableOptions);
		static fromWeb(stream: WritableStream): Writable;
		static toWeb(writable: Writable): WritableStream;
		readonly writable: boolean;
		readonly writableEnded: boolean;
		readonly writableFinished: boolean;
		readonly writableHighWaterMark: number;
		readonly writableLength: number;
		readonly writableNeedDrain: boolean;
		readonly writableObjectMode: boolean;
		readonly destroyed: boolean;
		readonly closed: boolean;
		readonly errored: Error | null;
		_write(chunk: Chunk, encoding: BufferEncoding, done: Done): void;
		_writev?(chunks: { chunk: Chunk; encoding: BufferEncoding }[], done: Done): void;
		_construct?(done: Done): void;
		_destroy(error: Error | null, done: Done): void;
		_final(done: Done): void;
		write(chunk: Chunk, done?: Done): boolean;
		write(chunk: Chunk, encoding: BufferEncoding, done?: Done): boolean;
		end(done?: () => void): this;
		end(chunk: Chunk, done?: () => void): this;
		end(chunk: Chunk, encoding: BufferEncoding, done?: () => void): this;
		cork(): void;
		uncork(): void;
		setDefaultEncoding(encoding: BufferEncoding): this;
		destroy(error?: Error): this;
	}
	interface Duplex extends Writable {}
	/** https://nodejs.org/api/stream.html#duplex-and-transform-streams */
	class Duplex extends Readable {
		constructor(options?: DuplexOptions);
		static from(source: Iterable<Chunk> | AsyncIterable<Chunk>): Duplex;
		allowHalfOpen: boolean;
		_destroy(error: Error | null, done: Done): void;
		destroy(error?: Error): this;
	}
	class Transform extends Duplex {
		constructor(options?: TransformOptions);
		_transform(chunk: Chunk, encoding: BufferEncoding, done: Transformed): void;
		_flush(done: Transformed): void;
	}
	class PassThrough extends Transform {}

	type AnyStream = Readable | Writable | Duplex;
	interface FinishedOptions {
		error?: boolean;
		readable?: boolean;
		writable?: boolean;
		signal?: AbortSignal;
	}
	function addAbortSignal<S extends AnyStream>(signal: AbortSignal, stream: S): S;
	function compose(...streams: unknown[]): Duplex;
	function destroy(stream: AnyStream, error?: Error): AnyStream;
	function finished(stream: AnyStream, done: Done): () => void;
	function finished(stream: AnyStream, options: FinishedOptions, done: Done): () => void;
	/** Streams, iterables and functions that make one of the other, and at last what is told of the end. */
	function pipeline(...streamsAndDone: unknown[]): AnyStream;
	function isDisturbed(stream: AnyStream | ReadableStream): boolean;
	function isErrored(stream: AnyStream | ReadableStream | WritableStream): boolean;
	function isReadable(stream: AnyStream | ReadableStream): boolean;
	const promises: typeof import("node:stream/promises").default;

	export {
		addAbortSignal,
		compose,
		Duplex,
		type DuplexOptions,
		destroy,
		finished,
		isDisturbed,
		isErrored,
		isReadable,
		PassThrough,
		pipeline,
		promises,
		Readable,
		type ReadableOptions,
		Stream,
		Transform,
		type TransformOptions,
		Writable,
		type WritableOptions,
	};

	const streams: typeof Stream & {
		addAbortSignal: typeof addAbortSignal;
		compose: typeof compose;
		Duplex: typeof Duplex;
		destroy: typeof destroy;
		finished: typeof finished;
		isDisturbed: typeof isDisturbed;
		isErrored: typeof isErrored;
		isReadable: typeof isReadable;
		PassThrough: typeof PassThrough;
		pipeline: typeof pipeline;
		promises: typeof promises;
		Readable: typeof Readable;
		Stream: typeof Stream;
		Transform: typeof Transform;
		Writable: typeof Writable;
	};
	export default streams;
}
declare module "stream" {
	export * from "node:stream";
	export { default } from "node:stream";
}
declare module "node:stream/consumers" {
	import type { Buffer } from "node:buffer";

	type Source = AsyncIterable<unknown> | Iterable<unknown>;
	export function arrayBuffer(source: Source): Promise<ArrayBuffer>;
	export function blob(source: Source): Promise<globalThis.Blob>;
	export function buffer(source: Source): Promise<Buffer>;
	export function bytes(source: Source): Promise<Uint8Array>;
	export function json(source: Source): Promise<unknown>;
	export function text(source: Source): Promise<string>;
	const consumers: {
		arrayBuffer: typeof arrayBuffer;
		blob: typeof blob;
		buffer: typeof buffer;
		bytes: typeof bytes;
		json: typeof json;
		text: typeof text;
	};
	export default consumers;
}
declare module "stream/consumers" {
	export * from "node:stream/consumers";
	export { default } from "node:stream/consumers";
}
declare module "node:stream/promises" {
	import type { Duplex, Readable, Writable } from "node:stream";

	export function finished(
		stream: Readable | Writable | Duplex,
		options?: { readable?: boolean; writable?: boolean; signal?: AbortSignal },
	): Promise<void>;
	/** Streams, iterables and functions that make one of the other; options may come last. */
	export function pipeline(...streamsAndOptions: unknown[]): Promise<void>;
	const promises: { finished: typeof finished; pipeline: typeof pipeline };
	export default promises;
}
declare module "stream/promises" {
	export * from "node:stream/promises";
	export { default } from "node:stream/promises";
}
declare module "node:stream/web" {
	import type { Web } from "atoll:web";

	export const ByteLengthQueuingStrategy: Web["ByteLengthQueuingStrategy"];
	export const CompressionStream: Web["CompressionStream"];
	export const CountQueuingStrategy: Web["CountQueuingStrategy"];
	export const DecompressionStream: Web["DecompressionStream"];
	export const ReadableByteStreamController: Web["ReadableByteStreamController"];
	export const ReadableStream: Web["ReadableStream"];
	export const ReadableStreamBYOBReader: Web["ReadableStreamBYOBReader"];
	export const ReadableStreamBYOBRequest: Web["ReadableStreamBYOBRequest"];
	export const ReadableStreamDefaultController: Web["ReadableStreamDefaultController"];
	export const ReadableStreamDefaultReader: Web["ReadableStreamDefaultReader"];
	export const TextDecoderStream: Web["TextDecoderStream"];
	export const TextEncoderStream: Web["TextEncoderStream"];
	export const TransformStream: Web["TransformStream"];
	export const TransformStreamDefaultController: Web["TransformStreamDefaultController"];
	export const WritableStream: Web["WritableStream"];
	export const WritableStreamDefaultController: Web["WritableStreamDefaultController"];
	export const WritableStreamDefaultWriter: Web["WritableStreamDefaultWriter"];
	export type ByteLengthQueuingStrategy = globalThis.ByteLengthQueuingStrategy;
	export type CompressionStream = globalThis.CompressionStream;
	export type CountQueuingStrategy = globalThis.CountQueuingStrategy;
	export type DecompressionStream = globalThis.DecompressionStream;
	export type ReadableByteStreamController = globalThis.ReadableByteStreamController;
	export type ReadableStream<R = unknown> = globalThis.ReadableStream<R>;
	export type ReadableStreamBYOBReader = globalThis.ReadableStreamBYOBReader;
	export type ReadableStreamBYOBRequest = globalThis.ReadableStreamBYOBRequest;
	export type ReadableStreamDefaultController<R = unknown> = globalThis.ReadableStreamDefaultController<R>;
	export type ReadableStreamDefaultReader<R = unknown> = globalThis.ReadableStreamDefaultReader<R>;
	export type TextDecoderStream = globalThis.TextDecoderStream;
	export type TextEncoderStream = globalThis.TextEncoderStream;
	export type TransformStream<I = unknown, O = I> = globalThis.TransformStream<I, O>;
	export type TransformStreamDefaultController<O = unknown> = globalThis.TransformStreamDefaultController<O>;
	export type WritableStream<W = unknown> = globalThis.WritableStream<W>;
	export type WritableStreamDefaultController = globalThis.WritableStreamDefaultController;
	export type WritableStreamDefaultWriter<W = unknown> = globalThis.WritableStreamDefaultWriter<W>;
}
declare module "stream/web" {
	export * from "node:stream/web";
}
declare module "node:string_decoder" {
	import type { BufferEncoding } from "node:buffer";

	/** https://nodejs.org/api/string_decoder.html */
	export class StringDecoder {
		constructor(encoding?: BufferEncoding);
		readonly encoding: string;
		write(bytes: Uint8Array): string;
		end(bytes?: Uint8Array): string;
	}
	const string_decoder: { StringDecoder: typeof StringDecoder };
	export default string_decoder;
}
declare module "string_decoder" {
	export * from "node:string_decoder";
	export { default } from "node:string_decoder";
}
declare module "node:timers" {
	export const setTimeout: typeof globalThis.setTimeout;
	export const clearTimeout: typeof globalThis.clearTimeout;
	export const setInterval: typeof globalThis.setInterval;
	export const clearInterval: typeof globalThis.clearInterval;
	export function setImmediate<A extends unknown[]>(callback: (...args: A) => void, ...args: A): number;
	export function clearImmediate(timer: number | undefined): void;
	export const promises: typeof import("node:timers/promises").default;
	const timers: {
		promises: typeof promises;
		setTimeout: typeof setTimeout;
		clearTimeout: typeof clearTimeout;
		setInterval: typeof setInterval;
		clearInterval: typeof clearInterval;
		setImmediate: typeof setImmediate;
		clearImmediate: typeof clearImmediate;
	};
	export default timers;
}
declare module "timers" {
	export * from "node:timers";
	export { default } from "node:timers";
}
declare module "node:timers/promises" {
	interface TimerOptions {
		signal?: AbortSignal;
	}
	export function setTimeout<T = undefined>(delay?: number, value?: T, options?: TimerOptions): Promise<T>;
	export function setImmediate<T = undefined>(value?: T, options?: TimerOptions): Promise<T>;
	export function setInterval<T = undefined>(delay?: number, value?: T, options?: TimerOptions): AsyncGenerator<T>;
	export const scheduler: {
		wait(delay: number, options?: TimerOptions): Promise<void>;
		yield(): Promise<void>;
	};
	const timers: {
		setTimeout: typeof setTimeout;
		setImmediate: typeof setImmediate;
		setInterval: typeof setInterval;
		scheduler: typeof scheduler;
	};
	export default timers;
}
declare module "timers/promises" {
	export * from "node:timers/promises";
	export { default } from "node:timers/promises";
}
declare module "node:tty" {
	export function isatty(descriptor?: number): boolean;
	const tty: { isatty: typeof isatty };
	export default tty;
}
declare module "tty" {
	export * from "node:tty";
	export { default } from "node:tty";
}
declare module "node:url" {
	import type { Web } from "atoll:web";

	export const URL: Web["URL"];
	export type URL = globalThis.URL;
	export const URLSearchParams: Web["URLSearchParams"];
	export type URLSearchParams = globalThis.URLSearchParams;
	interface UrlParts {
		protocol?: string | null;
		slashes?: boolean | null;
		auth?: string | null;
		host?: string | null;
		hostname?: string | null;
		port?: string | number | null;
		pathname?: string | null;
		search?: string | null;
		query?: string | Record<string, unknown> | null;
		hash?: string | null;
	}
	/** What `parse` gives: the older API, which is no `URL`. */
	export class Url {
		protocol: string | null;
		slashes: boolean | null;
		auth: string | null;
		host: string | null;
		hostname: string | null;
		port: string | null;
		pathname: string | null;
		path: string | null;
		search: string | null;
		query: string | Record<string, string | string[] | undefined> | null;
		hash: string | null;
		href: string;
		format(): string;
	}
	export function parse(url: string, parseQuery?: boolean, slashesDenoteHost?: boolean): Url;
	export function format(url: UrlParts | string | globalThis.URL): string;
	export function resolve(from: string, to: string): string;
	export function resolveObject(from: string, to: string): Url;
	export function domainToASCII(domain: string): string;
	export function domainToUnicode(domain: string): string;
	export function fileURLToPath(url: string | globalThis.URL): string;
	export function pathToFileURL(path: string): globalThis.URL;
	export function urlToHttpOptions(url: globalThis.URL): Record<string, unknown>;
	const url: {
		URL: typeof URL;
		URLSearchParams: typeof URLSearchParams;
		Url: typeof Url;
		parse: typeof parse;
		format: typeof format;
		resolve: typeof resolve;
		resolveObject: typeof resolveObject;
		domainToASCII: typeof domainToASCII;
		domainToUnicode: typeof domainToUnicode;
		fileURLToPath: typeof fileURLToPath;
		pathToFileURL: typeof pathToFileURL;
		urlToHttpOptions: typeof urlToHttpOptions;
	};
	export default url;
}
declare module "url" {
	export * from "node:url";
	export { default } from "node:url";
}
declare module "node:util" {
	import type { Web } from "atoll:web";

	export type TextDecoder = globalThis.TextDecoder;
	export type TextEncoder = globalThis.TextEncoder;
	// biome-ignore lint/suspicious/noExplicitAny: any function may be wrapped.
	type Callable = (...args: any[]) => any;
	export interface InspectOptions {
		showHidden?: boolean;
		depth?: number | null;
		colors?: boolean;
		customInspect?: boolean;
		showProxy?: boolean;
		maxArrayLength?: number | null;
		maxStringLength?: number | null;
		breakLength?: number;
		compact?: boolean | number;
		sorted?: boolean | ((a: string, b: string) => number);
		getters?: boolean | "get" | "set";
		numericSeparator?: boolean;
	}
	/** https://nodejs.org/api/util.html#utilinspectobject-options */
	export const inspect: {
		(value: unknown, options?: InspectOptions): string;
		(value: unknown, showHidden?: boolean, depth?: number | null, colors?: boolean): string;
		readonly custom: unique symbol;
		defaultOptions: InspectOptions;
		colors: Record<string, [number, number]>;
		styles: Record<string, string>;
	};
	export function format(text?: unknown, ...values: unknown[]): string;
	export function formatWithOptions(options: InspectOptions, text?: unknown, ...values: unknown[]): string;
	export function stripVTControlCharacters(text: string): string;
	export function isDeepStrictEqual(one: unknown, other: unknown): boolean;
	type Promisified<F> = F extends (...args: [...infer A, (error: infer _E, result: infer R) => void]) => unknown
		? (...args: A) => Promise<R>
		: (...args: unknown[]) => Promise<unknown>;
	/** https://nodejs.org/api/util.html#utilpromisifyoriginal */
	export const promisify: {
		<F extends Callable>(original: F): Promisified<F>;
		readonly custom: unique symbol;
	};
	/** https://nodejs.org/api/util.html#utilcallbackifyoriginal */
	export function callbackify<A extends unknown[], R>(
		original: (...args: A) => Promise<R>,
	): (...args: [...A, (error: unknown, result: R) => void]) => void;
	export function inherits(child: Callable, parent: Callable): void;
	export function deprecate<F extends Callable>(callback: F, message: string, code?: string): F;
	/** Says nothing: there is no NODE_DEBUG. */
	export function debuglog(
		section: string,
	): ((text: string, ...values: unknown[]) => void) & { readonly enabled: boolean };
	export function toUSVString(text: unknown): string;
	export function isArray(value: unknown): value is unknown[];
	/** Text with the escape codes of a terminal's style, for a name of `util.inspect.colors`, or several. */
	export function styleText(format: string | string[], text: string): string;
	/** https://nodejs.org/api/util.html#utilabortedsignal-resource */
	export function aborted(signal: AbortSignal, resource?: object): Promise<void>;
	export const TextDecoder: Web["TextDecoder"];
	export const TextEncoder: Web["TextEncoder"];
	export const types: typeof import("node:util/types").default;
	/** https://nodejs.org/api/util.html#class-utilmimeparams */
	export class MIMEParams {
		get(name: string): string | null;
		has(name: string): boolean;
		set(name: string, value: string): void;
		delete(name: string): void;
		entries(): IterableIterator<[string, string]>;
		keys(): IterableIterator<string>;
		values(): IterableIterator<string>;
		[Symbol.iterator](): IterableIterator<[string, string]>;
		toString(): string;
		toJSON(): string;
	}
	/** https://nodejs.org/api/util.html#class-utilmimetype */
	export class MIMEType {
		constructor(input: string);
		type: string;
		subtype: string;
		readonly essence: string;
		readonly params: MIMEParams;
		toString(): string;
		toJSON(): string;
	}
	interface ParseArgsConfig {
		/** Default: none, as a function is started with none. */
		args?: string[];
		options?: Record<
			string,
			{
				type: "string" | "boolean";
				short?: string;
				multiple?: boolean;
				default?: string | boolean | (string | boolean)[];
			}
		>;
		strict?: boolean;
		allowPositionals?: boolean;
		allowNegative?: boolean;
		tokens?: boolean;
	}
	/** https://nodejs.org/api/util.html#utilparseargsconfig */
	export function parseArgs(config?: ParseArgsConfig): {
		values: Record<string, string | boolean | (string | boolean)[] | undefined>;
		positionals: string[];
		tokens?: object[];
	};
	const util: {
		aborted: typeof aborted;
		callbackify: typeof callbackify;
		debug: typeof debuglog;
		debuglog: typeof debuglog;
		deprecate: typeof deprecate;
		format: typeof format;
		formatWithOptions: typeof formatWithOptions;
		inherits: typeof inherits;
		inspect: typeof inspect;
		isArray: typeof isArray;
		isDeepStrictEqual: typeof isDeepStrictEqual;
		MIMEParams: typeof MIMEParams;
		MIMEType: typeof MIMEType;
		parseArgs: typeof parseArgs;
		promisify: typeof promisify;
		stripVTControlCharacters: typeof stripVTControlCharacters;
		styleText: typeof styleText;
		TextDecoder: typeof TextDecoder;
		TextEncoder: typeof TextEncoder;
		toUSVString: typeof toUSVString;
		types: typeof types;
	};
	export default util;
}
declare module "util" {
	export * from "node:util";
	export { default } from "node:util";
}
declare module "node:util/types" {
	export function isAnyArrayBuffer(value: unknown): value is ArrayBufferLike;
	export function isArgumentsObject(value: unknown): boolean;
	export function isArrayBuffer(value: unknown): value is ArrayBuffer;
	export function isArrayBufferView(value: unknown): value is ArrayBufferView;
	export function isAsyncFunction(value: unknown): boolean;
	export function isBigInt64Array(value: unknown): value is BigInt64Array;
	export function isBigIntObject(value: unknown): boolean;
	export function isBigUint64Array(value: unknown): value is BigUint64Array;
	export function isBooleanObject(value: unknown): boolean;
	export function isBoxedPrimitive(value: unknown): boolean;
	export function isCryptoKey(value: unknown): value is CryptoKey;
	export function isDataView(value: unknown): value is DataView;
	export function isDate(value: unknown): value is Date;
	export function isExternal(value: unknown): boolean;
	export function isFloat32Array(value: unknown): value is Float32Array;
	export function isFloat64Array(value: unknown): value is Float64Array;
	export function isGeneratorFunction(value: unknown): boolean;
	export function isGeneratorObject(value: unknown): boolean;
	export function isInt16Array(value: unknown): value is Int16Array;
	export function isInt32Array(value: unknown): value is Int32Array;
	export function isInt8Array(value: unknown): value is Int8Array;
	export function isKeyObject(value: unknown): boolean;
	export function isMap(value: unknown): value is Map<unknown, unknown>;
	export function isMapIterator(value: unknown): boolean;
	export function isModuleNamespaceObject(value: unknown): boolean;
	export function isNativeError(value: unknown): value is Error;
	export function isNumberObject(value: unknown): boolean;
	export function isPromise(value: unknown): value is Promise<unknown>;
	export function isProxy(value: unknown): boolean;
	export function isRegExp(value: unknown): value is RegExp;
	export function isSet(value: unknown): value is Set<unknown>;
	export function isSetIterator(value: unknown): boolean;
	export function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer;
	export function isStringObject(value: unknown): boolean;
	export function isSymbolObject(value: unknown): boolean;
	export function isTypedArray(value: unknown): boolean;
	export function isUint16Array(value: unknown): value is Uint16Array;
	export function isUint32Array(value: unknown): value is Uint32Array;
	export function isUint8Array(value: unknown): value is Uint8Array;
	export function isUint8ClampedArray(value: unknown): value is Uint8ClampedArray;
	export function isWeakMap(value: unknown): value is WeakMap<object, unknown>;
	export function isWeakSet(value: unknown): value is WeakSet<object>;
	const types: {
		isAnyArrayBuffer: typeof isAnyArrayBuffer;
		isArgumentsObject: typeof isArgumentsObject;
		isArrayBuffer: typeof isArrayBuffer;
		isArrayBufferView: typeof isArrayBufferView;
		isAsyncFunction: typeof isAsyncFunction;
		isBigInt64Array: typeof isBigInt64Array;
		isBigIntObject: typeof isBigIntObject;
		isBigUint64Array: typeof isBigUint64Array;
		isBooleanObject: typeof isBooleanObject;
		isBoxedPrimitive: typeof isBoxedPrimitive;
		isCryptoKey: typeof isCryptoKey;
		isDataView: typeof isDataView;
		isDate: typeof isDate;
		isExternal: typeof isExternal;
		isFloat32Array: typeof isFloat32Array;
		isFloat64Array: typeof isFloat64Array;
		isGeneratorFunction: typeof isGeneratorFunction;
		isGeneratorObject: typeof isGeneratorObject;
		isInt16Array: typeof isInt16Array;
		isInt32Array: typeof isInt32Array;
		isInt8Array: typeof isInt8Array;
		isKeyObject: typeof isKeyObject;
		isMap: typeof isMap;
		isMapIterator: typeof isMapIterator;
		isModuleNamespaceObject: typeof isModuleNamespaceObject;
		isNativeError: typeof isNativeError;
		isNumberObject: typeof isNumberObject;
		isPromise: typeof isPromise;
		isProxy: typeof isProxy;
		isRegExp: typeof isRegExp;
		isSet: typeof isSet;
		isSetIterator: typeof isSetIterator;
		isSharedArrayBuffer: typeof isSharedArrayBuffer;
		isStringObject: typeof isStringObject;
		isSymbolObject: typeof isSymbolObject;
		isTypedArray: typeof isTypedArray;
		isUint16Array: typeof isUint16Array;
		isUint32Array: typeof isUint32Array;
		isUint8Array: typeof isUint8Array;
		isUint8ClampedArray: typeof isUint8ClampedArray;
		isWeakMap: typeof isWeakMap;
		isWeakSet: typeof isWeakSet;
	};
	export default types;
}
declare module "util/types" {
	export * from "node:util/types";
	export { default } from "node:util/types";
}
declare module "node:zlib" {
	import type { Buffer } from "node:buffer";
	import { Transform } from "node:stream";

	type Bytes = string | ArrayBuffer | ArrayBufferView;
	export interface ZlibOptions {
		flush?: number;
		finishFlush?: number;
		chunkSize?: number;
		windowBits?: number;
		level?: number;
		memLevel?: number;
		strategy?: number;
		dictionary?: ArrayBuffer | ArrayBufferView;
		/** Of what is done at once, not in a stream. */
		maxOutputLength?: number;
	}
	type Callback = (error: Error | null, result: Buffer) => void;
	class ZlibBase extends Transform {
		constructor(options?: ZlibOptions);
		readonly bytesWritten: number;
		flush(kind?: number, callback?: () => void): void;
		flush(callback: () => void): void;
		close(callback?: () => void): void;
	}
	export class Deflate extends ZlibBase {}
	export class DeflateRaw extends ZlibBase {}
	export class Gunzip extends ZlibBase {}
	export class Gzip extends ZlibBase {}
	export class Inflate extends ZlibBase {}
	export class InflateRaw extends ZlibBase {}
	export class Unzip extends ZlibBase {}
	export function createDeflate(options?: ZlibOptions): Deflate;
	export function createDeflateRaw(options?: ZlibOptions): DeflateRaw;
	export function createGunzip(options?: ZlibOptions): Gunzip;
	export function createGzip(options?: ZlibOptions): Gzip;
	export function createInflate(options?: ZlibOptions): Inflate;
	export function createInflateRaw(options?: ZlibOptions): InflateRaw;
	export function createUnzip(options?: ZlibOptions): Unzip;
	export function deflate(data: Bytes, done: Callback): void;
	export function deflate(data: Bytes, options: ZlibOptions, done: Callback): void;
	export function deflateSync(data: Bytes, options?: ZlibOptions): Buffer;
	export function deflateRaw(data: Bytes, done: Callback): void;
	export function deflateRaw(data: Bytes, options: ZlibOptions, done: Callback): void;
	export function deflateRawSync(data: Bytes, options?: ZlibOptions): Buffer;
	export function gunzip(data: Bytes, done: Callback): void;
	export function gunzip(data: Bytes, options: ZlibOptions, done: Callback): void;
	export function gunzipSync(data: Bytes, options?: ZlibOptions): Buffer;
	export function gzip(data: Bytes, done: Callback): void;
	export function gzip(data: Bytes, options: ZlibOptions, done: Callback): void;
	export function gzipSync(data: Bytes, options?: ZlibOptions): Buffer;
	export function inflate(data: Bytes, done: Callback): void;
	export function inflate(data: Bytes, options: ZlibOptions, done: Callback): void;
	export function inflateSync(data: Bytes, options?: ZlibOptions): Buffer;
	export function inflateRaw(data: Bytes, done: Callback): void;
	export function inflateRaw(data: Bytes, options: ZlibOptions, done: Callback): void;
	export function inflateRawSync(data: Bytes, options?: ZlibOptions): Buffer;
	export function unzip(data: Bytes, done: Callback): void;
	export function unzip(data: Bytes, options: ZlibOptions, done: Callback): void;
	export function unzipSync(data: Bytes, options?: ZlibOptions): Buffer;
	export const constants: Record<string, number>;
	export const codes: Record<string, number | string>;
	export function crc32(data: Bytes, value?: number): number;
	const zlib: {
		codes: typeof codes;
		constants: typeof constants;
		crc32: typeof crc32;
		Deflate: typeof Deflate;
		createDeflate: typeof createDeflate;
		DeflateRaw: typeof DeflateRaw;
		createDeflateRaw: typeof createDeflateRaw;
		Gunzip: typeof Gunzip;
		createGunzip: typeof createGunzip;
		Gzip: typeof Gzip;
		createGzip: typeof createGzip;
		Inflate: typeof Inflate;
		createInflate: typeof createInflate;
		InflateRaw: typeof InflateRaw;
		createInflateRaw: typeof createInflateRaw;
		Unzip: typeof Unzip;
		createUnzip: typeof createUnzip;
		deflate: typeof deflate;
		deflateSync: typeof deflateSync;
		deflateRaw: typeof deflateRaw;
		deflateRawSync: typeof deflateRawSync;
		gunzip: typeof gunzip;
		gunzipSync: typeof gunzipSync;
		gzip: typeof gzip;
		gzipSync: typeof gzipSync;
		inflate: typeof inflate;
		inflateSync: typeof inflateSync;
		inflateRaw: typeof inflateRaw;
		inflateRawSync: typeof inflateRawSync;
		unzip: typeof unzip;
		unzipSync: typeof unzipSync;
	};
	export default zlib;
}
declare module "zlib" {
	export * from "node:zlib";
	export { default } from "node:zlib";
}
/** https://developers.cloudflare.com/workers/runtime-apis/bindings/#importing-env-as-a-global */
declare module "cloudflare:workers" {
	import type { ExecutionContext } from "atoll-edge/types";

	/** What a function's configuration gives it, also outside of a request. Declare its members in `Cloudflare.Env`. */
	export const env: Cloudflare.Env;
	/** Calls a function for which `env` is another one until it returns: what it awaits has the one before. */
	export function withEnv<T>(env: object, call: () => T): T;
	/** `ctx.waitUntil` of the request that is being handled. Throws outside of one. */
	export function waitUntil(promise: Promise<unknown>): void;
	/** The function's own entrypoints: what it exports as default, and classes that it exports by their names. */
	export const exports: Cloudflare.Exports;
	/** The base class of a handler that is a class, and of whatever has methods that other functions call. */
	export class WorkerEntrypoint<Env = Cloudflare.Env, Props = Record<string, unknown>> {
		constructor(ctx: ExecutionContext<Props>, env: Env);
		protected readonly ctx: ExecutionContext<Props>;
		protected readonly env: Env;
	}
	/** The base class of objects of which whoever calls a function gets stubs, and no copies. */
	export class RpcTarget {
		/** Tells them from other objects; there is no such property. */
		private readonly isRpcTarget: never;
	}
}
/** https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/ */
declare module "cloudflare:sockets" {
	interface SocketAddress {
		hostname: string;
		port: number;
	}
	interface SocketOptions {
		/** TLS from the start, never, or by `startTls()`. Default: `"off"`. */
		secureTransport?: "off" | "on" | "starttls";
		/** Whether the function may send on when the other side has ended. Default: false. */
		allowHalfOpen?: boolean;
	}
	interface Socket {
		readonly readable: ReadableStream<Uint8Array>;
		readonly writable: WritableStream<ArrayBuffer | ArrayBufferView>;
		readonly opened: Promise<{ remoteAddress: string; localAddress: null }>;
		readonly closed: Promise<void>;
		readonly secureTransport: "off" | "on" | "starttls";
		readonly upgraded: boolean;
		/** Closes it in both directions, once what was written has left. */
		close(): Promise<void>;
		/** Gives a socket that goes on with this one's connection, under TLS. */
		startTls(options?: { expectedServerHostname?: string }): Socket;
	}
	/** Connects to where `fetch` may go; `host:port`, or both apart. */
	export function connect(address: string | SocketAddress, options?: SocketOptions): Socket;
	const sockets: { connect: typeof connect };
	export default sockets;
}
declare namespace Cloudflare {
	/** For a function to say what its `env` has, by a declaration of its own that is merged with this one. */
	interface Env {
		readonly [name: string]: unknown;
	}
	/** For a function to say what it exports, in the same way. */
	interface Exports {
		readonly default: import("atoll-edge/types").LoopbackStub;
		readonly [name: string]: import("atoll-edge/types").LoopbackStub;
	}
}

// Globals of Node's, each bundled where a function names it.

declare var Buffer: typeof import("node:buffer").Buffer;
declare type Buffer = import("node:buffer").Buffer;
declare var process: typeof import("node:process").default;
declare var setImmediate: typeof import("node:timers").setImmediate;
declare var clearImmediate: typeof import("node:timers").clearImmediate;
declare var global: typeof globalThis;
