import { DOMException } from "../errors/dom-exception.ts";
import { errorType } from "../errors/error-types.ts";
import { type Blob, createBlob, File } from "../fetch/blob.ts";
import { Body } from "../fetch/body.ts";
import { Headers } from "../fetch/headers.ts";
import { Request } from "../fetch/request.ts";
import { createResponse } from "../fetch/response.ts";
import { TYPED } from "../messaging/structured-clone.ts";
import type { ReadableStream } from "../streams/streams.ts";
import { Incoming } from "./incoming.ts";

/** Makes stubs of what has stayed where it is. */
interface StubMaker {
	/** Where the targets answer, told with the first that there are. */
	begin(answers: ReadableStream): void;
	stubOf(number: number): object;
}

/** What came out of `encode`: see there. It has come from another isolate, where it may have been made by anything. */
export async function decode(body: Body, stubs: StubMaker | null): Promise<unknown> {
	const incoming = new Incoming(body);
	const line = JSON.parse(await incoming.line()) as [unknown, number[], number, number];
	if (!Array.isArray(line) || !Array.isArray(line[1])) throw malformed();
	const lengths = line[1];
	const parts: ArrayBuffer[] = [];
	for (let i = 0; i < lengths.length; i++) parts.push((await incoming.take(lengths[i])).buffer);
	const streams = line[2] === 0 ? [] : streamsOf(incoming, line[2]);
	if (streams.length === 0) incoming.cancel();
	const answers = line[3] === 1 ? streams.pop() : undefined;
	if (answers !== undefined && stubs !== null) stubs.begin(answers);
	return new Decoder(parts, streams, stubs).decode(line[0]);
}

function streamsOf(incoming: Incoming, count: number): ReadableStream[] {
	const { demultiplex } = require("./demultiplex.ts") as typeof import("./demultiplex.ts");
	return demultiplex(incoming, count);
}

type Node = readonly unknown[];

class Decoder {
	readonly #parts: ArrayBuffer[];
	readonly #streams: ReadableStream[];
	readonly #stubs: StubMaker | null;
	/** In the order in which they began. */
	readonly #objects = new Map<number, unknown>();

	constructor(parts: ArrayBuffer[], streams: ReadableStream[], stubs: StubMaker | null) {
		this.#stubs = stubs;
		this.#parts = parts;
		this.#streams = streams;
	}

	decode(node: unknown): unknown {
		if (typeof node !== "object" || node === null) return node;
		if (!Array.isArray(node)) return this.#fill(this.#keep(node), node);
		const [kind, first] = node as [string, unknown];
		switch (kind) {
			case "u":
				return undefined;
			case "n":
				return Number(first);
			case "i":
				return BigInt(first as string);
			case "r":
				return this.#objects.get(first as number);
			case "a":
				return this.#list(first as unknown[]);
			case "A":
				return this.#sparse(first as number, node[2] as Record<string, unknown>);
			case "m":
				return this.#map(node);
			case "s":
				return this.#set(node);
			case "e":
				return this.#error(node);
			default: {
				const place = this.#objects.size;
				this.#objects.set(place, undefined);
				const value = this.#built(kind, node);
				this.#objects.set(place, value);
				return value;
			}
		}
	}

	#keep<T>(value: T): T {
		this.#objects.set(this.#objects.size, value);
		return value;
	}

	/**
	 * Puts what the properties of a record stand for into an object. JSON has made the record, each of whose properties
	 * is its own whatever its name is.
	 */
	#fill(object: object, record: object): object {
		for (const key of Object.keys(record)) {
			const value = this.decode((record as Record<string, unknown>)[key]);
			Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
		}
		return object;
	}

	/** In its own place, which JSON has made. */
	#list(items: unknown[]): unknown[] {
		if (!Array.isArray(items)) throw malformed();
		this.#keep(items);
		for (let i = 0; i < items.length; i++) items[i] = this.decode(items[i]);
		return items;
	}

	#sparse(length: number, record: Record<string, unknown>): unknown[] {
		const list: unknown[] = new Array(length);
		this.#keep(list);
		this.#fill(list, record);
		return list;
	}

	#map(node: Node): Map<unknown, unknown> {
		const map = this.#keep(new Map<unknown, unknown>());
		for (let i = 1; i < node.length; i += 2) {
			const key = this.decode(node[i]);
			map.set(key, this.decode(node[i + 1]));
		}
		return map;
	}

	#set(node: Node): Set<unknown> {
		const set = this.#keep(new Set<unknown>());
		for (let i = 1; i < node.length; i++) set.add(this.decode(node[i]));
		return set;
	}

	/** https://html.spec.whatwg.org/#structureddeserialize, of errors */
	#error(node: Node): Error {
		const [, name, message, stack] = node as [string, string, string | null, string | null];
		const error = this.#keep(Reflect.construct(Error, [], errorType(name)) as Error);
		const hidden = (key: string, value: unknown) =>
			Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });
		if (message !== null) hidden("message", message);
		if (stack !== null) hidden("stack", stack);
		if (node.length > 4) hidden("cause", this.decode(node[4]));
		return error;
	}

	/** What no part of itself can stand for. */
	#built(kind: string, node: Node): unknown {
		switch (kind) {
			case "d":
				return new Date(this.decode(node[1]) as number);
			case "x":
				return new RegExp(node[1] as string, node[2] as string);
			case "w":
				return Object(this.decode(node[1])) as unknown;
			case "b":
				return this.#buffer(node[1] as number, node[2] as number);
			case "v":
				return this.#view(node as [string, string, unknown, number, number]);
			case "D":
				return new DOMException(node[2] as string, node[1] as string);
			case "f":
				return this.#blob(node);
			case "F":
				if (this.#stubs === null) throw malformed();
				return this.#stubs.stubOf(node[1] as number);
			case "H":
				return new Headers(pairs(node[1] as string[]));
			case "Q":
				return this.#request(node as [string, string, string, string[], string, number | null]);
			case "P":
				return this.#response(node as [string, number, string, string[], string, number | null]);
			case "R":
				return this.#stream(node[1] as number);
			default:
				throw malformed();
		}
	}

	#buffer(part: number, most: number): ArrayBuffer {
		const bytes = this.#part(part);
		if (most < 0) return bytes;
		const buffer = new ArrayBuffer(bytes.byteLength, { maxByteLength: most });
		new Uint8Array(buffer).set(new Uint8Array(bytes));
		return buffer;
	}

	#view([, type, given, offset, length]: [string, string, unknown, number, number]): unknown {
		const buffer = this.decode(given);
		if (!(buffer instanceof ArrayBuffer)) throw malformed();
		if (type === "DataView") return new DataView(buffer, offset, length);
		if (!Object.hasOwn(TYPED, type)) throw malformed();
		const View = TYPED[type] as new (buffer: ArrayBuffer, offset: number, length: number) => unknown;
		return new View(buffer, offset, length);
	}

	#blob(node: Node): Blob {
		const [, part, type, name] = node as [string, number, string, string];
		const blob = createBlob(new Uint8Array(this.#part(part)), type);
		if (node.length === 3) return blob;
		return new File([blob], name, { type, lastModified: this.decode(node[4]) });
	}

	#request([, method, url, headers, redirect, body]: [string, string, string, string[], string, number | null]) {
		const content = this.#body(body);
		return new Request(url, {
			method,
			headers: pairs(headers),
			redirect,
			body: content === null ? null : content.stream,
			duplex: "half",
		});
	}

	#response([, status, statusText, headers, url, body]: [string, number, string, string[], string, number | null]) {
		return createResponse({
			status,
			statusText,
			headers: new Headers(pairs(headers)),
			body: this.#body(body),
			origin: { type: "default", url, redirected: false, guard: "none", webSocket: null },
		});
	}

	#body(number: number | null): Body | null {
		if (number === null) return null;
		if (number < 0) return new Body(null, this.#stream(-1 - number));
		return new Body(new Uint8Array(this.#part(number)), null);
	}

	#part(number: number): ArrayBuffer {
		const part = this.#parts[number];
		if (!(part instanceof ArrayBuffer)) throw malformed();
		return part;
	}

	#stream(number: number): ReadableStream {
		const stream = this.#streams[number];
		if (stream === undefined) throw malformed();
		return stream;
	}
}

/** A list of names and values in turn as one of pairs. */
function pairs(list: string[]): [string, string][] {
	const all: [string, string][] = [];
	for (let i = 0; i < list.length; i += 2) all.push([list[i], list[i + 1]]);
	return all;
}

function malformed(): TypeError {
	return new TypeError("what another function has sent makes no sense");
}
