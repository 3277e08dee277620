import { type ZodType, z } from "zod";
import type { TenantNumber } from "../link/protocol.ts";
import type { FunctionId } from "../names.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import type { Milliseconds } from "../units.ts";
import type { Chain } from "./functions.ts";

/** Who calls a binding, as the edge knows it: nothing of it was said by the function. */
export interface Caller {
	function: FunctionId;
	/** Stands for the tenant where the edge shares something out between tenants. */
	tenant: TenantNumber;
	/** The request that the call is made for. */
	requestId: string;
	/** Where that request stands among those of functions to functions. */
	chain: Chain;
	/** What that request said of its trace; `null` for nothing. */
	trace: TraceContext | null;
}

/** The bytes of a call or of its answer: whole, or as they come. */
export type Content = Uint8Array | AsyncIterable<Uint8Array> | null;

/** What a call has come to. */
export interface Answer {
	/** For the isolate's side, in the binding's own form. */
	text: string;
	content: Content;
	/** Whether the body stays open for as long as its reader likes: such a call is not one of those that run at a time. */
	idle?: boolean;
	/** Of a response over HTTP. */
	status?: number;
	/** Whether the body is what the tenant has stored, whose size is bounded there. */
	isStored?: boolean;
}

/** An answer that is there as a whole. */
export interface KnownAnswer extends Pick<Answer, "text"> {
	content: Uint8Array | null;
	/**
	 * Where it may be given again to whoever asks the same: says for how long, 0 for not at all. `forget` is called if it
	 * changes before that.
	 */
	lend?(forget: () => void): Milliseconds;
}

/** A call that makes sense and may be begun. */
export interface Prepared {
	/** Whom it goes to, as is said where it takes too long: a host, or a name. */
	target: string;
	/** What is done, in one word, where a binding does several things. */
	operation?: string;
	/** The request that it makes, where it makes one. */
	request?: { method: string; url: string };
	/**
	 * What it comes to, where that is known without a wait; `null` where it is to be done. Only asked of a call that brings no
	 * body.
	 */
	known?(): KnownAnswer | null;
	/**
	 * Does it. What it leads to elsewhere goes on from `trace`. `signal` aborts when nobody waits for it any more. Rejects
	 * with an Error whose message the function may read.
	 */
	perform(content: Content, signal: AbortSignal, trace: TraceContext): Promise<Answer>;
}

/** A binding as one request has it. */
export interface OpenBinding {
	/**
	 * Takes a call's argument apart, which has come out of an isolate: this is where it is checked, in time that is
	 * linear in its size. Gives a text for what is not even begun, and says why: a function can ask for fifty in a
	 * turn, so that this has to cost next to nothing; and `null` for what the isolate's side never sends.
	 */
	prepare(argument: string): Prepared | string | null;
	/**
	 * Takes what the function only says, and nobody answers: it is no subrequest, and has to cost next to nothing. All
	 * that a binding with this is asked comes here. Returns whether it is something that the isolate's side sends.
	 */
	note?(argument: string): boolean;
	/** The request is over. Calls that run have been aborted by then. */
	close?(): void;
}

/** The edge's side of a binding: what a folder's `edge.ts` makes, once for a runtime. */
export interface EdgeBinding<Settings = unknown> {
	/** What a deployment says of it, checked when it is deployed. */
	readonly settings: ZodType<Settings>;
	/** For a request that calls it, at the first call. */
	open(settings: Settings, caller: Caller): OpenBinding;
	/** The runtime is closed. */
	close?(): Promise<void>;
}

/** An argument in JSON, as its schema has it; `null` for what the isolate's side never sends. */
export function decodedBy<T>(schema: ZodType<T>, argument: string): T | null {
	try {
		return schema.safeParse(JSON.parse(argument)).data ?? null;
	} catch {
		return null;
	}
}

/** A binding of a function: what its deployment has put into `env` under a name. */
export interface Bound<Settings = unknown> {
	name: string;
	/** Which binding it is: a name in the registry. */
	type: string;
	settings: Settings;
}

/** What a deployment says of its bindings, by their names in `env`: the type of each, and its settings. */
export type GivenBindings = Record<string, { type: string; [setting: string]: unknown }>;

/** What is checked of them wherever they come from; the rest is checked by the edge's side of each. */
export const bindingsSchema = z
	.record(z.string(), z.looseObject({ type: z.string() }))
	.refine(
		(all) => Object.values(all).every(({ type }) => type !== "assets"),
		"files are bound by assets.binding, and not by their type",
	);

/**
 * What an isolate is told of a function's bindings, as its image has it: their names and types, and nothing of their
 * settings.
 */
export function describeBindings(bindings: readonly Pick<Bound, "name" | "type">[]): string {
	return JSON.stringify(bindings.map(({ name, type }) => [name, type]));
}
