import { encodeUtf8, exactBytes } from "../encoding/bytes.ts";
import { DOMException } from "../errors/dom-exception.ts";
import { Body } from "../fetch/body.ts";
import { ReadableStream, type ReadableStreamDefaultController } from "../streams/streams.ts";

const { encode } = require("./encode.ts") as typeof import("./encode.ts");
const { decode } = require("./decode.ts") as typeof import("./decode.ts");
const { Incoming } = require("./incoming.ts") as typeof import("./incoming.ts");

/** What a caller does with one of the targets: it calls a method, gets a property, or needs it no longer. */
export type Asked = [id: number, what: "call" | "get" | "release", target: number, path: string[], given: unknown[]];

/** Does what was asked of a target, and gives what comes of it. */
type Perform = (target: object, what: "call" | "get", path: string[], given: unknown[]) => Promise<unknown>;

/** How long a message is: before each. */
const LENGTH_BYTES = 4;

/**
 * What one call's results have that stays where it is: functions, and instances of `RpcTarget`, by the numbers under
 * which its caller has stubs of them. They are there until the caller has released all, or its own request is over.
 */
export class Targets {
	readonly #perform: Perform;
	/** Begins to hear what the caller asks. */
	readonly #listen: () => ReadableStream;
	readonly #numbers = new Map<object, number>();
	readonly #held = new Map<number, { target: object; stubs: number }>();
	#next = 0;
	#down: ReadableStreamDefaultController<Uint8Array> | null = null;
	#begun = false;

	constructor(perform: Perform, listen: () => ReadableStream) {
		this.#perform = perform;
		this.#listen = listen;
	}

	/** Whether there have been any. */
	get used(): boolean {
		return this.#begun;
	}

	/** The number of one, of which there is one stub more. */
	add(target: object): number {
		const number = this.#numbers.get(target) ?? this.#next++;
		this.#numbers.set(target, number);
		const stubs = this.#held.get(number)?.stubs ?? 0;
		this.#held.set(number, { target, stubs: stubs + 1 });
		return number;
	}

	/** What they answer by, for the first result that has any; `null` for others. */
	begin(): ReadableStream | null {
		if (this.#begun || this.#next === 0) return null;
		this.#begun = true;
		const down = new ReadableStream<Uint8Array>({
			start: (controller) => {
				this.#down = controller as ReadableStreamDefaultController<Uint8Array>;
			},
			cancel: () => this.#end(),
		});
		void this.#hear(this.#listen());
		return down;
	}

	async #hear(up: ReadableStream): Promise<void> {
		try {
			const incoming = new Incoming(new Body(null, up));
			for (;;) {
				const asked = (await decode(new Body(await takeMessage(incoming), null), null)) as Asked;
				if (asked[1] === "release") this.#release(asked[2]);
				else void this.#answer(asked);
			}
		} catch {
			this.#end();
		}
	}

	async #answer([id, what, number, path, given]: Asked): Promise<void> {
		try {
			const held = this.#held.get(number);
			if (held === undefined) throw new Error("the stub has been disposed of");
			const value = await this.#perform(held.target, what as "call" | "get", path, given);
			this.#say(messageOf([id, "value", value], this));
		} catch (error) {
			this.#fail(id, error);
		}
	}

	#fail(id: number, error: unknown): void {
		try {
			this.#say(messageOf([id, "thrown", error], null));
		} catch {
			this.#say(messageOf([id, "thrown", new Error("what was thrown cannot be handed on")], null));
		}
	}

	#say(message: Uint8Array): void {
		this.#down?.enqueue(message as Uint8Array<ArrayBuffer>);
	}

	#release(number: number): void {
		const held = this.#held.get(number);
		if (held === undefined) return;
		held.stubs--;
		if (held.stubs > 0) return;
		this.#drop(number, held.target);
		if (this.#held.size > 0) return;
		this.#down?.close();
		this.#down = null;
	}

	/** The caller has gone. */
	#end(): void {
		this.#down = null;
		for (const [number, { target }] of [...this.#held]) this.#drop(number, target);
	}

	/** https://developers.cloudflare.com/workers/runtime-apis/rpc/lifecycle/ */
	#drop(number: number, target: object): void {
		this.#held.delete(number);
		this.#numbers.delete(target);
		const dispose: unknown = typeof target === "function" ? null : (target as Partial<Disposable>)[Symbol.dispose];
		if (typeof dispose !== "function") return;
		try {
			dispose.call(target);
		} catch {
			return; // Nobody is left who would hear of it.
		}
	}
}

/** A message, its length first. Throws DataCloneError for one with streams, for which there is no room beside others. */
export function messageOf(value: unknown, targets: Targets | null): Uint8Array {
	const source = encode(value, targets).take();
	if (source === null) throw new DOMException("a stub takes and gives no streams", "DataCloneError");
	const bytes = typeof source === "string" ? encodeUtf8(source) : exactBytes(source);
	const message = new Uint8Array(LENGTH_BYTES + bytes.length);
	new DataView(message.buffer).setUint32(0, bytes.length);
	message.set(bytes, LENGTH_BYTES);
	return message;
}

/** The next message, without its length. */
export async function takeMessage(incoming: InstanceType<typeof Incoming>): Promise<Uint8Array> {
	const { buffer } = await incoming.take(LENGTH_BYTES);
	return await incoming.take(new DataView(buffer).getUint32(0));
}
