import { Kind } from "../link/messages.ts";
import { host } from "./host.ts";

/**
 * What waits for messages about one operation of an attempt. It inherits nothing that a function could have put
 * there.
 */
export class Operation {
	/** The effect's result. */
	answer: ((text: string, data: ArrayBuffer | undefined) => void) | null = null;
	/** A chunk of the body coming in. */
	chunk: ((bytes: Uint8Array) => void) | null = null;
	/** The end of the body coming in: "" if it is whole, else why it broke (a text, or the very error to raise). */
	end: ((failure: unknown) => void) | null = null;
	/** More room for the body going out. */
	credit: ((bytes: number) => void) | null = null;
	/** The client has gone. */
	abort: (() => void) | null = null;
	/** A message of a WebSocket. */
	message: ((data: string | ArrayBuffer) => void) | null = null;
	/** A WebSocket's other side has closed. */
	close: ((codeAndReason: string) => void) | null = null;
}

/** One attempt at one event, as this isolate sees it: its operations, its timers, and what it still waits for. */
export class IoContext {
	readonly id: number;
	#operations: Map<number, Operation> | null = null;
	#timers: Set<number> | null = null;
	/** Aborts `request.signal`; set when the function first touches it. */
	abort: (() => void) | null = null;
	responded = false;
	done = false;
	#next = 1;
	/** The response's body and every promise given to `waitUntil`. */
	#pending = 0;

	constructor(id: number) {
		this.id = id;
	}

	/**
	 * What waits for messages about this attempt's operations. Made when the first one does: many requests have none.
	 */
	get operations(): Map<number, Operation> {
		this.#operations ??= new Map();
		return this.#operations;
	}

	operation(op: number): Operation | undefined {
		return this.#operations?.get(op);
	}

	/** The timers that it has started and that are not due yet. */
	get timers(): Set<number> {
		this.#timers ??= new Set();
		return this.#timers;
	}

	/** Tells the platform, once, that the function has reached its limit of timers. */
	tooManyTimers(): void {
		if (!this.#toldOfTimers) this.emit(Kind.exceeded, 0, "timers");
		this.#toldOfTimers = true;
	}
	#toldOfTimers = false;

	get hasTimers(): boolean {
		return this.#timers !== null;
	}

	get pendingTimers(): number {
		return this.#timers === null ? 0 : this.#timers.size;
	}

	nextOperation(): number {
		return this.#next++;
	}

	/** Says something of it, as long as it is not over: its number may be another attempt's by then. */
	emit(kind: Kind, op: number, text = "", data?: string | Uint8Array | number): void {
		if (!this.done) host.emit(kind, this.id, op, text, data);
	}

	hold(): void {
		this.#pending++;
	}

	release(): void {
		this.#pending--;
		this.finishIfIdle();
	}

	finishIfIdle(): void {
		if (this.#pending > 0 || !this.responded || this.done) return;
		this.emit(Kind.done, 0);
		this.done = true;
		contexts[this.id] = undefined;
	}
}

/**
 * The attempts this isolate is working on, by their number. An object, since a Map that is filled and emptied for ever
 * keeps what it held until a major collection; without a prototype, which functions can change.
 */
export const contexts = Object.create(null) as Record<number, IoContext | undefined>;

/** The attempt to which the running turn belongs; `null` while the function's top level runs. */
export let current: IoContext | null = null;

export function enter(context: IoContext | null): void {
	current = context;
}

/** The running attempt, for an effect that only makes sense inside of one. */
export function requireContext(what: string): IoContext {
	if (current === null)
		throw new Error(`${what} is not available at the top level of a function: call it while handling a request`);
	if (current.done)
		throw new Error(`${what} is not available after the request has ended: hand the work to ctx.waitUntil()`);
	return current;
}
