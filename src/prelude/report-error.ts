import { dispatchTrusted, ErrorEvent, type EventTarget, setExceptionReporter } from "./event.ts";
import { host } from "./host.ts";
import { current } from "./invocation.ts";
import { Kind } from "./messages.ts";

/** An error as it goes to the log: never more than this, whatever the thrown value pretends to be. */
export interface ErrorDescription {
	name: string;
	message: string;
	stack: string;
}

const MAX_TEXT = 8 * 1024;

function readText(read: () => unknown): string {
	try {
		const value = read();
		return typeof value === "string" ? value.slice(0, MAX_TEXT) : "";
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
		for (let depth = 0, at: unknown = object; depth < 4; depth++, at = cause) {
			cause = undefined;
			try {
				cause = (at as { cause?: unknown }).cause;
			} catch {
				break;
			}
			if (typeof cause !== "object" || cause === null) break;
			const { stack: causeStack, message: causeMessage } = cause as { stack?: unknown; message?: unknown };
			const text = readText(() => causeStack) || readText(() => causeMessage);
			if (text !== "") stack = `${stack}\n[cause]: ${text}`.slice(0, 2 * MAX_TEXT);
		}
		return { name, message, stack };
	}
	const text = readText(() => (typeof thrown === "string" ? JSON.stringify(thrown) : String(thrown)));
	return { name: "Error", message: text, stack: `Uncaught ${text}` };
}

let target: EventTarget | null = null;
let onerror: unknown = null;

/** Gives uncaught errors a place to be heard: the global scope's own listeners. */
export function setGlobalTarget(scope: EventTarget): void {
	target = scope;
	Object.defineProperty(globalThis, "onerror", {
		configurable: true,
		enumerable: true,
		get: () => onerror,
		set: (value) => {
			onerror = typeof value === "function" ? value : null;
		},
	});
}

/** https://html.spec.whatwg.org/#report-the-exception */
export function reportError(thrown: unknown): void {
	const description = describeError(thrown);
	if (target !== null) {
		const event = new ErrorEvent("error", { message: description.message, error: thrown, cancelable: true });
		try {
			if (typeof onerror === "function" && onerror(event.message, "", 0, 0, thrown) === true) event.preventDefault();
		} catch (error) {
			logUncaught(describeError(error));
		}
		if (!dispatchTrusted(target, event)) return;
	}
	logUncaught(description);
}

function logUncaught(description: ErrorDescription): void {
	if (host === undefined) return;
	host.emit(
		Kind.log,
		current?.id ?? 0,
		0,
		JSON.stringify({ level: "error", uncaught: true, message: description.stack }),
	);
}

setExceptionReporter(reportError);
