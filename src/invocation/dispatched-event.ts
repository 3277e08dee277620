import { type Chain, newChain } from "../bindings/functions.ts";
import type { FunctionError } from "../errors.ts";
import type { EventHead } from "../link/event-head.ts";
import { Kind } from "../link/messages.ts";
import type { Outgoing } from "../link/outgoing.ts";
import { decodeVerdicts, type Verdict } from "../link/verdicts.ts";
import type { EventOrigin, InvocationRecord, Outcome } from "../observe/record.ts";
import { followedOf, type TraceContext } from "../observe/trace-context.ts";
import type { Bytes } from "../units.ts";
import { decodedFailure, EVENT_BYTES, type InvocationEvent, LETTER_BYTES } from "./event.ts";
import type { EncodedEvent } from "./event-type.ts";
import type { Invocation } from "./invocation.ts";

/** What has come of an event that was dispatched. */
export interface Ended {
	/** `ok`, or an error's code. */
	outcome: Outcome;
	/** What went wrong, for whoever operates the function; `null` where nothing did. */
	error: FunctionError | null;
	record: InvocationRecord;
	/** What the handler has said of the event and its parts, also where it then failed. */
	verdicts: Verdict[];
}

/** What an event comes of. */
export interface DispatchedFrom {
	/** How many events, one after the other. */
	depth?: number;
	/** Where each of its parts was sent, in its trace; `null` for one of which that is not known. */
	traces?: readonly (TraceContext | null)[];
}

/** An event that is no request: its handler says something about it, and gives no response. */
export class DispatchedEvent implements InvocationEvent {
	readonly type: string;
	readonly head: string;
	readonly bytes: Bytes;
	readonly origin: EventOrigin | null;
	readonly trace: TraceContext | null;
	readonly links: readonly TraceContext[];
	readonly chain: Chain;
	readonly streams = false;
	readonly making = null;
	readonly #data: Uint8Array | null;
	readonly #methods: readonly (readonly string[])[];
	readonly #ended = Promise.withResolvers<Ended>();
	#invocation!: Invocation;
	#verdicts: Verdict[] | null = null;
	#error: FunctionError | null = null;
	#abandoned = false;

	constructor({ head, data, seen, trace = null }: EncodedEvent, { depth = 0, traces = [] }: DispatchedFrom = {}) {
		const { parent, links } = followedOf(traces);
		this.trace = trace ?? parent;
		this.links = links;
		this.origin = seen === undefined ? null : { event: seen };
		this.chain = { ...newChain(), depth };
		this.type = head.type;
		this.head = JSON.stringify(head);
		this.#data = data;
		this.#methods = methodsOf(head);
		this.bytes = EVENT_BYTES + this.head.length * LETTER_BYTES + (data?.byteLength ?? 0);
	}

	/** Resolves when the function is done with the event. */
	get ended(): Promise<Ended> {
		return this.#ended.promise;
	}

	begin(invocation: Invocation): void {
		this.#invocation = invocation;
		invocation.recording.record.requestBytes = this.#data?.byteLength ?? 0;
	}

	content(): Uint8Array | null {
		return this.#data;
	}

	get over(): boolean {
		return this.#verdicts !== null || this.#error !== null || this.#abandoned;
	}

	get missing(): string {
		return this.over ? "did not finish its waitUntil()" : "did not finish its handler";
	}

	repeatable(hasEffects: boolean): boolean {
		return !this.over && !hasEffects;
	}

	fail(error: FunctionError): void {
		if (this.#error !== null) return;
		this.#error = error;
		this.#invocation.recording.failed(error);
	}

	abandon(): void {
		this.#abandoned = true;
	}

	cut(): void {} // Nothing is given before the end.

	drop(): void {}

	settle(): void {
		const { record } = this.#invocation.recording;
		this.#ended.resolve({ outcome: record.outcome, error: this.#error, record, verdicts: this.#verdicts ?? [] });
	}

	hear({ kind, text }: Outgoing): void {
		if (kind === Kind.exception) this.fail(decodedFailure(text));
		else if (kind === Kind.verdicts) this.#take(decodeVerdicts(text) as Verdict[]);
		else this.#invocation.refuseForgery();
	}

	#take(verdicts: Verdict[]): void {
		if (this.over) return;
		if (verdicts.every(({ part, method }) => this.#methods[part]?.includes(method))) this.#verdicts = verdicts;
		else this.#invocation.refuseForgery();
		this.#invocation.refresh();
	}
}

/** What may be said of an event, and of each of its parts. */
function methodsOf({ argument, parts }: EventHead): string[][] {
	return [argument.methods, ...parts.map(({ methods }) => methods)];
}
