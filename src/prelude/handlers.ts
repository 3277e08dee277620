import { HANDLERS } from "../link/handlers.ts";
import type { EventTarget } from "./events/event.ts";
import { ExecutionContext, waitUntil } from "./execution-context.ts";
import type { Request } from "./fetch/request.ts";
import { exportedNames, setExports } from "./function-exports.ts";
import type { IoContext } from "./io-context.ts";

/** What a function does with a request; the value is checked to be a Response by whoever calls it. */
export type Handler = (request: Request, context: IoContext) => unknown;

/** What only functions in the syntax of service workers have a use for. */
const listening = () => require("./events/extendable-event.ts") as typeof import("./events/extendable-event.ts");

/** What handles requests, in whichever form the function has it; `null` if nothing does. */
export let handler: Handler | null = null;
/** The module's default export, which has the handlers of other events. */
let main: unknown;
let names = "";
/** The global scope's listeners, which handle what the default export has no handler for. */
let scope: EventTarget;
/** The names of the handlers in whose place there are such listeners. */
const listenedFor = new Set<string>();
let env: Record<string, unknown> = {};

export function setEnvironment(values: Record<string, unknown>): void {
	env = values;
}
export function environment(): Record<string, unknown> {
	return env;
}

/** Notes that the function listens for a type of event; one of the forms that a handler can take. */
export function noteHandler(type: unknown): void {
	for (let i = 0; i < HANDLERS.length; i++) if (HANDLERS[i] === type) listenedFor.add(HANDLERS[i]);
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
	handler = (request, context) =>
		serving(request, { remoteAddr: {}, waitUntil: (promise: unknown) => waitUntil(context, promise) });
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
export function adoptModule(exports: Record<string, unknown>, globalScope: EventTarget): string | null {
	setExports(exports);
	main = exports.default;
	scope = globalScope;
	const object = main as { fetch: (...args: unknown[]) => unknown };
	for (let i = 0; i < HANDLERS.length; i++)
		if (isMember(HANDLERS[i]) || isEntrypoint(HANDLERS[i])) addName(HANDLERS[i]);
	if (isMember("fetch")) {
		handler = (request, context) => object.fetch(request, env, new ExecutionContext(context));
	} else if (isEntrypoint("fetch")) {
		handler = (request, context) => callEntrypoint("fetch", request, context);
	} else if (typeof main === "function" && names === "" && !isEntrypointClass(main)) {
		handler = (request, context) =>
			(main as (...args: unknown[]) => unknown)(request, env, new ExecutionContext(context));
	} else if (handler === null && listenedFor.has("fetch")) {
		handler = (request, context) => listening().dispatchFetch(scope, request, context);
	}
	for (let i = 0; i < HANDLERS.length; i++) {
		const name = HANDLERS[i];
		if (isMember(name) || isEntrypoint(name)) continue;
		if (name === "fetch" ? handler !== null : listenedFor.has(name)) addName(name);
	}
	if (names !== "" || Object.keys(exports).some((name) => isEntrypointClass(exports[name]))) return null;
	// A script without any export is bundled as if it were CommonJS, whose exports are an empty object.
	const isEmpty =
		typeof main === "object" && main !== null && Object.keys(main).length === 0 && Object.keys(exports).length === 1;
	if (isEmpty && Object.getPrototypeOf(main) === Object.prototype) return "it exports no fetch handler";
	if (main !== undefined)
		return `its default export is ${main === null ? "null" : typeof main === "object" ? "an object without a fetch function" : `a ${typeof main}`}`;
	const known = exportedNames();
	return known.length === 0 ? "it exports nothing" : `it exports only ${known.slice(0, 5).join(", ")}`;
}

/** Whether a value is a class that has been derived from `WorkerEntrypoint`. */
function isEntrypointClass(value: unknown): boolean {
	// What is derived from nothing is not looked at any closer: the classes are loaded for those that are.
	if (typeof value !== "function" || Object.getPrototypeOf(value) === Function.prototype) return false;
	const classes = require("./entrypoints/base-classes.ts") as typeof import("./entrypoints/base-classes.ts");
	return classes.isEntrypointClass(value);
}

/** Whether the function has a handler of this name, for an event that is no request. */
export function hasHandler(name: string): boolean {
	return isMember(name) || isEntrypoint(name) || listenedFor.has(name);
}

/** Calls it. */
export function handleEvent(name: string, argument: object, context: IoContext): unknown {
	if (isEntrypoint(name)) return callEntrypoint(name, argument, context);
	if (!isMember(name)) return listening().dispatchExtendable(scope, name, argument);
	return (main as Record<string, Method>)[name](argument, env, new ExecutionContext(context));
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
function callEntrypoint(name: string, argument: object, context: IoContext): unknown {
	const Entrypoint = main as new (ctx: ExecutionContext, environment: unknown) => Record<string, Method>;
	const ctx = new ExecutionContext(context);
	return new Entrypoint(ctx, env)[name](argument, env, ctx);
}

function addName(name: string): void {
	names = names === "" ? name : `${names},${name}`;
}

/** The names of the handlers that the function had when it started, with commas between them. */
export function handlerNames(): string {
	return names;
}
