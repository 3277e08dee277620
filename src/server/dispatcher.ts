import type { Content } from "../bindings/binding.ts";
import { stripHopByHop } from "../bindings/fetch/edge/hop-by-hop.ts";
import { without } from "../bindings/fetch/edge/redirects.ts";
import type {
	Called,
	CallResult,
	Chain,
	FetchedResponse,
	FunctionCall,
	FunctionRequest,
	Functions,
} from "../bindings/functions.ts";
import type { Deployments } from "../deployments/deployments.ts";
import { FunctionError } from "../errors.ts";
import type { StackMapper } from "../helpers/stack-mapper.ts";
import { Invocation, type InvocationContext, type Invoked } from "../invocation/invocation.ts";
import type { ResponseHead } from "../link/messages.ts";
import type { TenantName } from "../names.ts";
import type { Observer } from "../observe/observer.ts";
import { newRecord, type Outcome, type Trigger } from "../observe/record.ts";
import { traceIn, withTrace } from "../observe/trace-context.ts";
import type { Milliseconds } from "../units.ts";
import { callFailure, errorResponse, hasStubs, kindOf } from "./error-response.ts";
import { type Exchange, methodOf, type ResponseSink, typeOf } from "./exchange.ts";
import { FetchSink } from "./fetch-sink.ts";
import { HttpEvent } from "./http-event.ts";
import { nextRequestId } from "./request-id.ts";
import type { SiteDelivery } from "./site-delivery.ts";

/** Subrequests from function to function may go so deep. */
const MAX_DEPTH = 16;
/**
 * One request from outside may lead to so many in all, itself included: else each of fifty would lead to fifty more.
 */
const MAX_INVOCATIONS = 32;

/** What requests are served with. */
export interface DispatcherSettings extends Omit<InvocationContext, "ended"> {
	deployments: Deployments;
	mapper: StackMapper;
	/** The files of versions. */
	files: SiteDelivery;
	/** Whether errors are shown with their stacks. */
	development: boolean;
}

/** What can be aborted: an invocation, or a file on its way; `null` for what was refused. */
type Running = Invocation | { abort(): void } | null;

/** A request of a function to another one. */
interface Subrequest {
	response: Promise<FetchedResponse>;
	running: Running;
	/** What it comes to where the function leaves that has made it. */
	gone: Outcome;
}

/** So many hostnames are named where one was asked for that is not there. */
const MOST_HOSTNAMES = 50;

/** What is known of a request that is refused. */
interface RefusalDetails {
	/** Where its head could be read. */
	request?: Exchange | null;
	accept?: string;
	/** Whether its client gets an answer. */
	answered?: boolean;
}

/**
 * Hands each request to an invocation of the function that serves its hostname, and functions' requests to one
 * another likewise.
 */
export class Dispatcher implements Functions {
	readonly #deployments: Deployments;
	readonly #observer: Observer;
	/** Maps the stacks of errors that are shown; `null` where none are. */
	readonly #mapper: StackMapper | null;
	readonly #files: SiteDelivery;
	readonly #context: InvocationContext;
	/** What is being worked on, each at its `place`: not a Set, for the reason that `pool/sandbox.ts` gives. */
	readonly #running: Invocation[] = [];
	#draining = false;
	#idle: (() => void) | null = null;

	constructor({ deployments, mapper, files, development, ...shared }: DispatcherSettings) {
		this.#files = files;
		this.#deployments = deployments;
		this.#observer = shared.observer;
		this.#mapper = development ? mapper : null;
		this.#context = {
			...shared,
			ended: (invocation) => {
				this.#remove(invocation);
				if (this.inFlight === 0) this.#idle?.();
			},
		};
	}

	/** How many events are being worked on. */
	get inFlight(): number {
		return this.#running.length;
	}

	/** Runs an event at a function. */
	run(invoked: Invoked): Invocation {
		const invocation = new Invocation(this.#context, invoked);
		invocation.place = this.#running.push(invocation) - 1;
		invocation.start();
		return invocation;
	}

	/** The last takes the place of one that has ended. */
	#remove({ place }: Invocation): void {
		const last = this.#running.pop() as Invocation;
		if (last.place === place) return;
		this.#running[place] = last;
		last.place = place;
	}

	/** Hands on a request. Returns what can be aborted, if anything runs. */
	dispatch(
		requestId: string,
		request: Exchange | FunctionError,
		sink: ResponseSink,
		accept: string,
		trigger: Trigger,
	): Running {
		try {
			if (request instanceof FunctionError) throw request;
			// What is at work is finished, with all that it asks other functions.
			if (this.#draining && trigger !== "subrequest") throw new FunctionError("shutting_down");
			const version = this.#deployments.pick(request);
			if (request.body instanceof Uint8Array && request.body.byteLength > version.function.requestBodyBytes)
				throw new FunctionError("body_too_large");
			if (version.version.site !== null) {
				const one = { version, exchange: request, sink, requestId, trigger };
				const answer = this.#files.find(one);
				if (answer !== null) return this.#files.send(answer, one);
			}
			const event = new HttpEvent({ exchange: request, sink, accept, mapper: this.#mapper });
			return this.run({ version, event, requestId, trigger });
		} catch (error) {
			if (!(error instanceof FunctionError)) throw error;
			const known = request instanceof FunctionError ? null : request;
			const { head, body } = this.refuse(error, requestId, trigger, { request: known, accept });
			// A proxy may have read a malformed request otherwise, and what comes behind it.
			if (error.code === "bad_request" || error.code === "shutting_down") sink.endConnection();
			sink.respond(head, body);
			return null;
		}
	}

	/** In development it is told where there are functions. */
	#withHostnames(error: FunctionError): FunctionError {
		if (this.#mapper === null || error.code !== "hostname_not_found") return error;
		const all = this.#deployments.hostnames;
		const more = all.length > MOST_HOSTNAMES ? ` and ${all.length - MOST_HOSTNAMES} more` : "";
		const there = all.length === 0 ? "none yet" : all.slice(0, MOST_HOSTNAMES).join(", ");
		return new FunctionError(error.code, `${error.publicMessage} There are: ${there}${more}.`);
	}

	/** Records a request that reaches no function. Returns what it is to be answered with. */
	refuse(
		error: FunctionError,
		requestId: string,
		trigger: Trigger,
		{ request = null, accept = "", answered = true }: RefusalDetails = {},
	): { head: ResponseHead; body: Uint8Array } {
		const told = this.#withHostnames(error);
		const detail = told === error ? null : { stack: "", excerpt: null };
		const event = request === null ? "http" : typeOf(request);
		const { head, body } = event === "rpc" ? callFailure(told) : errorResponse(told, requestId, accept, detail);
		head.headers.push("x-atoll-request-id", requestId);
		const record = newRecord(requestId, event, trigger);
		record.traceId = traceIn(request?.headers ?? [])?.traceId ?? "";
		record.hostname = request?.hostname ?? "";
		record.method = request === null ? "" : methodOf(request);
		record.url = event === "http" ? (request?.url ?? "") : "";
		record.status = answered ? error.status : 0;
		record.outcome = error.code;
		record.responseBytes = answered ? body.byteLength : 0;
		this.#observer.record(record, event === "http" ? request : null);
		return { head, body };
	}

	within(tenant: TenantName, hostname: string): string | null {
		return this.#deployments.within(tenant, hostname);
	}

	refusal({ depth, total }: Chain): string | null {
		if (depth === MAX_DEPTH) return `functions have called one another ${MAX_DEPTH} deep`;
		if (total.invocations === MAX_INVOCATIONS)
			return `one request has already led to ${MAX_INVOCATIONS} requests among functions`;
		return null;
	}

	async ask(request: FunctionRequest, chain: Chain, called?: Called): Promise<FetchedResponse> {
		const headers = without(stripHopByHop(request.headers), (name) => name === "host");
		headers.push("host", request.url.host);
		const url = new URL(request.url);
		url.hash = "";
		const { method, content, signal } = request;
		const { function: to = null, asked = null } = called ?? {};
		const exchange = { method, url: url.href, hostname: url.hostname, to, asked, headers, body: content };
		return this.#subrequest(exchange, chain, signal).response;
	}

	async call({ content, signal, trace }: FunctionCall, chain: Chain, called: Called): Promise<CallResult> {
		const { function: to, asked } = called;
		const headers = withTrace([], trace, null);
		const exchange = { method: "POST", url: "", hostname: "", to, asked, headers, body: content };
		const subrequest = this.#subrequest(exchange, chain, signal);
		const { running } = subrequest;
		const { head, body } = await subrequest.response;
		const kind = kindOf(head);
		if (kind === "failure") throw new Error(Buffer.from(body as Uint8Array).toString());
		const stays = running instanceof Invocation && kind === "value" && hasStubs(head);
		if (stays) subrequest.gone = "ok"; // Nothing says when it needs the stubs no longer, but that it ends.
		const session = stays ? { tell: (told: Content) => running.tell(told) } : null;
		return { thrown: kind === "thrown", content: body, session };
	}

	#subrequest(asked: Omit<Exchange, "client" | "chain">, { depth, total }: Chain, signal: AbortSignal): Subrequest {
		const refusal = this.refusal({ depth, total });
		if (refusal !== null) throw new Error(refusal);
		total.invocations++;
		const sink = new FetchSink({ method: asked.method, reader: "function" });
		const exchange: Exchange = { ...asked, client: null, chain: { depth: depth + 1, total } };
		const running = this.dispatch(nextRequestId(), exchange, sink, "", "subrequest");
		const subrequest: Subrequest = { response: sink.response, running, gone: "client_gone" };
		sink.onGone = () => running?.abort(subrequest.gone);
		signal.addEventListener("abort", () => {
			running?.abort(subrequest.gone);
			sink.cut();
		});
		return subrequest;
	}

	/**
	 * From now on requests from outside get `shutting_down`. Resolves when none is being worked on any more, or so much
	 * later, when those that are left get it, too.
	 */
	async drain(timeout: Milliseconds): Promise<void> {
		this.#draining = true;
		if (this.inFlight === 0) return;
		const { promise, resolve } = Promise.withResolvers<void>();
		const timer = setTimeout(resolve, timeout);
		this.#idle = resolve;
		await promise;
		clearTimeout(timer);
		for (const invocation of [...this.#running]) invocation.shutDown();
	}
}
