import { webcrypto } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { AttemptId } from "./protocol.ts";

type Answer = (attempt: AttemptId, op: number, text: string, data: Uint8Array | undefined) => void;

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
/** How many keys an isolate may hold; beyond it the one longest unused is forgotten, since nothing tells when a CryptoKey is collected. */
const MAX_KEYS = 4096;
/** How many operations of one isolate run at once on the thread pool, which all isolates share, and how many may wait. */
const MAX_RUNNING = 8;
const MAX_WAITING = 10_000;

/** An isolate's WebCrypto: its keys stay here, and it names them by number. */
export class KeyStore {
	readonly #answer: Answer;
	#keys = new LRUCache<number, webcrypto.CryptoKey>({ max: MAX_KEYS });
	#next = 1;
	#running = 0;
	#waiting: (() => void)[] = [];
	#closed = false;

	constructor(answer: Answer) {
		this.#answer = answer;
	}

	/** Starts an operation. Its result, or why it failed, goes to `answer`; this itself never throws. */
	start(attempt: AttemptId, op: number, method: string, args: unknown[]): void {
		void this.#run(method, args).then(
			(result) => this.#finish(attempt, op, result),
			(error: Error) =>
				this.#finish(attempt, op, {
					type: "error",
					error: error?.name ?? "OperationError",
					message: String(error?.message ?? ""),
				}),
		);
	}

	async #run(method: string, args: unknown[]): Promise<unknown> {
		if (!METHODS.has(method) || !Array.isArray(args)) throw new TypeError("not a WebCrypto operation");
		if (this.#waiting.length >= MAX_WAITING) throw new DOMException("too many operations at once", "OperationError");
		if (this.#running >= MAX_RUNNING) await new Promise<void>((resolve) => this.#waiting.push(resolve));
		this.#running++;
		try {
			const subtle = webcrypto.subtle as unknown as Record<string, (...rest: unknown[]) => Promise<unknown>>;
			return this.#describe(await subtle[method](...args.map((argument) => this.#revive(argument))));
		} finally {
			this.#running--;
			this.#waiting.shift()?.();
		}
	}

	#finish(attempt: AttemptId, op: number, result: unknown): void {
		if (this.#closed) return;
		if (result instanceof Uint8Array) this.#answer(attempt, op, "", result);
		else this.#answer(attempt, op, JSON.stringify(result), undefined);
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
