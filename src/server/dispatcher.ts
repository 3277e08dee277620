import type { FetchedResponse } from "../bindings/effects.ts";
import type { Egress } from "../bindings/fetch/edge/egress.ts";
import { stripHopByHop } from "../bindings/fetch/edge/hop-by-hop.ts";
import { followRedirects, type Hop, without } from "../bindings/fetch/edge/redirects.ts";
import type { Deployments } from "../control/deployments.ts";
import type { Version } from "../control/version.ts";
import { FunctionError } from "../errors.ts";
import type { ResponseHead } from "../link/messages.ts";
import type { Observer } from "../observe/observer.ts";
import { newRecord, type Trigger } from "../observe/record.ts";
import type { Milliseconds } from "../units.ts";
import { errorResponse } from "./error-response.ts";
import type { Chain, Exchange, ResponseSink } from "./exchange.ts";
import { FetchSink } from "./fetch-sink.ts";
import { Invocation, type InvocationContext } from "./invocation.ts";
import { nextRequestId } from "./request-id.ts";

/** Subrequests from function to function may go so deep. */
const MAX_DEPTH = 16;
/** One request from outside may lead to so many in all, itself included: else each of fifty would lead to fifty more. */
const MAX_INVOCATIONS = 32;

/** What requests are served with. */
export interface DispatcherSettings extends Omit<InvocationContext, "fetcher" | "ended"> {
	deployments: Deployments;
	egress: Egress;
}

/** What is known of a request that is refused. */
interface RefusalDetails {
	/** Where its head could be read. */
	request?: Exchange | null;
	accept?: string;
	/** Whether its client gets an answer. */
	answered?: boolean;
}

/** Hands each request to an invocation of the function that serves its hostname, and functions' requests to one another likewise. */
export class Dispatcher {
	readonly #deployments: Deployments;
	readonly #egress: Egress;
	readonly #observer: Observer;
	readonly #context: InvocationContext;
	/** Requests that are being worked on. */
	inFlight = 0;
	#idle: (() => void) | null = null;

	constructor({ deployments, egress, ...shared }: DispatcherSettings) {
		this.#deployments = deployments;
		this.#egress = egress;
		this.#observer = shared.observer;
		this.#context = {
			...shared,
			fetcher: ({ chain }, caller) => ({
				perform: (request) => followRedirects(request, (hop) => this.#subrequest(hop, chain, caller)),
				refusal: (url) => (this.#called(url, caller) === null ? null : chainRefusal(chain)),
			}),
			ended: () => {
				this.inFlight--;
				if (this.inFlight === 0) this.#idle?.();
			},
		};
	}

	/** Returns what can be aborted, if anything runs. */
	dispatch(
		requestId: string,
		request: Exchange | FunctionError,
		sink: ResponseSink,
		accept: string,
		trigger: Trigger,
	): Invocation | null {
		try {
			if (request instanceof FunctionError) throw request;
			const version = this.#deployments.lookup(request.hostname);
			const invocation = new Invocation(this.#context, {
				version,
				exchange: request,
				sink,
				requestId,
				trigger,
				accept,
			});
			this.inFlight++;
			invocation.start();
			return invocation;
		} catch (error) {
			if (!(error instanceof FunctionError)) throw error;
			const known = request instanceof FunctionError ? null : request;
			const { head, body } = this.refuse(error, requestId, trigger, { request: known, accept });
			sink.respond(head, body);
			return null;
		}
	}

	/** Records a request that reaches no function. Returns what it is to be answered with. */
	refuse(
		error: FunctionError,
		requestId: string,
		trigger: Trigger,
		{ request = null, accept = "", answered = true }: RefusalDetails = {},
	): { head: ResponseHead; body: Uint8Array } {
		const { head, body } = errorResponse(error, requestId, accept, null);
		head.headers.push("x-atoll-request-id", requestId);
		const record = newRecord(requestId, trigger);
		record.hostname = request?.hostname ?? "";
		record.method = request?.method ?? "";
		record.status = answered ? error.status : 0;
		record.outcome = error.code;
		record.responseBytes = answered ? body.byteLength : 0;
		this.#observer.record(record);
		return { head, body };
	}

	/**
	 * The URL of a subrequest that goes to a function which the caller reaches within the process, its hostname in
	 * normal form; else `null`.
	 */
	#called(target: string, caller: Version): URL | null {
		const url = URL.parse(target);
		if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return null;
		const hostname = this.#deployments.within(caller.function.tenant, url.hostname);
		if (hostname === null) return null;
		url.hostname = hostname;
		return url;
	}

	/**
	 * One request of a function's `fetch`: to another function of its tenant without leaving the process, else to the
	 * network.
	 */
	async #subrequest(hop: Hop, chain: Chain, caller: Version): Promise<FetchedResponse> {
		const url = this.#called(hop.url, caller);
		if (url === null) return this.#egress.send(hop, caller.tenantNumber);
		const refusal = chainRefusal(chain);
		if (refusal !== null) throw new Error(refusal);
		const { depth, total } = chain;
		total.invocations++;
		const headers = without(stripHopByHop(hop.headers), (name) => name === "host");
		headers.push("host", url.host);
		url.hash = "";
		const sink = new FetchSink({ method: hop.method, reader: "function" });
		const exchange: Exchange = {
			method: hop.method,
			url: url.href,
			hostname: url.hostname,
			headers,
			body: hop.content,
			client: null,
			chain: { depth: depth + 1, total },
		};
		const running = this.dispatch(nextRequestId(), exchange, sink, "", "subrequest");
		sink.onGone = () => running?.abort();
		hop.signal.addEventListener("abort", () => {
			running?.abort();
			sink.cut();
		});
		return sink.response;
	}

	/** Resolves when no request is being worked on any more, or so much later. */
	async drain(timeout: Milliseconds): Promise<void> {
		if (this.inFlight === 0) return;
		const { promise, resolve } = Promise.withResolvers<void>();
		const timer = setTimeout(resolve, timeout);
		this.#idle = resolve;
		await promise;
		clearTimeout(timer);
	}
}

/** Why a request may not lead to another one at a function. */
function chainRefusal({ depth, total }: Chain): string | null {
	if (depth === MAX_DEPTH) return `functions have called one another ${MAX_DEPTH} deep`;
	if (total.invocations === MAX_INVOCATIONS)
		return `one request has already led to ${MAX_INVOCATIONS} requests among functions`;
	return null;
}
