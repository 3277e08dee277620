import { Kind } from "../link/messages.ts";
import type { Whole } from "./fetch/body.ts";
import { host } from "./host.ts";

/**
 * What waits for messages about one operation of an attempt. It inherits nothing that a function could have put
 * there.
 */
export class Operation {
	/** The effect's result. */
	answer: ((text: string, data: Whole) => void) | null = null;
	/** A chunk of the body coming in. */
	chunk: ((bytes: Uint8Array) => void) | null = null;
	/** The end of the body coming in: "" if it is whole, else why it broke (a text, or the very error to raise). */
	end: ((failure: unknown) => void) | null = null;
	/** The body coming in was handed on. */
	handedOn: (() => void) | null = null;
	/** More room for the body going out. */
	credit: ((bytes: number) => void) | null = null;
	/** The client has gone. */
	abort: (() => void) | null = null;
	/** A message of a WebSocket. */
	message: ((data: string | ArrayBuffer) => void) | null = null;
	/** A WebSocket's other side has closed. */
	close: ((codeAndReason: string) => void) | null = null;
}

/** What an attempt has begun; many never begin anything. */
class Work {
	readonly operations = new Map<number, Operation>();
	readonly timers = new Set<number>();
	toldOfTimers = false;
	notes = 0;
	next = 1;
	/** Aborts `request.signal`; set when the function first touches it. */
	abort: (() => void) | null = null;
}

/** One attempt at one event, as this isolate sees it: its operations, its timers, and what it still waits for. */
export class IoContext {
	readonly id: number;
	responded = false;
	done = false;
	/** Whether it has begun anything: operations, timers. */
	busy = false;
	/** The response's body and every promise given to `waitUntil`. */
	#pending = 0;
	#work: Work | null = null;

	/** It is the running one from then on. */
	constructor(id: number) {
		this.id = id;
		contexts[id] = this;
		current = this;
	}

	get #begun(): Work {
		this.#work ??= new Work();
		this.busy = true;
		return this.#work;
	}

	/** What waits for messages about this attempt's operations. */
	get operations(): Map<number, Operation> {
		return this.#begun.operations;
	}

	operation(op: number): Operation | undefined {
		return this.#work === null ? undefined : this.#work.operations.get(op);
	}

	/** The operation of the request's body and the response's. */
	get exchange(): Operation {
		const { operations } = this.#begun;
		let exchange = operations.get(0);
		if (exchange === undefined) {
			exchange = new Operation();
			operations.set(0, exchange);
		}
		return exchange;
	}

	/** The timers that it has started and that are not due yet. */
	get timers(): Set<number> {
		return this.#begun.timers;
	}

	/** Tells the platform, once, that the function has reached its limit of timers. */
	tooManyTimers(): void {
		const work = this.#begun;
		if (!work.toldOfTimers) this.emit(Kind.exceeded, 0, "timers");
		work.toldOfTimers = true;
	}

	get pendingTimers(): number {
		return this.#work === null ? 0 : this.#work.timers.size;
	}

	/** Counts one more of what was said to bindings. Says whether there were as many already as there may be. */
	noted(most: number): boolean {
		return this.#begun.notes++ >= most;
	}

	nextOperation(): number {
		return this.#begun.next++;
	}

	/** What `request.signal` hears of when the client goes. */
	onAbort(abort: () => void): void {
		this.#begun.abort = abort;
	}

	/** The client has gone. */
	abort(): void {
		this.#work?.abort?.();
	}

	/** Says something of it, as long as it is not over: its number may be another attempt's by then. */
	emit(kind: Kind, op: number, text = "", data?: string | Uint8Array | number): void {
		if (!this.done) host.emit(kind, this.id, op, text, data, false);
	}

	/** Makes a call whose answer is there, which it gives; `null` where the edge is to be asked. */
	reuse(op: number, call: string): string | null {
		return this.done ? null : host.reuse(this.id, op, call);
	}

	/** Gives the event's answer. Where nothing is waited for it is over with that, which goes out in one with it. */
	respond(kind: Kind, text: string, data?: string | Uint8Array): void {
		this.responded = true;
		if (this.done) return;
		const over = this.#pending === 0;
		host.emit(kind, this.id, 0, text, data, over);
		if (over) this.#end();
	}

	hold(): void {
		this.#pending++;
	}

	release(): void {
		this.#pending--;
		if (this.#pending > 0 || !this.responded || this.done) return;
		this.emit(Kind.done, 0);
		this.#end();
	}

	#end(): void {
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
