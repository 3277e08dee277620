import type { ResponseHead } from "../link/messages.ts";
import type { Asked } from "../link/service-head.ts";
import type { FunctionId, TenantName } from "../names.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import type { Content } from "./binding.ts";

/** The requests that functions make to other functions, from one request that came from outside. */
export interface Chain {
	/** How many functions deep in one another's subrequests this one is. */
	depth: number;
	/** All that the request from outside has led to so far. */
	readonly total: { invocations: number };
}

export function newChain(): Chain {
	return { depth: 0, total: { invocations: 1 } };
}

/** A request that a function makes of another. */
export interface FunctionRequest {
	/** Absolute. */
	url: URL;
	method: string;
	/** Name, value, name, value, …; names in lower case. */
	headers: string[];
	content: Uint8Array | AsyncIterable<Uint8Array> | null;
	signal: AbortSignal;
}

/** Whom a request is for, whatever its URL says. */
export interface Called {
	function: FunctionId;
	/** What it is asked for, where that is not just its default export. */
	asked: Asked | null;
}

/** A response as a value: a subrequest's, or the library's own `fetch`. */
export interface FetchedResponse {
	head: ResponseHead;
	body: Uint8Array | ReadableStream<Uint8Array> | null;
}

/** What a call of a function's method is made of. */
export interface FunctionCall {
	content: Content;
	signal: AbortSignal;
	/** Where it goes on in its caller's trace. */
	trace: TraceContext;
}

/** What a call has come to: what the method gave, or a copy of what it threw. */
export interface CallResult {
	thrown: boolean;
	content: FetchedResponse["body"];
	/** The function, which is still there for the stubs that the result has; `null` where it has none. */
	session: Session | null;
}

/** A function that has given stubs of what it holds. */
export interface Session {
	/** Tells it something of them. Resolves when it has been sent; rejects where the function is there no longer. */
	tell(content: Content): Promise<void>;
}

/** The functions of this edge, as bindings reach them: without leaving the process. */
export interface Functions {
	/**
	 * The hostname in its normal form where a tenant's functions reach one of their own by it, else `null`: whatever is
	 * another tenant's is reached as from outside.
	 */
	within(tenant: TenantName, hostname: string): string | null;
	/** Why a request may not lead to another one, or `null`. */
	refusal(chain: Chain): string | null;
	/**
	 * Asks the function at the hostname of the URL, or the one that is named. Rejects where there was no whole head.
	 */
	ask(request: FunctionRequest, chain: Chain, called?: Called): Promise<FetchedResponse>;
	/** Calls a method of a function that is named. Rejects where it could not be called, or has not ended by itself. */
	call(call: FunctionCall, chain: Chain, called: Called): Promise<CallResult>;
}
