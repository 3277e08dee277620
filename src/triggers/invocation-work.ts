import type { FunctionId } from "../names.ts";
import type { StoredData } from "../stores/data-process.ts";
import type { Bytes } from "../units.ts";
import { LEASE_MS, type Leased, retryMs, type Work } from "./consumer.ts";
import type { Attempted, InvocationLease, LeasedInvocation } from "./invocation-calls.ts";

/** So many invocations of a function are performed at a time. */
const CONCURRENCY = 10;
/** Of an answer so much is kept. */
export const MOST_RESULT: Bytes = 64 * 1024;

/** What came of an invocation that its function has seen. */
export interface Performed {
	ok: boolean;
	/** Whether it may be tried again. */
	again: boolean;
	/** Of its response; 0 for an event that is no request. */
	status: number;
	/** What went wrong; empty for nothing. */
	error: string;
	/** The beginning of its response's body. */
	body: Uint8Array;
}

/** Has a function perform an invocation; `null` where it has not seen it. */
export type Perform = (invocation: LeasedInvocation, bytes: Uint8Array) => Promise<Performed | null>;

export interface InvocationWorkParts {
	function: FunctionId;
	data: StoredData;
	perform: Perform;
	/** How much the tenant may store. */
	storedBytes: Bytes;
	/** A queue of the tenant's has messages. */
	queued: (queue: string) => void;
}

interface Batch {
	invocation: LeasedInvocation;
	bytes: Uint8Array;
}

/** A function's invocations that nobody waits for, one after the other. */
export class InvocationWork implements Work<Batch> {
	readonly name = "invocations";
	readonly concurrency = CONCURRENCY;
	readonly batchSize = 1;
	readonly #parts: InvocationWorkParts;

	constructor(parts: InvocationWorkParts) {
		this.#parts = parts;
	}

	async lease(lease: string): Promise<Leased<Batch>> {
		const { tenant, name } = this.#parts.function;
		const said: InvocationLease = { tenant, function: name, lease, leaseMs: LEASE_MS };
		const done = await this.#parts.data.ask(tenant, { store: "invocations", operation: "lease", said });
		const invocation = done.said as LeasedInvocation | null;
		const batch = invocation === null ? null : { invocation, bytes: done.bytes };
		// What is due later is found by who looks for it.
		return { batch, more: batch !== null, nextMs: null, missing: 0 };
	}

	async perform(lease: string, { invocation, bytes }: Batch): Promise<boolean> {
		const { tenant, name } = this.#parts.function;
		const performed = await this.#tried(invocation, bytes);
		const { ok = false, again = true, status = 0, error = "", body } = performed ?? {};
		const outcome = performed === null ? "unseen" : ok ? "ok" : "failed";
		const delayMs = performed === null ? 0 : retryMs(invocation.attempts);
		const { message } = invocation;
		const { storedBytes: mostBytes } = this.#parts;
		const said: Attempted = {
			...{ tenant, function: name, lease, message, mostBytes },
			...{ outcome, again, delayMs, status, error },
		};
		const call = { store: "invocations", operation: "finish", said, ...(body !== undefined && { bytes: body }) };
		for (const queue of (await this.#parts.data.ask(tenant, call)).said as string[]) this.#parts.queued(queue);
		return performed !== null;
	}

	/** What cannot be handed over has failed. */
	async #tried(invocation: LeasedInvocation, bytes: Uint8Array): Promise<Performed | null> {
		try {
			return await this.#parts.perform(invocation, bytes);
		} catch (error) {
			return { ok: false, again: false, status: 0, error: (error as Error).message, body: new Uint8Array() };
		}
	}
}
