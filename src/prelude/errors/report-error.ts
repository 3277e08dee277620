import { encodeLine } from "../../link/line.ts";
import { type ErrorDescription, Kind, MAX_ERROR_TEXT } from "../../link/messages.ts";
import { dispatchTrusted, type Event, type EventTarget, setExceptionReporter } from "../events/event.ts";
import { host } from "../host.ts";
import { requireArguments } from "../interface.ts";
import { current } from "../io-context.ts";
import { errorType } from "./error-types.ts";

function readText(read: () => unknown): string {
	try {
		const value = read();
		return typeof value === "string" ? value.slice(0, MAX_ERROR_TEXT) : "";
	} catch {
		return "(its getter threw)";
	}
}

/** Describes anything that can be thrown, also what fights back: getters that throw, proxies, symbols. */
export function describeError(thrown: unknown): ErrorDescription {
	if ((typeof thrown === "object" && thrown !== null) || typeof thrown === "function") {
		const object = thrown as { name?: unknown; message?: unknown; stack?: unknown; cause?: unknown };
		const name = readText(() => object.name) || "Error";
		const message = readText(() => object.message);
		let stack = readText(() => object.stack) || `${name}: ${message}`;
		let cause: unknown;
		for (let depth = 0, effect: unknown = object; depth < 4; depth++, effect = cause) {
			cause = undefined;
			try {
				cause = (effect as { cause?: unknown }).cause;
			} catch {
				break;
			}
			if (typeof cause !== "object" || cause === null) break;
			const at = cause as { stack?: unknown; message?: unknown };
			const text = readText(() => at.stack) || readText(() => at.message);
			if (text !== "") stack = `${stack}\n[cause]: ${text}`.slice(0, 2 * MAX_ERROR_TEXT);
		}
		return { name, message, stack };
	}
	const text = readText(() => (typeof thrown === "string" ? JSON.stringify(thrown) : String(thrown)));
	return { name: "Error", message: text, stack: `Uncaught ${text}` };
}

const eventTypes = () => require("../events/event-types.ts") as typeof import("../events/event-types.ts");

let target: EventTarget | null = null;
const handlers: Record<string, unknown> = { error: null, unhandledrejection: null, rejectionhandled: null };

/** Gives uncaught errors a place to be heard: the global scope's own listeners. */
export function setGlobalTarget(scope: EventTarget): void {
	target = scope;
	for (const type of Object.keys(handlers)) {
		Object.defineProperty(globalThis, `on${type}`, {
			configurable: true,
			enumerable: true,
			get: () => handlers[type],
			set: (value) => {
				handlers[type] = typeof value === "function" ? value : null;
				noteListener(type);
			},
		});
	}
}

/**
 * Dispatches an event to the global scope, after the handler that was set for it has had a look. Returns whether it
 * counts still.
 */
function tell(event: Event, handler: (handle: (...args: unknown[]) => unknown) => unknown): boolean {
	const own = handlers[event.type];
	try {
		if (typeof own === "function" && handler(own as () => unknown) === true) event.preventDefault();
	} catch (error) {
		logUncaught(describeError(error));
	}
	return dispatchTrusted(target as EventTarget, event) && !event.defaultPrevented;
}

/** https://html.spec.whatwg.org/#report-the-exception */
export function reportError(thrown: unknown): void {
	requireArguments(arguments.length, 1, "reportError");
	const description = describeError(thrown);
	if (target !== null) {
		const event = new (eventTypes().ErrorEvent)("error", {
			message: description.message,
			error: thrown,
			cancelable: true,
		});
		if (!tell(event, (handle) => handle(event.message, "", 0, 0, thrown))) return;
	}
	logUncaught(description);
}

/** Knows of the function's own promises; `null` as long as it does not listen for what becomes of them. */
export let tracker: typeof import("./promise-tracker.ts") | null = null;

/** Something in the global scope listens for events of this type. */
export function noteListener(type: unknown): void {
	if (tracker !== null || (type !== "unhandledrejection" && type !== "rejectionhandled")) return;
	tracker = require("./promise-tracker.ts") as typeof import("./promise-tracker.ts");
	tracker.track(globalThis, ({ promise, reason }) => {
		const event = new (eventTypes().PromiseRejectionEvent)("rejectionhandled", { promise, reason });
		void Promise.resolve().then(() => tell(event, (handle) => handle(event)));
	});
}

/**
 * https://html.spec.whatwg.org/#unhandled-promise-rejections. V8 tells the sandbox of a rejection, not the isolate.
 * Where the tracker knows of none that it could be, what comes back in is a copy of the reason, and a promise that is
 * rejected with it.
 */
export function reportRejections(attempt: number, description: ErrorDescription | { value?: unknown }): void {
	const known = tracker === null ? [] : tracker.takeUnhandled();
	for (const { promise, reason } of known.length > 0 ? known : [copyOfRejection(description)]) {
		const event = new (eventTypes().PromiseRejectionEvent)("unhandledrejection", { promise, reason, cancelable: true });
		if (target !== null && !tell(event, (handle) => handle(event))) continue;
		const { name, message, stack } = describeError(reason);
		logUncaught({ name, message, stack: `Unhandled promise rejection: ${stack || message}` }, attempt);
	}
}

function copyOfRejection(description: ErrorDescription | { value?: unknown }): {
	promise: Promise<unknown>;
	reason: unknown;
} {
	let reason: unknown;
	if (Object.hasOwn(description, "value")) reason = (description as { value: unknown }).value;
	if (Object.hasOwn(description, "stack")) {
		const { name, message, stack } = description as ErrorDescription;
		const error = new (errorType(name))(message);
		Object.defineProperty(error, "stack", { value: stack, writable: true, configurable: true });
		reason = error;
	}
	const promise = Promise.reject(reason);
	promise.catch(() => undefined);
	return { promise, reason };
}

function logUncaught(description: ErrorDescription, attempt = current?.id ?? 0): void {
	if (host === undefined) return;
	host.emit(Kind.log, attempt, 0, encodeLine("error", description.stack), undefined, false);
}

setExceptionReporter(reportError);
