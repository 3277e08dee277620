import { webcrypto } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { AttemptId, TenantNumber } from "../link/protocol.ts";
import type { Bytes, Microseconds } from "../units.ts";
import { costOf } from "./operation-cost.ts";
import { threadPool } from "./thread-pool.ts";

/** What an operation came to, for the isolate that has begun it: JSON, or bytes. */
export interface Answer {
	/** 0 for what the function's top level has begun. */
	attempt: AttemptId;
	op: number;
	text: string;
	data: Uint8Array | undefined;
	/** What it took of the processor. */
	us: Microseconds;
}

const METHODS = new Set([
	"encrypt",
	"decrypt",
	"sign",
	"verify",
	"digest",
	"generateKey",
	"deriveKey",
	"deriveBits",
	"importKey",
	"exportKey",
	"wrapKey",
	"unwrapKey",
	"getPublicKey",
]);
/**
 * How many keys an isolate may hold; beyond it the one longest unused is forgotten, since nothing tells when a
 * CryptoKey is collected.
 */
const MAX_KEYS = 4096;
/** How many operations of one isolate may be under way. */
const MAX_OPERATIONS = 10_000;
/** The largest result that an operation may be asked for. */
const MAX_RESULT: Bytes = 2 ** 20;

export interface KeyStoreSettings {
	tenant: TenantNumber;
	/** How much the isolate's operations may hold at once. */
	maxBytes: Bytes;
	/** How much CPU time an attempt may still use; 0 if it is over. */
	budget(attempt: AttemptId): Microseconds;
	onAnswer(answer: Answer): void;
}

/** An isolate's WebCrypto: its keys stay here, and it names them by number. */
export class KeyStore {
	readonly #settings: KeyStoreSettings;
	#keys = new LRUCache<number, webcrypto.CryptoKey>({ max: MAX_KEYS });
	#next = 1;
	#operations = 0;
	/** What the operations under way were given. */
	#bytes: Bytes = 0;
	#closed = false;

	constructor(settings: KeyStoreSettings) {
		this.#settings = settings;
	}

	/**
	 * Starts an operation. Its result, or why it failed, goes to `onAnswer`, and never at once; this itself never
	 * throws.
	 */
	start(attempt: AttemptId, op: number, method: string, args: unknown): void {
		const { tenant, maxBytes } = this.#settings;
		const bytes = sizeOf(args);
		this.#operations++;
		this.#bytes += bytes;
		let outcome: { result: unknown } = { result: failure("OperationError", "the request is over") };
		let least: Microseconds = 0;
		const run = async () => {
			if (this.#closed) return;
			try {
				if (!METHODS.has(method) || !Array.isArray(args)) throw new TypeError("not a WebCrypto operation");
				const given = args.map((argument) => this.#revive(argument));
				const cost = costOf(method, given);
				if (cost.resultBytes > MAX_RESULT) throw new DOMException("so much at once is not available", "OperationError");
				if (cost.us > this.#settings.budget(attempt)) {
					least = cost.us;
					throw new DOMException("the operation takes more CPU time than there is left", "OperationError");
				}
				const subtle = webcrypto.subtle as unknown as Record<string, (...rest: unknown[]) => Promise<unknown>>;
				outcome = { result: this.#describe(await subtle[method](...given)) };
			} catch (error) {
				const { name, message } = error as Error;
				outcome = { result: failure(name ?? "OperationError", String(message ?? "")) };
			}
		};
		const done = (us: Microseconds) => {
			this.#operations--;
			this.#bytes -= bytes;
			if (this.#closed) return;
			const { result } = outcome;
			const isBytes = result instanceof Uint8Array;
			this.#settings.onAnswer({
				attempt,
				op,
				text: isBytes ? "" : JSON.stringify(result),
				data: isBytes ? result : undefined,
				us: Math.max(us, least),
			});
		};
		if (this.#operations <= MAX_OPERATIONS && this.#bytes <= maxBytes) threadPool.add(tenant, { run, done });
		else {
			outcome = { result: failure("OperationError", "too many operations at once") };
			queueMicrotask(() => done(0));
		}
	}

	/** Puts keys back in the place of their numbers. */
	#revive(value: unknown): unknown {
		if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer)
			return value;
		if (Array.isArray(value)) return value.map((item) => this.#revive(item));
		const { $key } = value as { $key?: unknown };
		if ($key !== undefined) {
			const key = this.#keys.get(Number($key));
			if (key === undefined) throw new TypeError("not a CryptoKey of this function");
			return key;
		}
		return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.#revive(item)]));
	}

	#describe(result: unknown): unknown {
		if (result instanceof ArrayBuffer) return new Uint8Array(result);
		if (result instanceof CryptoKey) return { type: "key", key: this.#keep(result) };
		const pair = result as Partial<webcrypto.CryptoKeyPair> | undefined;
		if (typeof pair === "object" && pair !== null && pair.publicKey !== undefined && pair.privateKey !== undefined) {
			return { type: "pair", pair: [this.#keep(pair.publicKey), this.#keep(pair.privateKey)] };
		}
		return { type: "json", json: result };
	}

	#keep(key: webcrypto.CryptoKey): object {
		const handle = this.#next++;
		this.#keys.set(handle, key);
		const algorithm = Object.fromEntries(
			Object.entries(key.algorithm).map(([name, value]) => [name, value instanceof Uint8Array ? [...value] : value]),
		);
		return { handle, type: key.type, extractable: key.extractable, algorithm, usages: [...key.usages] };
	}

	close(): void {
		this.#closed = true;
		this.#keys.clear();
	}
}

function failure(error: string, message: string): object {
	return { type: "error", error, message };
}

/** How many bytes arguments hold. */
function sizeOf(value: unknown): Bytes {
	if (typeof value === "string") return value.length * 2;
	if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
	if (typeof value !== "object" || value === null) return 8;
	let bytes = 64;
	for (const item of Object.values(value)) bytes += sizeOf(item);
	return bytes;
}
