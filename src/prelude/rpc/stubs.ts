import { Body } from "../fetch/body.ts";
import type { ReadableStream } from "../streams/streams.ts";
import type { Asked } from "./targets.ts";

const { decode } = require("./decode.ts") as typeof import("./decode.ts");
const { Incoming } = require("./incoming.ts") as typeof import("./incoming.ts");
const { messageOf, takeMessage } = require("./targets.ts") as typeof import("./targets.ts");

/** What comes of something that was asked. */
type Answer = [id: number, kind: "value" | "thrown", value: unknown];

/**
 * The stubs that one call's results have, of what has stayed where it is (`targets.ts`). They can be used until the
 * request is over that has made the call, or all of them are disposed of.
 */
export class Stubs {
	readonly #send: (message: Uint8Array) => Promise<void>;
	readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
	#next = 1;
	#over = false;

	/** `send` tells the targets something. */
	constructor(send: (message: Uint8Array) => Promise<void>) {
		this.#send = send;
	}

	/** `answers` is what the targets answer by. */
	begin(answers: ReadableStream): void {
		void this.#hear(answers);
	}

	async #hear(down: ReadableStream): Promise<void> {
		try {
			const incoming = new Incoming(new Body(null, down));
			for (;;) {
				const bytes = await takeMessage(incoming);
				const [id, kind, value] = (await decode(new Body(bytes, null), this)) as Answer;
				const waiting = this.#waiting.get(id);
				this.#waiting.delete(id);
				if (kind === "value") waiting?.resolve(value);
				else waiting?.reject(value);
			}
		} catch {
			this.#over = true;
			for (const [, { reject }] of [...this.#waiting]) reject(gone());
		}
	}

	/** A stub of the target of a number. */
	stubOf(number: number): object {
		let disposed = false;
		const dispose = () => {
			if (!disposed && !this.#over) void this.#tell([0, "release", number, [], []]).catch(() => undefined);
			disposed = true;
		};
		const ask = (what: "call" | "get", path: string[], given: unknown[]) =>
			disposed ? Promise.reject(new Error("the stub has been disposed of")) : this.#ask(what, number, path, given);
		return memberOf(ask, [], dispose);
	}

	async #ask(what: "call" | "get", target: number, path: string[], given: unknown[]): Promise<unknown> {
		if (this.#over) throw gone();
		const id = this.#next++;
		const waiting = Promise.withResolvers<unknown>();
		this.#waiting.set(id, waiting);
		try {
			await this.#tell([id, what, target, path, given]);
		} catch (error) {
			this.#waiting.delete(id);
			throw error;
		}
		return waiting.promise;
	}

	async #tell(asked: Asked): Promise<void> {
		await this.#send(messageOf(asked, null));
	}
}

function gone(): Error {
	return new Error("what the stub stands for is gone: its function has ended the call that gave it");
}

/** Asks for what a path of names leads to. */
export type Ask = (what: "call" | "get", path: string[], given: unknown[]) => Promise<unknown>;

/**
 * Something that is elsewhere: to be called, to be awaited, or to be asked for members of its own. A stub itself, which
 * has a `dispose`, cannot be awaited.
 */
export function memberOf(ask: Ask, path: string[], dispose: (() => void) | null): object {
	return new Proxy(() => undefined, {
		get(_, name) {
			if (name === Symbol.dispose) return dispose ?? undefined;
			if (name === Symbol.toPrimitive) return asText; // Else its `toString` would be called, over there.
			if (typeof name !== "string") return undefined;
			if (dispose === null) {
				if (name === "then") return (...handlers: []) => ask("get", path, []).then(...handlers);
				if (name === "catch") return (...handlers: []) => ask("get", path, []).catch(...handlers);
				if (name === "finally") return (...handlers: []) => ask("get", path, []).finally(...handlers);
			} else if (name === "then" || name === "toJSON") return undefined;
			return memberOf(ask, [...path, name], null);
		},
		apply: (_, __, given: unknown[]) => resultOf(ask("call", path, given)),
	});
}

const asText = () => "[object RpcStub]";

/**
 * What a call will give: a promise, which can be called, and its members, before it is there.
 * https://developers.cloudflare.com/workers/runtime-apis/rpc/#promise-pipelining
 */
function resultOf(promise: Promise<unknown>): object {
	const ask: Ask = async (what, path, given) => {
		let holder: unknown;
		let value = await promise;
		for (let i = 0; i < path.length; i++) {
			holder = value;
			value = (value as Record<string, unknown>)[path[i]];
		}
		if (what === "get") return await value;
		if (typeof value !== "function") throw new TypeError(`"${path.join(".")}" is not a function.`);
		return await Reflect.apply(value as () => unknown, holder, given);
	};
	return new Proxy(() => undefined, {
		get(_, name) {
			if (name === "then") return (...handlers: []) => promise.then(...handlers);
			if (name === "catch") return (...handlers: []) => promise.catch(...handlers);
			if (name === "finally") return (...handlers: []) => promise.finally(...handlers);
			if (typeof name === "string") return memberOf(ask, [name], null);
			if (name === Symbol.toPrimitive) return asText;
			return name === Symbol.toStringTag ? "Promise" : undefined;
		},
		getPrototypeOf: () => Promise.prototype,
		apply: (_, __, given: unknown[]) => resultOf(ask("call", [], given)),
	});
}
