import { DOMException } from "../errors/dom-exception.ts";
import { asInterface, requireArguments } from "../interface.ts";
import { setTimer } from "../timing/timers.ts";
import { dispatchTrusted, Event, EventTarget } from "./event.ts";
import { defineEventHandler } from "./event-handler.ts";

let create: () => AbortSignal;
let abort: (signal: AbortSignal, reason: unknown) => void;
let onAbort: (signal: AbortSignal, algorithm: (reason: unknown) => void) => void;
let dependOn: (signal: AbortSignal, sources: AbortSignal[]) => void;

/** https://dom.spec.whatwg.org/#interface-AbortSignal */
export class AbortSignal extends EventTarget {
	#aborted = false;
	#reason: unknown = undefined;
	#algorithms: ((reason: unknown) => void)[] = [];
	#dependents: AbortSignal[] = [];
	#sources: AbortSignal[] | null = null;

	constructor(key?: unknown) {
		super();
		if (key !== SECRET) throw new TypeError("Illegal constructor");
	}

	static abort(reason?: unknown): AbortSignal {
		const signal = create();
		signal.#aborted = true;
		signal.#reason = reason === undefined ? abortError() : reason;
		return signal;
	}

	static timeout(milliseconds: unknown): AbortSignal {
		requireArguments(arguments.length, 1, "AbortSignal.timeout");
		const delay = Number(milliseconds);
		if (!Number.isFinite(delay) || delay < 0 || delay > Number.MAX_SAFE_INTEGER) {
			throw new TypeError("AbortSignal.timeout: milliseconds is out of range");
		}
		const signal = create();
		setTimer(
			() => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError")),
			Math.trunc(delay),
			false,
		);
		return signal;
	}

	static any(signals: Iterable<AbortSignal>): AbortSignal {
		requireArguments(arguments.length, 1, "AbortSignal.any");
		const sources: AbortSignal[] = [];
		for (const signal of signals) {
			if (!(signal instanceof AbortSignal)) throw new TypeError("AbortSignal.any: not an AbortSignal");
			sources.push(signal);
		}
		const result = create();
		dependOn(result, sources);
		return result;
	}

	get aborted(): boolean {
		return this.#aborted;
	}
	get reason(): unknown {
		return this.#reason;
	}
	throwIfAborted(): void {
		if (this.#aborted) throw this.#reason;
	}

	static {
		abort = (signal, reason) => {
			if (signal.#aborted) return;
			const all = [signal];
			signal.#aborted = true;
			signal.#reason = reason === undefined ? abortError() : reason;
			for (const dependent of signal.#dependents) {
				if (dependent.#aborted) continue;
				dependent.#aborted = true;
				dependent.#reason = signal.#reason;
				all.push(dependent);
			}
			for (const one of all) {
				const algorithms = one.#algorithms;
				one.#algorithms = [];
				for (const algorithm of algorithms) algorithm(one.#reason);
				dispatchTrusted(one, new Event("abort"));
			}
		};
		onAbort = (signal, algorithm) => {
			if (signal.#aborted) algorithm(signal.#reason);
			else signal.#algorithms.push(algorithm);
		};
		// https://dom.spec.whatwg.org/#create-a-dependent-abort-signal
		dependOn = (signal, sources) => {
			for (const source of sources) {
				if (source.#aborted) {
					signal.#aborted = true;
					signal.#reason = source.#reason;
					return;
				}
			}
			signal.#sources = [];
			for (const source of sources) {
				for (const root of source.#sources ?? [source]) {
					if (signal.#sources.includes(root)) continue;
					signal.#sources.push(root);
					root.#dependents.push(signal);
				}
			}
		};
	}
}
const SECRET = Symbol("construct");
create = () => new AbortSignal(SECRET);
asInterface(AbortSignal, "AbortSignal", { constructor: 0, "static abort": 0 });
defineEventHandler(AbortSignal.prototype, "abort");

function abortError(): DOMException {
	return new DOMException("This operation was aborted", "AbortError");
}

/** https://dom.spec.whatwg.org/#interface-abortcontroller */
export class AbortController {
	#signal = create();
	get signal(): AbortSignal {
		return this.#signal;
	}
	abort(reason?: unknown): void {
		abort(this.#signal, reason);
	}
}
asInterface(AbortController, "AbortController", { abort: 0 });

export { create as createSignal, dependOn as followSignals, onAbort };
