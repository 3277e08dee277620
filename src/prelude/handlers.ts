import { HANDLERS } from "../link/handlers.ts";
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
	#props: object | null = null;
	constructor(invocation: Invocation) {
		this.#invocation = invocation;
	}
	get props(): object {
		this.#props ??= {};
		return this.#props;
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

/** What handles requests, in whichever form the function has it. */
let handler: Handler | null = null;
/** The module's default export, which has the handlers of other events. */
let main: unknown;
let names = "";
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

/** Finds the handlers among a module's exports. Returns why there is none, or `null`. */
export function adoptModule(exports: Record<string, unknown>, scope: EventTarget): string | null {
	main = exports.default;
	const object = main as { fetch: (...args: unknown[]) => unknown };
	for (let i = 0; i < HANDLERS.length; i++)
		if (isMember(HANDLERS[i]) || isEntrypoint(HANDLERS[i])) addName(HANDLERS[i]);
	if (isMember("fetch")) {
		handler = (request, invocation) => object.fetch(request, env, new ExecutionContext(invocation));
	} else if (isEntrypoint("fetch")) {
		handler = (request, invocation) => callEntrypoint("fetch", request, invocation);
	} else if (typeof main === "function" && names === "") {
		handler = (request, invocation) =>
			(main as (...args: unknown[]) => unknown)(request, env, new ExecutionContext(invocation));
	} else if (handler === null && fetchListeners > 0) {
		handler = (request, invocation) => {
			const event = new FetchEvent(request, invocation);
			scope.dispatchEvent(event);
			return answerOf(event);
		};
	}
	if (handler !== null && !isMember("fetch") && !isEntrypoint("fetch")) addName("fetch");
	if (names !== "") return null;
	// A script without any export is bundled as if it were CommonJS, whose exports are an empty object.
	const isEmpty =
		typeof main === "object" && main !== null && Object.keys(main).length === 0 && Object.keys(exports).length === 1;
	if (isEmpty && Object.getPrototypeOf(main) === Object.prototype) return "it exports no fetch handler";
	if (main !== undefined)
		return `its default export is ${main === null ? "null" : typeof main === "object" ? "an object without a fetch function" : `a ${typeof main}`}`;
	const exported = Object.keys(exports);
	return exported.length === 0 ? "it exports nothing" : `it exports only ${exported.slice(0, 5).join(", ")}`;
}

export function handle(request: Request, invocation: Invocation): unknown {
	return (handler as Handler)(request, invocation);
}

/** Whether the function handles requests. */
export function handlesRequests(): boolean {
	return handler !== null;
}

/** Whether the function has a handler of this name, for an event that is no request. */
export function hasHandler(name: string): boolean {
	return isMember(name) || isEntrypoint(name);
}

/** Calls it. */
export function handleEvent(name: string, argument: object, invocation: Invocation): unknown {
	if (isEntrypoint(name)) return callEntrypoint(name, argument, invocation);
	return (main as Record<string, Method>)[name](argument, env, new ExecutionContext(invocation));
}

type Method = (argument: object, environment: unknown, ctx: ExecutionContext) => unknown;

/** Whether the default export has such a method. */
function isMember(name: string): boolean {
	return ((typeof main === "object" && main !== null) || typeof main === "function") && isMethodOf(main, name);
}

/** Whether it is a class whose instances have one. */
function isEntrypoint(name: string): boolean {
	if (typeof main !== "function") return false;
	const prototype = main.prototype as unknown;
	return typeof prototype === "object" && prototype !== null && isMethodOf(prototype, name);
}

function isMethodOf(object: object, name: string): boolean {
	return typeof (object as Record<string, unknown>)[name] === "function";
}

/** A class, as https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/rpc/ has it. */
function callEntrypoint(name: string, argument: object, invocation: Invocation): unknown {
	const Entrypoint = main as new (ctx: ExecutionContext, environment: unknown) => Record<string, Method>;
	const context = new ExecutionContext(invocation);
	return new Entrypoint(context, env)[name](argument, env, context);
}

function addName(name: string): void {
	names = names === "" ? name : `${names},${name}`;
}

/** The names of the handlers that the function had when it started, with commas between them. */
export function handlerNames(): string {
	return names;
}
