import type { DataResult, StoredData } from "../../stores/data-process.ts";
import type { StorageTelling } from "../../stores/storage-rule.ts";
import type { Bytes } from "../../units.ts";
import type { Content } from "../binding.ts";
import { NOTHING_TOLD, type Telling, type Told, tellingOfKeys } from "../telling.ts";
import type { KvFound, KvList, KvNamespaceId, KvPut } from "./calls.ts";
import type { Recent, RecentValues } from "./recent-values.ts";
import type { KvKeys } from "./schema.ts";

/** https://developers.cloudflare.com/kv/platform/limits/ */
const MOST_KEY: Bytes = 512;
const MOST_METADATA: Bytes = 1024;
const MOST_VALUE: Bytes = 25 * 2 ** 20;
const LEAST_SECONDS = 60;
/** In seconds: what is later is as good as never, and a number that all that reads it can hold. */
const LATEST = 100_000_000_000;

/** What is to be put under a key. Times as in `KvAsked`. */
export interface Entry {
	key: string;
	metadata: string | null;
	expiration: number | null;
	expirationTtl: number | null;
}

/** What there is under keys, in their order, and the values that there are, one behind the other. */
interface Found {
	found: (KvFound | null)[];
	values: Content;
}

/** The same, where all of it is there. */
interface KnownFound extends Found {
	values: Uint8Array | null;
}

/** How a namespace is used. */
interface NamespaceUse {
	/** By what its changes are told. Default: by nothing. */
	telling?: Telling;
	/** What is not to be asked for again. Default: nothing. */
	recent?: RecentValues | null;
}

/** A tenant's namespace of keys and values, as the edge and the API use it. Errors begin with an HTTP status. */
export class Namespace {
	readonly #data: StoredData;
	readonly #of: KvNamespaceId;
	readonly #mostBytes: Bytes;
	readonly #telling: Telling;
	readonly #recent: RecentValues | null;

	/** `mostBytes`: how much the tenant may store. */
	constructor(
		data: StoredData,
		of: KvNamespaceId,
		mostBytes: Bytes,
		{ telling = NOTHING_TOLD, recent = null }: NamespaceUse = {},
	) {
		this.#data = data;
		this.#of = of;
		this.#mostBytes = mostBytes;
		this.#telling = telling;
		this.#recent = recent;
	}

	#ask(
		operation: string,
		said: object,
		{ bytes, signal }: { bytes?: Uint8Array; signal?: AbortSignal | undefined } = {},
	) {
		const { tenant } = this.#of;
		return this.#data.ask(tenant, { store: "kv", operation, said: { ...this.#of, ...said }, bytes }, signal);
	}

	/** What there is under keys, where it was read lately; `null` where it is to be asked for. */
	known(keys: readonly string[]): KnownFound | null {
		if (keys.length > 1) return null;
		const recent = this.#recent?.get(this.#of, keys[0]);
		return recent === undefined ? null : { found: [recent?.found ?? null], values: recent?.value ?? null };
	}

	/** What there is under keys. Values that do not come along are asked for when they are read. */
	async get(keys: string[], signal?: AbortSignal): Promise<Found> {
		for (const key of keys) checkKey(key);
		if (this.#recent === null || keys.length > 1) return this.#get(keys, signal);
		const known = this.known(keys);
		if (known !== null) return known;
		const [key] = keys;
		const reading = this.#recent.begin(this.#of, key);
		let one: Recent | undefined;
		try {
			const got = await this.#get(keys, signal);
			one = recentOf(got);
			return got;
		} finally {
			this.#recent.end(reading, one);
		}
	}

	async #get(keys: string[], signal: AbortSignal | undefined): Promise<Found> {
		const { said, bytes } = await this.#ask("get", { keys }, { signal });
		const found = said as (KvFound | null)[];
		const present = found.flatMap((one, i) => (one === null ? [] : [{ ...one, key: keys[i] }]));
		if (present.length === 0) return { found, values: null };
		if (present.every(({ along }) => along)) return { found, values: bytes };
		if (present.reduce((sum, { size }) => sum + size, 0) > MOST_VALUE)
			throw new Error("413 Total size of request exceeds the limit of 25MB");
		return { found, values: this.#values(present, bytes, signal) };
	}

	async *#values(
		found: (KvFound & { key: string })[],
		bytes: Uint8Array,
		signal: AbortSignal | undefined,
	): AsyncGenerator<Uint8Array, void> {
		let at = 0;
		for (const { along, key, size } of found) {
			if (along) {
				yield bytes.subarray(at, at + size);
				at += size;
				continue;
			}
			const asked = await this.#ask("value", { key, size }, { signal });
			if (asked.said === null) yield asked.bytes;
			else yield* this.#data.read(this.#of.tenant, asked.said as string, size);
		}
	}

	async put(entry: Entry, content: Uint8Array | AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
		const { key, metadata } = entry;
		checkKey(key);
		const metadataBytes = Buffer.byteLength(metadata ?? "");
		if (metadataBytes > MOST_METADATA)
			throw new Error(`413 Metadata length of ${metadataBytes} exceeds limit of ${MOST_METADATA}.`);
		const put: Omit<KvPut, "tenant" | "namespace" | "blob"> = {
			key,
			metadata,
			expires: expiry(entry),
			...this.#tellingOf([key]),
		};
		const call = { store: "kv", operation: "put", said: { ...this.#of, ...put } };
		const intake = { most: MOST_VALUE, mostBytes: this.#mostBytes, signal };
		await this.#writing([key], () => this.#data.store(this.#of.tenant, call, content, intake));
	}

	/** What was read of keys before they are written is not kept; what came of writing them is told. */
	async #writing(keys: readonly string[], write: () => Promise<DataResult>): Promise<void> {
		this.#recent?.forget(this.#of, keys);
		try {
			this.#told(await write());
		} finally {
			this.#recent?.forget(this.#of, keys);
		}
	}

	/** By what changes of these keys are told. */
	#tellingOf(keys: readonly string[]): StorageTelling {
		return tellingOfKeys(this.#telling, keys, this.#mostBytes);
	}

	#told({ said }: DataResult): void {
		const told = said as Told;
		if (told.queues.length > 0 || told.dropped > 0) this.#telling.told(told);
	}

	async delete(keys: string[]): Promise<void> {
		for (const key of keys) checkKey(key);
		await this.#writing(keys, () => this.#ask("delete", { ...this.#tellingOf(keys), keys }));
	}

	/** Some of the keys that begin with a prefix, in the order of their bytes. */
	async list({ prefix, cursor, limit }: { prefix: string; cursor: string; limit: number }): Promise<KvKeys> {
		if (Buffer.byteLength(prefix) > MOST_KEY)
			throw new Error(
				`414 UTF-8 encoded length of ${Buffer.byteLength(prefix)} exceeds key length limit of ${MOST_KEY}.`,
			);
		const asked: Omit<KvList, "tenant" | "namespace"> = { prefix, after: readCursor(cursor, prefix), limit };
		const { keys, last } = (await this.#ask("list", asked)).said as { keys: KvKeys["keys"]; last: string | null };
		return { keys, cursor: last === null ? null : writeCursor(prefix, last) };
	}

	/** Removes all that is in it. */
	async drop(): Promise<void> {
		while (!(await this.#ask("drop", {})).said);
	}
}

/** A value that came whole; `undefined` for what is yet to be asked for. */
function recentOf({ found: [found], values }: Found): Recent | undefined {
	if (found === null) return null;
	return values instanceof Uint8Array ? { found, value: values } : undefined;
}

function checkKey(key: string): void {
	const length = Buffer.byteLength(key);
	if (length > MOST_KEY)
		throw new Error(`414 UTF-8 encoded length of ${length} exceeds key length limit of ${MOST_KEY}.`);
	if (key === "" || key === "." || key === "..") throw new Error(`400 ${JSON.stringify(key)} cannot be a key`);
}

/** When an entry expires, in seconds since 1970; `null` for never. */
function expiry({ expiration, expirationTtl }: Entry): number | null {
	const now = Math.floor(Date.now() / 1000);
	for (const [name, value] of [
		["expiration", expiration],
		["expiration_ttl", expirationTtl],
	] as const)
		if (value !== null && value > LATEST - now)
			throw new Error(`400 Invalid ${name} of ${value}. It is too late a time.`);
	if (expirationTtl !== null) {
		if (expirationTtl <= 0)
			throw new Error(`400 Invalid expiration_ttl of ${expirationTtl}. Please specify integer greater than 0.`);
		if (expirationTtl < LEAST_SECONDS)
			throw new Error(
				`400 Invalid expiration_ttl of ${expirationTtl}. Expiration TTL must be at least ${LEAST_SECONDS}.`,
			);
		return now + expirationTtl;
	}
	if (expiration === null) return null;
	if (expiration <= now)
		throw new Error(
			`400 Invalid expiration of ${expiration}. Please specify integer greater than the current number of seconds since the UNIX epoch.`,
		);
	if (expiration < now + LEAST_SECONDS)
		throw new Error(
			`400 Invalid expiration of ${expiration}. Expiration times must be at least ${LEAST_SECONDS} seconds in the future.`,
		);
	return expiration;
}

/** Where a list goes on, for the same prefix alone. */
function writeCursor(prefix: string, key: string): string {
	return Buffer.from(JSON.stringify([prefix, key])).toString("base64url");
}

function readCursor(cursor: string, prefix: string): string {
	if (cursor === "") return "";
	try {
		const [of, key] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as unknown[];
		if (of === prefix && typeof key === "string" && key.startsWith(prefix)) return key;
	} catch {
		// It was made by somebody else.
	}
	throw new Error("400 Invalid cursor: it must be one that a list of the same prefix has given.");
}
