import { concatBytes, copyBytes, encodeUtf8 } from "../encoding/bytes.ts";
import { DOMException } from "../errors/dom-exception.ts";
import { blobBytes, File, isBlob } from "../fetch/blob.ts";
import { Body } from "../fetch/body.ts";
import { Headers, headerList } from "../fetch/headers.ts";
import { Request, requestState } from "../fetch/request.ts";
import { responseState } from "../fetch/response.ts";
import { quote, quoteList } from "../json.ts";
import { typeOf, typeOfView, uncloneable } from "../messaging/structured-clone.ts";
import { ReadableStream, WritableStream } from "../streams/streams.ts";
import type { Targets } from "./targets.ts";

const { RpcTarget } = require("../entrypoints/base-classes.ts") as typeof import("../entrypoints/base-classes.ts");

/*
 * A value on its way from one isolate to another. The body that carries it begins with a line of JSON: a list of the
 * value itself, the lengths of the pieces of bytes that come after the line, how many streams come after these, and
 * whether the last of those is what targets answer by (`targets.ts`).
 * In the value a record stands for a plain object, and a list for whatever JSON has no form for, of which it says
 * first what that is. Objects are counted as they begin, by which one that comes again is named.
 */

/**
 * Whatever structuredClone takes, and streams, headers, requests and responses; and functions and `RpcTarget`s as well,
 * where there are `targets` to keep them. Throws DataCloneError.
 */
export function encode(value: unknown, targets: Targets | null = null): Body {
	const encoder = new Encoder(targets);
	const text = encoder.encode(value);
	const { parts, streams } = encoder;
	const answers = targets === null ? null : targets.begin();
	if (answers !== null) streams.push(answers);
	let lengths = "";
	for (let i = 0; i < parts.length; i++) lengths += i === 0 ? `${parts[i].length}` : `,${parts[i].length}`;
	const line = `[${text},[${lengths}],${streams.length},${answers === null ? 0 : 1}]\n`;
	if (parts.length === 0 && streams.length === 0) return new Body(line, null);
	const whole = concatBytes([encodeUtf8(line), ...parts]);
	if (streams.length === 0) return new Body(whole, null);
	const { multiplex } = require("./multiplex.ts") as typeof import("./multiplex.ts");
	return new Body(null, multiplex(whole, streams));
}

class Encoder {
	readonly parts: Uint8Array[] = [];
	readonly streams: ReadableStream[] = [];
	readonly #seen = new Map<object, number>();
	readonly #targets: Targets | null;

	constructor(targets: Targets | null) {
		this.#targets = targets;
	}

	encode(value: unknown): string {
		switch (typeof value) {
			case "string":
				return quote(value);
			case "number":
				return encodeNumber(value);
			case "boolean":
				return value ? "true" : "false";
			case "undefined":
				return '["u"]';
			case "bigint":
				return `["i","${value}"]`;
			case "object":
				return value === null ? "null" : this.#object(value);
			case "function":
				return this.#object(value);
			default:
				throw cannot("a symbol");
		}
	}

	#object(value: object): string {
		const known = this.#seen.get(value);
		if (known !== undefined) return `["r",${known}]`;
		this.#seen.set(value, this.#seen.size);
		if (typeof value === "function") return this.#target(value, "a function");
		if (Array.isArray(value)) return this.#list(value);
		const prototype: unknown = Object.getPrototypeOf(value);
		if (prototype === Object.prototype || prototype === null) return this.#record(value);
		return this.#builtIn(value) ?? this.#ofPlatform(value) ?? this.#plain(value);
	}

	#record(value: object): string {
		let text = "";
		for (const key of Object.keys(value)) {
			if (!Object.hasOwn(value, key)) continue; // A getter may have removed it.
			text += `${text === "" ? "" : ","}${quote(key)}:${this.encode((value as Record<string, unknown>)[key])}`;
		}
		return `{${text}}`;
	}

	/** One with holes, or with properties of other names, as its length and a record. */
	#list(value: unknown[]): string {
		const keys = Object.keys(value);
		const { length } = value;
		if (keys.length !== length || (length > 0 && keys[length - 1] !== `${length - 1}`))
			return `["A",${length},${this.#record(value)}]`;
		let text = "";
		for (let i = 0; i < length; i++) text += `${i === 0 ? "" : ","}${this.encode(value[i])}`;
		return `["a",[${text}]]`;
	}

	#builtIn(value: object): string | null {
		if (value instanceof Date) return `["d",${encodeNumber(value.getTime())}]`;
		if (value instanceof Map) {
			let text = "";
			for (const [key, item] of [...value]) text += `,${this.encode(key)},${this.encode(item)}`;
			return `["m"${text}]`;
		}
		if (value instanceof Set) {
			let text = "";
			for (const item of [...value]) text += `,${this.encode(item)}`;
			return `["s"${text}]`;
		}
		if (value instanceof RegExp) return `["x",${quote(value.source)},${quote(value.flags)}]`;
		if (value instanceof ArrayBuffer) {
			if (value.detached) throw cannot("a detached ArrayBuffer");
			return `["b",${this.#part(copyBytes(value))},${value.resizable ? value.maxByteLength : -1}]`;
		}
		if (ArrayBuffer.isView(value)) {
			const { buffer, byteOffset } = value;
			const length = value instanceof DataView ? value.byteLength : (value as Uint8Array).length;
			return `["v",${quote(typeOfView(value))},${this.encode(buffer)},${byteOffset},${length}]`;
		}
		if (value instanceof DOMException) return `["D",${quote(value.name)},${quote(value.message)}]`;
		if (value instanceof Error) return this.#error(value);
		if (value instanceof Boolean || value instanceof Number || value instanceof String || value instanceof BigInt)
			return `["w",${this.encode(value.valueOf())}]`;
		return null;
	}

	#error(error: Error): string {
		const message = Object.getOwnPropertyDescriptor(error, "message")?.value as unknown;
		const { stack } = error;
		const cause = Object.hasOwn(error, "cause") ? `,${this.encode(error.cause)}` : "";
		const text = message === undefined ? "null" : quote(`${message as string}`);
		return `["e",${quote(`${error.name}`)},${text},${typeof stack === "string" ? quote(stack) : "null"}${cause}]`;
	}

	#ofPlatform(value: object): string | null {
		if (isBlob(value)) {
			const bytes = this.#part(blobBytes(value));
			const file = value instanceof File ? `,${quote(value.name)},${encodeNumber(value.lastModified)}` : "";
			return `["f",${bytes},${quote(value.type)}${file}]`;
		}
		if (value instanceof Headers) return `["H",${quoteList(headerList({ headers: value }))}]`;
		if (value instanceof Request) {
			const state = requestState(value);
			const { method, url, body, options } = state;
			const headers = quoteList(headerList(state));
			return `["Q",${quote(method)},${quote(url)},${headers},${quote(options.redirect)},${this.#body(body)}]`;
		}
		const response = responseState(value);
		if (response !== null) {
			const { status, statusText, body, origin } = response;
			if (origin.webSocket !== null) throw cannot("a Response with a WebSocket");
			if (status === 0) throw cannot("a Response that stands for an error");
			const headers = quoteList(headerList(response));
			return `["P",${status},${quote(statusText)},${headers},${quote(origin.url)},${this.#body(body)}]`;
		}
		if (value instanceof ReadableStream) return `["R",${this.#stream(value)}]`;
		return null;
	}

	/** Whatever else structuredClone would take: it is copied as an object of its properties. */
	#plain(value: object): string {
		if (value instanceof RpcTarget) return this.#target(value, "an RpcTarget");
		if (value instanceof WritableStream) throw cannot("a WritableStream");
		const kind = uncloneable(value) ?? (typeOf(value) === "Fetcher" ? "a service" : null);
		if (kind !== null) throw cannot(kind);
		return this.#record(value);
	}

	/** What stays here, and has a stub elsewhere. */
	#target(value: object, kind: string): string {
		if (this.#targets === null) throw cannot(kind);
		return `["F",${this.#targets.add(value)}]`;
	}

	/** The bytes of a body by their number, a stream by one below zero; it counts as read from then on. */
	#body(body: Body | null): string {
		if (body === null) return "null";
		if (body.unusable) throw new TypeError("Body is unusable: it has already been read, or its stream is locked");
		const source = body.take();
		if (source === null) return `${-1 - this.#stream(body.stream)}`;
		return `${this.#part(typeof source === "string" ? encodeUtf8(source) : source)}`;
	}

	#part(bytes: Uint8Array): number {
		return this.parts.push(bytes) - 1;
	}

	#stream(stream: ReadableStream): number {
		if (stream.locked) throw cannot("a locked ReadableStream");
		return this.streams.push(stream) - 1;
	}
}

function encodeNumber(value: number): string {
	return Number.isFinite(value) && !Object.is(value, -0)
		? `${value}`
		: `["n","${Object.is(value, -0) ? "-0" : value}"]`;
}

function cannot(what: string): DOMException {
	const message = `${what} cannot be handed to another function: only what structuredClone takes, a ReadableStream of bytes, Headers, a Request or a Response`;
	return new DOMException(message, "DataCloneError");
}
