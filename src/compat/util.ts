/** `node:util`, from Node's own `inspect` as a package, and what goes with it. */
import "./no-atomics.ts";

import { isDeepStrictEqual } from "assert/build/internal/util/comparisons.js";
import { format, formatWithOptions, inspect, stripVTControlCharacters } from "node-inspect-extracted";
import types from "unenv/node/util/types";
import { globalScope } from "./global-scope.ts";
import { MIMEParams, MIMEType } from "./mime-type.ts";
import { parseArgs } from "./parse-args.ts";

Reflect.deleteProperty(globalThis, "Atomics");

type Callback = (...args: never[]) => unknown;
type NodeCallback = (error: unknown, value?: unknown) => void;

const CUSTOM = Symbol.for("nodejs.util.promisify.custom");

/** https://nodejs.org/api/util.html#utilpromisifyoriginal */
function promisify_(original: Callback & { [CUSTOM]?: Callback }): Callback {
	if (typeof original !== "function") throw new TypeError('The "original" argument must be of type function');
	const custom = original[CUSTOM];
	if (custom !== undefined) return custom;
	return function (this: unknown, ...args: unknown[]) {
		return new Promise((resolve, reject) => {
			const done: NodeCallback = (error, value) => (error ? reject(error) : resolve(value));
			Reflect.apply(original, this, [...args, done]);
		});
	};
}
export const promisify = Object.assign(promisify_, { custom: CUSTOM });

/** https://nodejs.org/api/util.html#utilcallbackifyoriginal */
export function callbackify(original: (...args: unknown[]) => Promise<unknown>): (...args: unknown[]) => void {
	return function (this: unknown, ...args: unknown[]) {
		const done = args.pop() as NodeCallback;
		Reflect.apply(original, this, args).then(
			(value) => queueMicrotask(() => done(null, value)),
			(error: unknown) => queueMicrotask(() => done(error ?? new Error("Promise was rejected with a falsy value"))),
		);
	};
}

export function inherits(child: Callback, parent: Callback): void {
	Object.defineProperty(child, "super_", { value: parent, writable: true, configurable: true });
	Object.setPrototypeOf(child.prototype, parent.prototype);
}

export function deprecate<T extends Callback>(callback: T, message: string, code = ""): T {
	let warned = false;
	return function (this: unknown, ...args: unknown[]) {
		if (!warned) console.warn(`DeprecationWarning: ${code === "" ? "" : `[${code}] `}${message}`);
		warned = true;
		return Reflect.apply(callback, this, args);
	} as unknown as T;
}

const silent = Object.assign(() => undefined, { enabled: false });
export const debuglog = () => silent;
export const toUSVString = (text: unknown) => `${text as string}`.toWellFormed();
export const isArray = Array.isArray;
export const { TextDecoder, TextEncoder } = globalScope;

/** Text with the escape codes of a terminal's style, for a name of `util.inspect.colors`, or several. */
export function styleText(format_: string | string[], text: string): string {
	const colors = (inspect as unknown as { colors: Record<string, [number, number]> }).colors;
	return [format_].flat().reduceRight((styled, name) => {
		const [open, close] = colors[name];
		return `\u001b[${open}m${styled}\u001b[${close}m`;
	}, text);
}

/** https://nodejs.org/api/util.html#utilabortedsignal-resource */
export function aborted(signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal.aborted) resolve();
		else signal.addEventListener("abort", () => resolve(), { once: true });
	});
}

export {
	format,
	formatWithOptions,
	inspect,
	isDeepStrictEqual,
	MIMEParams,
	MIMEType,
	parseArgs,
	stripVTControlCharacters,
	types,
};
export default {
	aborted,
	callbackify,
	debug: debuglog,
	debuglog,
	deprecate,
	format,
	formatWithOptions,
	inherits,
	inspect,
	isArray,
	isDeepStrictEqual,
	MIMEParams,
	MIMEType,
	parseArgs,
	promisify,
	stripVTControlCharacters,
	styleText,
	TextDecoder,
	TextEncoder,
	toUSVString,
	types,
};
