import { DOMException } from "../errors/dom-exception.ts";
import { errorType } from "../errors/error-types.ts";
import { blobBytes, createBlob, File, isBlob } from "../fetch/blob.ts";
import { requireArguments, toDictionary } from "../interface.ts";
import { ReadableStream, TransformStream, WritableStream } from "../streams/streams.ts";

/**
 * https://html.spec.whatwg.org/#dom-structuredclone, by the steps of StructuredSerializeInternal and
 * StructuredDeserialize, done in one walk since both ends are in the same realm.
 */
export function structuredClone(value: unknown, options?: unknown): unknown {
	requireArguments(arguments.length, 1, "structuredClone");
	return cloneAndTransfer(value, transferList(options, "structuredClone")).clone;
}

/** The `transfer` of StructuredSerializeOptions: https://html.spec.whatwg.org/#structuredserializeoptions */
export function transferList(options: unknown, where: string): unknown[] {
	const { transfer } = toDictionary(options, where);
	return transfer === undefined ? [] : [...(transfer as Iterable<unknown>)];
}

/**
 * https://html.spec.whatwg.org/#structuredserializewithtransfer and back: the clone, and what took the place of each
 * that was moved.
 */
export function cloneAndTransfer(value: unknown, transferred: unknown[]): { clone: unknown; moved: unknown[] } {
	const seen = new Map<object, unknown>();
	for (const item of transferred) {
		if (!(item instanceof ArrayBuffer) && transferOf(item) === undefined)
			throw cannot("an object in the transfer list is not transferable");
		if (item instanceof ArrayBuffer && item.detached) throw cannot("an ArrayBuffer in the transfer list is detached");
		if (seen.has(item as object)) throw cannot("an object stands twice in the transfer list");
		seen.set(item as object, null);
	}
	seen.clear();
	for (const item of transferred) {
		const transfer = transferOf(item);
		if (transfer !== undefined) seen.set(item as object, transfer(item as object));
	}
	// What is to be moved is cloned like the rest first, so that an error on the way leaves it untouched.
	const result = clone(value, seen);
	for (const item of transferred) if (item instanceof ArrayBuffer) item.transfer();
	return { clone: result, moved: transferred.map((item) => seen.get(item as object)) };
}

/** Interfaces whose objects can be moved, or copied, with how that is done; whoever defines one registers it. */
const TRANSFERABLE: [is: (value: unknown) => boolean, transfer: (value: object) => object][] = [];
const SERIALIZABLE: [is: (value: unknown) => boolean, copy: (value: object) => object][] = [];

export function defineTransferable(is: (value: unknown) => boolean, transfer: (value: never) => object): void {
	TRANSFERABLE.push([is, transfer as (value: object) => object]);
}
export function defineSerializable(is: (value: unknown) => boolean, copy: (value: never) => object): void {
	SERIALIZABLE.push([is, copy as (value: object) => object]);
}

function transferOf(value: unknown): ((value: object) => object) | undefined {
	return TRANSFERABLE.find(([is]) => is(value))?.[1];
}

// https://streams.spec.whatwg.org/#rs-transfer and its like: the original is piped into what takes its place.
defineTransferable(
	(value) => value instanceof ReadableStream,
	(stream: ReadableStream) => {
		if (stream.locked) throw cannot("a locked ReadableStream cannot be transferred");
		return stream.pipeThrough(new TransformStream());
	},
);
defineTransferable(
	(value) => value instanceof WritableStream,
	(stream: WritableStream) => {
		if (stream.locked) throw cannot("a locked WritableStream cannot be transferred");
		const { readable, writable } = new TransformStream();
		void readable.pipeTo(stream).catch(() => undefined);
		return writable;
	},
);
defineTransferable(
	(value) => value instanceof TransformStream,
	({ readable, writable }: TransformStream) => {
		if (readable.locked || writable.locked) throw cannot("a locked TransformStream cannot be transferred");
		const [into, out] = [new TransformStream(), new TransformStream()];
		void into.readable.pipeTo(writable).catch(() => undefined);
		void readable.pipeTo(out.writable).catch(() => undefined);
		const moved = Object.create(TransformStream.prototype) as object;
		return Object.defineProperties(moved, {
			readable: { value: out.readable },
			writable: { value: into.writable },
		});
	},
);

function cloneException(value: DOMException): DOMException {
	if (value.name !== "QuotaExceededError") return new DOMException(value.message, value.name);
	const { QuotaExceededError } =
		require("../errors/quota-exceeded-error.ts") as typeof import("../errors/quota-exceeded-error.ts");
	if (!(value instanceof QuotaExceededError)) return new DOMException(value.message, value.name);
	const { message, quota, requested } = value;
	return new QuotaExceededError(message, { quota: quota ?? undefined, requested: requested ?? undefined });
}

function cannot(what: string): DOMException {
	return new DOMException(`structuredClone: ${what}`, "DataCloneError");
}

/** What an object is, by its tag. */
export const typeOf = (value: object) => Object.prototype.toString.call(value).slice(8, -1);

function clone(value: unknown, seen: Map<object, unknown>): unknown {
	if (typeof value === "symbol") throw cannot(`${value.toString()} could not be cloned`);
	if (typeof value === "function") throw cannot(`${value.name === "" ? "a function" : value.name} could not be cloned`);
	if (typeof value !== "object" || value === null) return value;
	if (seen.has(value)) return seen.get(value);
	const remember = <T>(copy: T): T => {
		seen.set(value, copy);
		return copy;
	};
	if (value instanceof Boolean || value instanceof Number || value instanceof String)
		return remember(Object(value.valueOf()));
	if (typeof BigInt !== "undefined" && value instanceof BigInt) return remember(Object(value.valueOf()));
	if (value instanceof Symbol) throw cannot("a symbol could not be cloned");
	if (value instanceof Date) return remember(new Date(value.getTime()));
	if (value instanceof RegExp) return remember(new RegExp(value.source, value.flags));
	if (value instanceof ArrayBuffer) {
		if (value.detached) throw cannot("a detached ArrayBuffer could not be cloned");
		if (!value.resizable) return remember(value.slice(0));
		const copy = new ArrayBuffer(value.byteLength, { maxByteLength: value.maxByteLength });
		new Uint8Array(copy).set(new Uint8Array(value));
		return remember(copy);
	}
	if (ArrayBuffer.isView(value)) {
		const view = value as Uint8Array;
		const buffer = clone(view.buffer, seen) as ArrayBuffer;
		const Constructor = (value instanceof DataView ? DataView : TYPED[typeOfView(value)]) as new (
			b: ArrayBuffer,
			o: number,
			l?: number,
		) => unknown;
		return remember(
			new Constructor(buffer, view.byteOffset, value instanceof DataView ? value.byteLength : view.length),
		);
	}
	if (value instanceof Map) {
		const copy = remember(new Map());
		for (const [key, item] of [...value]) copy.set(clone(key, seen), clone(item, seen));
		return copy;
	}
	if (value instanceof Set) {
		const copy = remember(new Set());
		for (const item of [...value]) copy.add(clone(item, seen));
		return copy;
	}
	if (value instanceof DOMException) return remember(cloneException(value));
	if (value instanceof Error) return cloneError(value, seen);
	if (isBlob(value)) {
		const copy = createBlob(blobBytes(value), value.type);
		if (!(value instanceof File)) return remember(copy);
		return remember(new File([copy], value.name, { type: value.type, lastModified: value.lastModified }));
	}
	const serializable = SERIALIZABLE.find(([is]) => is(value));
	if (serializable !== undefined) return remember(serializable[1](value));
	if (Array.isArray(value)) {
		const copy: unknown[] = remember(new Array(value.length));
		return cloneProperties(value, copy, seen);
	}
	const kind = uncloneable(value);
	if (kind !== null) throw cannot(`${kind} could not be cloned`);
	return cloneProperties(value, remember({}), seen);
}

const typedArrayName = Object.getOwnPropertyDescriptor(
	Object.getPrototypeOf(Uint8Array.prototype) as object,
	Symbol.toStringTag,
)?.get as () => string;

/** The name of a view's type, by what it is and not by what it says. */
export function typeOfView(view: ArrayBufferView): string {
	return view instanceof DataView ? "DataView" : typedArrayName.call(view);
}

/** The types of typed arrays, by their names. */
export const TYPED: Record<string, unknown> = Object.fromEntries(
	[
		Int8Array,
		Uint8Array,
		Uint8ClampedArray,
		Int16Array,
		Uint16Array,
		Int32Array,
		Uint32Array,
		Float16Array,
		Float32Array,
		Float64Array,
		BigInt64Array,
		BigUint64Array,
	].map((type) => [type.name, type]),
);
const UNCLONEABLE = new Set([
	"Promise",
	"WeakMap",
	"WeakSet",
	"WeakRef",
	"Generator",
	"AsyncGenerator",
	"FinalizationRegistry",
]);

/** What an object is that nothing can stand for elsewhere; `null` where its properties do. */
export function uncloneable(value: object): string | null {
	const kind = typeOf(value);
	if (!UNCLONEABLE.has(kind) && !isPlatformObject(value)) return null;
	return `${kind === "Object" ? value.constructor?.name : kind} object`;
}

/** Objects of this platform's interfaces that are not serialisable: told by the tag their class's prototype carries. */
function isPlatformObject(value: object): boolean {
	const prototype = Object.getPrototypeOf(value) as object | null;
	if (prototype === null || prototype === Object.prototype) return false;
	for (let at: object | null = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
		const name = Object.getOwnPropertyDescriptor(at, Symbol.toStringTag)?.value as unknown;
		if (typeof name !== "string" || name === "" || name.endsWith("Iterator")) continue;
		if ((globalThis as Record<string, unknown>)[name] === at.constructor && name !== "Object") return true;
	}
	return false;
}

function cloneProperties(from: object, to: object, seen: Map<object, unknown>): unknown {
	for (const key of Object.keys(from)) {
		if (!Object.hasOwn(from, key)) continue;
		const item = clone((from as Record<string, unknown>)[key], seen);
		Object.defineProperty(to, key, { value: item, writable: true, enumerable: true, configurable: true });
	}
	return to;
}

function cloneError(error: Error, seen: Map<object, unknown>): Error {
	const name = `${error.name}`;
	const real = Reflect.construct(Error, [], errorType(name)) as Error;
	seen.set(error, real);
	const hidden = (key: string, value: unknown) =>
		Object.defineProperty(real, key, { value, writable: true, enumerable: false, configurable: true });
	const message = Object.getOwnPropertyDescriptor(error, "message");
	if (message !== undefined && Object.hasOwn(message, "value")) hidden("message", `${message.value as string}`);
	const { stack } = error;
	if (typeof stack === "string") hidden("stack", stack);
	if (Object.hasOwn(error, "cause")) hidden("cause", clone(error.cause, seen));
	return real;
}
