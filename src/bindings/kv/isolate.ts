import type { BindingNumber } from "../../link/calls.ts";
import { Call } from "../../prelude/call.ts";
import { copyBytes, decodeUtf8, encodeUtf8, isBufferSource } from "../../prelude/encoding/bytes.ts";
import { Body } from "../../prelude/fetch/body.ts";
import { asInterface, requireArguments, toDictionary, toUSVString } from "../../prelude/interface.ts";
import { ReadableStream } from "../../prelude/streams/streams.ts";
import { encodeKvAsked, type KvAsked, type KvKeys, type KvTold } from "./schema.ts";

const SECRET = Symbol("construct");
const MOST_KEYS = 100;
const MOST_LISTED = 1000;

type ValueType = "text" | "json" | "arrayBuffer" | "stream";
interface Found {
	value: unknown;
	metadata: unknown;
	cacheStatus: null;
}

/** https://developers.cloudflare.com/kv/api/: what functions put there lasts, and all that have the namespace see it. */
export class KvNamespace {
	readonly #binding: BindingNumber;

	constructor(secret?: unknown, binding?: BindingNumber) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#binding = binding as BindingNumber;
	}

	async get(key: unknown, options?: unknown): Promise<unknown> {
		requireArguments(arguments.length, 1, "KvNamespace.get");
		if (!Array.isArray(key)) return (await this.#one(key, options, "GET")).value;
		return valuesOf(await this.#all(key, options), ({ value }) => value);
	}

	async getWithMetadata(key: unknown, options?: unknown): Promise<unknown> {
		requireArguments(arguments.length, 1, "KvNamespace.getWithMetadata");
		if (!Array.isArray(key)) return this.#one(key, options, "GET");
		return valuesOf(await this.#all(key, options), (found) => (found.value === null ? null : found));
	}

	async #one(key: unknown, options: unknown, what: string): Promise<Found> {
		const type = typeOf(options);
		const { text, body } = await this.#ask(what, { op: "get", keys: [keyOf(key)] });
		const told = (JSON.parse(text) as KvTold)[0];
		if (told === null) return { value: null, metadata: null, cacheStatus: null };
		const metadata = told.metadata === null ? null : (JSON.parse(told.metadata) as unknown);
		const content = body ?? new Body("", null);
		return { value: await read(content, type), metadata, cacheStatus: null };
	}

	/** The values of several keys, each once. */
	async #all(given: unknown[], options: unknown): Promise<[string, Found][]> {
		const type = typeOf(options);
		if (type !== "text" && type !== "json")
			throw new Error(`KV GET_BULK failed: 400 "${type}" is not a valid type. Use "json" or "text"`);
		const keys: string[] = [];
		for (let i = 0; i < given.length; i++) {
			const key = keyOf(given[i]);
			if (!keys.includes(key)) keys.push(key);
		}
		if (keys.length > MOST_KEYS)
			throw new Error(`KV GET_BULK failed: 400 You can request a maximum of ${MOST_KEYS} keys`);
		if (keys.length === 0) return [];
		const { text, body } = await this.#ask("GET_BULK", { op: "get", keys });
		const told = JSON.parse(text) as KvTold;
		const bytes = body === null ? new Uint8Array(0) : await body.bytes();
		const all: [string, Found][] = [];
		let at = 0;
		for (let i = 0; i < keys.length; i++) {
			const one = told[i];
			if (one === null) {
				all.push([keys[i], { value: null, metadata: null, cacheStatus: null }]);
				continue;
			}
			const value = decodeUtf8(bytes.subarray(at, at + one.size));
			at += one.size;
			const metadata = one.metadata === null ? null : (JSON.parse(one.metadata) as unknown);
			all.push([keys[i], { value: type === "json" ? JSON.parse(value) : value, metadata, cacheStatus: null }]);
		}
		return all;
	}

	async put(key: unknown, value: unknown, options?: unknown): Promise<undefined> {
		requireArguments(arguments.length, 2, "KvNamespace.put");
		const name = keyOf(key);
		const { expiration, expirationTtl, metadata } = toDictionary(options, "KvNamespace.put");
		const said = metadata === undefined || metadata === null ? undefined : JSON.stringify(metadata);
		await this.#ask(
			"PUT",
			{
				op: "put",
				key: name,
				metadata: said ?? null,
				expiration: timeOf(expiration, "expiration"),
				expirationTtl: timeOf(expirationTtl, "expiration_ttl"),
			},
			bodyOf(value),
		);
		return undefined;
	}

	async delete(key: unknown): Promise<undefined> {
		requireArguments(arguments.length, 1, "KvNamespace.delete");
		await this.#ask("DELETE", { op: "delete", key: keyOf(key) });
		return undefined;
	}

	async list(options?: unknown): Promise<object> {
		const { prefix, cursor, limit = MOST_LISTED } = toDictionary(options, "KvNamespace.list");
		const most = Number(limit);
		if (!(most >= 1))
			throw new Error(
				`KV GET failed: 400 Invalid key_count_limit of ${most}. Please specify an integer greater than 0.`,
			);
		if (most > MOST_LISTED)
			throw new Error(
				`KV GET failed: 400 Invalid key_count_limit of ${most}. Please specify an integer less than ${MOST_LISTED}.`,
			);
		const { text } = await this.#ask("GET", {
			op: "list",
			prefix: textOf(prefix),
			cursor: textOf(cursor),
			limit: Math.floor(most),
		});
		const told = JSON.parse(text) as KvKeys;
		const keys = [];
		for (let i = 0; i < told.keys.length; i++) {
			const { key: name, expires, metadata } = told.keys[i];
			keys.push({
				name,
				...(expires !== null && { expiration: expires }),
				...(metadata !== null && { metadata: JSON.parse(metadata) as unknown }),
			});
		}
		return told.cursor === null
			? { keys, list_complete: true, cacheStatus: null }
			: { keys, list_complete: false, cursor: told.cursor, cacheStatus: null };
	}

	async #ask(what: string, asked: KvAsked, body: Body | null = null): Promise<Call> {
		const argument = encodeKvAsked(asked);
		const reusable = asked.op === "get";
		const call = new Call(this.#binding, { what: `KV ${what}`, argument, body, signal: null, reusable });
		await call.answered;
		if (call.failure !== null) throw new Error(`KV ${what} failed: ${call.failure}`);
		return call;
	}
}
asInterface(KvNamespace, "KvNamespace", { get: 1, getWithMetadata: 1, put: 2, delete: 1, list: 0 });

function valuesOf(all: [string, Found][], of: (found: Found) => unknown): Map<string, unknown> {
	const values = new Map<string, unknown>();
	for (let i = 0; i < all.length; i++) values.set(all[i][0], of(all[i][1]));
	return values;
}

async function read(body: Body, type: ValueType): Promise<unknown> {
	if (type === "stream") return body.stream;
	if (type === "arrayBuffer") return (await body.bytes()).buffer;
	const text = await body.text();
	return type === "json" ? JSON.parse(text) : text;
}

function keyOf(value: unknown): string {
	const key = toUSVString(value);
	if (key === "") throw new TypeError("Key name cannot be empty.");
	if (key === "." || key === "..") throw new TypeError(`"${key}" is not allowed as a key name.`);
	return key;
}

function textOf(value: unknown): string {
	return value === undefined || value === null ? "" : toUSVString(value);
}

function typeOf(options: unknown): ValueType {
	const given = typeof options === "string" ? options : toDictionary(options, "KvNamespace.get").type;
	const type = given === undefined || given === null ? "text" : `${given as string}`;
	if (type !== "text" && type !== "json" && type !== "arrayBuffer" && type !== "stream")
		throw new TypeError('Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".');
	return type;
}

function timeOf(value: unknown, name: string): number | null {
	if (value === undefined || value === null) return null;
	const time = Math.floor(Number(value));
	if (!Number.isSafeInteger(time))
		throw new Error(`KV PUT failed: 400 Invalid ${name} of ${value as string}. Please specify integer greater than 0.`);
	return time;
}

function bodyOf(value: unknown): Body {
	if (typeof value === "string") return new Body(encodeUtf8(value), null);
	if (isBufferSource(value)) return new Body(copyBytes(value), null);
	if (value instanceof ReadableStream) return new Body(null, value);
	throw new TypeError("KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.");
}

export const create = (binding: BindingNumber): KvNamespace => new KvNamespace(SECRET, binding);
