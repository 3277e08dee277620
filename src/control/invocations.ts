import { randomUUID } from "node:crypto";
import type { ContentType } from "../bindings/queue/calls.ts";
import { type FunctionId, keyOf } from "../names.ts";
import { type TraceContext, writtenTrace } from "../observe/trace-context.ts";
import { refusalIn, type StoredData } from "../stores/data-process.ts";
import {
	type Destination,
	type InvocationState,
	type InvokedEvent,
	invocationQueue,
	type TakeIn,
	type TakenIn,
} from "../triggers/invocation-calls.ts";
import type { Bytes, Seconds } from "../units.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { ControlError } from "./control-error.ts";
import type { Feed } from "./feed/feed.ts";
import { parseJson } from "./json.ts";
import type { Queues } from "./queues.ts";

/** What a function is called with may be so large, and held back for so long. */
const MOST_PAYLOAD: Bytes = 2 ** 20;
export const LONGEST_DELAY: Seconds = 43_200;

/** What invocations are kept by. */
export interface InvocationsParts {
	catalog: Catalog;
	data: StoredData;
	queues: Queues;
	feed: Feed;
	/** How much a tenant may store. */
	storedBytes: Bytes;
}

/** What is asked for. */
export interface Asked {
	event: InvokedEvent;
	delay: Seconds;
	retries: number;
	onSuccess: Destination | null;
	onFailure: Destination | null;
	/** Where that is asked, in its trace; `null` where it is in none. */
	trace: TraceContext | null;
	/** Whoever asks twice under one is given the first invocation; empty for none. */
	key: string;
}

/** Events that functions are called with later, by an edge: control takes them in, and tells what has become of them. */
export class Invocations {
	readonly #parts: InvocationsParts;

	constructor(parts: InvocationsParts) {
		this.#parts = parts;
	}

	/**
	 * Takes one in: once this resolves it is on the disk. Throws ControlError: `not_found` for a function, or a
	 * destination, that is not there, `invalid` for an event that it has no handler for, `too_large`.
	 */
	async submit(to: FunctionId, asked: Asked, payload: Uint8Array): Promise<{ id: string; repeated: boolean }> {
		const { data, feed, storedBytes } = this.#parts;
		const { event, delay, retries, onSuccess, onFailure, trace, key } = asked;
		if (payload.byteLength > MOST_PAYLOAD)
			throw new ControlError("too_large", `a function is invoked with up to ${MOST_PAYLOAD} bytes`);
		await this.#check(to, asked);
		if (event.type !== "fetch") checkPayload(event, payload);
		const invocation = {
			...{ id: randomUUID(), function: to.name, size: payload.byteLength, delayMs: delay * 1000 },
			...{ event, retries, onSuccess, onFailure },
		};
		const said: TakeIn = {
			tenant: to.tenant,
			once: key === "" ? null : { scope: `function/${to.name}`, key },
			invocations: [invocation],
			messages: [],
			trace: writtenTrace(trace),
			mostBytes: storedBytes,
		};
		const call = { store: "invocations", operation: "take", said, bytes: payload };
		const taken = (await data.ask(to.tenant, call).catch(refuse)).said as TakenIn;
		feed.queued(to.tenant, invocationQueue(to.name));
		return { id: taken.invocation, repeated: taken.repeated };
	}

	async #check(to: FunctionId, { event, onSuccess, onFailure }: Asked): Promise<void> {
		const { catalog, queues } = this.#parts;
		const { value: one } = await catalog.find(to);
		for (const destination of [onSuccess, onFailure])
			if (destination !== null && "queue" in destination) await queues.find(to.tenant, destination.queue);
			else if (destination !== null) await catalog.find({ tenant: to.tenant, name: destination.function });
		if (event.type === "fetch") return;
		const shares = (await catalog.released(one))?.shares.filter(({ percent }) => percent > 0) ?? [];
		const versions = await Promise.all(shares.map(({ version }) => catalog.version(to, version)));
		if (versions.length === 0 || !versions.every(({ handlers }) => handlers.includes(event.type)))
			throw new ControlError("invalid", `what is released of ${to.name} has no ${event.type} handler`);
	}

	/** What has become of one, with the beginning of its response's body. Throws ControlError `not_found`. */
	async state(of: FunctionId, id: string): Promise<InvocationState & { result: Uint8Array }> {
		const { said, bytes } = await this.#ask(of, "get", { id });
		if (said === null) throw new ControlError("not_found", `${keyOf(of)} has no invocation ${id}, or had it long ago`);
		return { ...(said as InvocationState), result: bytes };
	}

	/** The latest of a function. */
	async list(of: FunctionId): Promise<InvocationState[]> {
		await this.#parts.catalog.find(of);
		return (await this.#ask(of, "list", {})).said as InvocationState[];
	}

	/** Throws ControlError `not_found`, and `conflict` for one that is over or being performed. */
	async cancel(of: FunctionId, id: string): Promise<void> {
		const { state } = await this.state(of, id);
		if ((await this.#ask(of, "cancel", { id })).said !== true)
			throw new ControlError("conflict", `the invocation ${id} cannot be cancelled: it is ${state}`);
	}

	#ask({ tenant, name }: FunctionId, operation: string, said: object) {
		const call = { store: "invocations", operation, said: { tenant, function: name, ...said } };
		return this.#parts.data.ask(tenant, call);
	}
}

/** A payload's kind, by its media type. */
export function kindOf(mediaType: string): ContentType {
	if (/^application\/(?:[^;]+\+)?json\b/i.test(mediaType)) return "json";
	return /^text\//i.test(mediaType) ? "text" : "bytes";
}

/** Throws ControlError `invalid` for what is said to be JSON and is none. */
function checkPayload(event: InvokedEvent, payload: Uint8Array): void {
	const isJson =
		(event.type === "queue" && event.contentType === "json") || (event.type === "event" && event.data === "json");
	if (isJson) parseJson(Buffer.from(payload).toString(), "the body");
}

function refuse(error: Error): never {
	const { status, why } = refusalIn(error) ?? { status: 0, why: "" };
	throw status === 413 ? new ControlError("too_large", why) : error;
}
