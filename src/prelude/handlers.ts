import { handlePromise, reportError } from "./errors/report-error.ts";
import { Event, type EventTarget } from "./events/event.ts";
import type { Request } from "./fetch/request.ts";
import { asInterface } from "./interface.ts";
import type { Invocation } from "./invocation.ts";

/** What a function does with a request; the value is checked to be a Response by whoever calls it. */
type Handler = (request: Request, invocation: Invocation) => unknown;

/** https://developers.cloudflare.com/workers/runtime-apis/context/: the third argument of a handler. */
class ExecutionContext {
	#invocation: Invocation;
	readonly props = {};
	constructor(invocation: Invocation) {
		this.#invocation = invocation;
	}
	/** Keeps the request's resources until the promise settles; its failure is logged. */
	waitUntil(promise: unknown): void {
		waitUntil(this.#invocation, promise);
	}
	/** Accepted for compatibility: there is no origin behind a function to pass through to. */
	passThroughOnException(): void {}
}
asInterface(ExecutionContext, "ExecutionContext");

function waitUntil(invocation: Invocation, promise: unknown): void {
	if (invocation.done) throw new Error("waitUntil() is not available after the request has ended");
	invocation.hold();
	handlePromise(promise);
	void (async () => {
		try {
			await promise;
		} catch (error) {
			reportError(error);
		}
		invocation.release();
	})();
}

/** https://w3c.github.io/ServiceWorker/#fetchevent-interface */
export class FetchEvent extends Event {
	#request: Request;
	#invocation: Invocation;
	#response: { value: unknown } | null = null;
	constructor(request: Request, invocation: Invocation) {
		super("fetch", { cancelable: true });
		this.#request = request;
		this.#invocation = invocation;
	}
	get request(): Request {
		return this.#request;
	}
	respondWith(response: unknown): void {
		if (this.#response !== null) throw new Error("respondWith() has already been called");
		this.#response = { value: response };
		this.stopImmediatePropagation();
	}
	waitUntil(promise: unknown): void {
		waitUntil(this.#invocation, promise);
	}
	passThroughOnException(): void {}
	/** @internal */
	static answerOf(event: FetchEvent): unknown {
		return event.#response?.value;
	}
}
asInterface(FetchEvent, "FetchEvent");
const { answerOf } = FetchEvent;
Reflect.deleteProperty(FetchEvent, "answerOf");

let handler: Handler | null = null;
let fetchListeners = 0;
let env: Record<string, unknown> = {};

export function setEnvironment(values: Record<string, unknown>): void {
	env = values;
}
export function environment(): Record<string, unknown> {
	return env;
}

/** Notes that the function listens for `fetch` events; one of the forms that a handler can take. */
export function countFetchListener(): void {
	fetchListeners++;
}

/** `Deno.serve(handler)`, `Deno.serve(options, handler)` or `Deno.serve({ handler })`. */
export function serve(first: unknown, second?: unknown): object {
	const serving =
		typeof first === "function"
			? first
			: typeof second === "function"
				? second
				: (first as { handler?: unknown } | null)?.handler;
	if (typeof serving !== "function") throw new TypeError("Deno.serve: no handler was given");
	handler = (request, invocation) =>
		serving(request, { remoteAddr: {}, waitUntil: (promise: unknown) => waitUntil(invocation, promise) });
	const finished = Promise.resolve();
	return {
		finished,
		shutdown: async () => undefined,
		ref() {},
		unref() {},
		addr: { transport: "tcp", hostname: "0.0.0.0", port: 0 },
	};
}

/** Finds the handler among a module's exports. Returns why there is none, or `null`. */
export function adoptModule(exports: Record<string, unknown>, scope: EventTarget): string | null {
	const main = exports.default;
	const object = main as { fetch?: unknown } | null | undefined;
	if (
		object !== null &&
		(typeof object === "object" || typeof object === "function") &&
		typeof object.fetch === "function"
	) {
		handler = (request, invocation) =>
			(object.fetch as (...args: unknown[]) => unknown)(request, env, new ExecutionContext(invocation));
	} else if (
		typeof main === "function" &&
		typeof (main.prototype as { fetch?: unknown } | undefined)?.fetch === "function"
	) {
		// A class, as https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/rpc/ has it.
		const Entrypoint = main as unknown as new (ctx: ExecutionContext, environment: unknown) => { fetch: Handler };
		handler = (request, invocation) => {
			const context = new ExecutionContext(invocation);
			return (new Entrypoint(context, env).fetch as (...args: unknown[]) => unknown)(request, env, context);
		};
	} else if (typeof main === "function") {
		handler = (request, invocation) =>
			(main as (...args: unknown[]) => unknown)(request, env, new ExecutionContext(invocation));
	} else if (handler === null && fetchListeners > 0) {
		handler = (request, invocation) => {
			const event = new FetchEvent(request, invocation);
			scope.dispatchEvent(event);
			return answerOf(event);
		};
	}
	if (handler !== null) return null;
	// A script without any export is bundled as if it were CommonJS, whose exports are an empty object.
	const isEmpty =
		typeof main === "object" && main !== null && Object.keys(main).length === 0 && Object.keys(exports).length === 1;
	if (isEmpty && Object.getPrototypeOf(main) === Object.prototype) return "it exports no fetch handler";
	if (main !== undefined)
		return `its default export is ${main === null ? "null" : typeof main === "object" ? "an object without a fetch function" : `a ${typeof main}`}`;
	const names = Object.keys(exports);
	return names.length === 0 ? "it exports nothing" : `it exports only ${names.slice(0, 5).join(", ")}`;
}

export function handle(request: Request, invocation: Invocation): unknown {
	return (handler as Handler)(request, invocation);
}
