/**
 * JavaScript's built-ins as they were before the function ran. A function may replace any of them, as polyfills and
 * instrumentation do, and the Web's APIs must go on working. The rest of the prelude calls built-ins as anybody would; its
 * build (`build/harden.ts`) makes every such call one of what is kept here.
 */

const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, setPrototypeOf } = Reflect;
const { isArray } = Array;
const { hasOwn } = Object;
const iterator: typeof Symbol.iterator = Symbol.iterator;
const ArrayPrototype = Array.prototype;

// biome-ignore lint/suspicious/noExplicitAny: built-ins take and give whatever theirs are.
type Method = (this: any, ...args: any[]) => any;

function kept(prototype: object, name: string | symbol): Method {
	return getOwnPropertyDescriptor(prototype, name)?.value as Method;
}

function keptGetter(prototype: object, name: string): Method {
	return getOwnPropertyDescriptor(prototype, name)?.get as Method;
}

const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype) as object;
const PROTOTYPES: object[] = [
	ArrayPrototype,
	ArrayBuffer.prototype,
	BigInt.prototype,
	Boolean.prototype,
	DataView.prototype,
	Date.prototype,
	Function.prototype,
	Map.prototype,
	Number.prototype,
	Promise.prototype,
	RegExp.prototype,
	Set.prototype,
	String.prototype,
	Symbol.prototype,
	TypedArrayPrototype,
	WeakMap.prototype,
	WeakSet.prototype,
];

/** Under a symbol of its own: what iterates a built-in without looking up a method that a function could have replaced. */
const STEPS = Symbol("Symbol.kept.steps");

type Step = () => { value: unknown; done: boolean };

/** An iterator that no prototype stands behind. */
class Steps {
	next: Step;
	constructor(next: Step) {
		this.next = next;
	}
	[iterator](): this {
		return this;
	}
	static {
		Object.setPrototypeOf(Steps.prototype, null);
		Object.freeze(Steps.prototype);
	}
}

function listSteps(this: ArrayLike<unknown>): Steps {
	let index = 0;
	return new Steps(() =>
		index < this.length ? { value: this[index++], done: false } : { value: undefined, done: true },
	);
}

/** A method that gives an iterator, as one that gives steps; they go on with the `next` that its iterators have now. */
function stepsOf(prototype: object, method: string | symbol): Method {
	const make = kept(prototype, method);
	const example = ITERATED.find((one) => getPrototypeOf(one) === prototype);
	const next = kept(getPrototypeOf(apply(make, example, [])) as object, "next");
	return function (this: unknown): Steps {
		const steps = apply(make, this, []);
		return new Steps(() => apply(next, steps, []));
	};
}
const ITERATED: object[] = [[], new Map(), new Set(), Object("")];

for (const [prototype, steps] of [
	[ArrayPrototype, listSteps],
	[TypedArrayPrototype, listSteps],
	[String.prototype, stepsOf(String.prototype, iterator)],
	[Map.prototype, stepsOf(Map.prototype, iterator)],
	[Set.prototype, stepsOf(Set.prototype, iterator)],
] as const)
	defineProperty(prototype, STEPS, { value: steps });

const arrayValues = kept(ArrayPrototype, iterator);
const ArrayIteratorPrototype = getPrototypeOf(apply(arrayValues, [], [])) as Iterator<unknown>;
const arrayNext = kept(ArrayIteratorPrototype, "next");

function isArrayIterationReplaced(): boolean {
	try {
		return ArrayPrototype[iterator] !== arrayValues || ArrayIteratorPrototype.next !== arrayNext;
	} catch {
		return true;
	}
}

/** What `for (… of iterable)` and `...iterable` go through: built-ins by their own steps, anything else by its own protocol. */
export function each<T>(iterable: Iterable<T>): Iterable<T> {
	if (isArray(iterable) && !isArrayIterationReplaced()) return iterable;
	const steps = (iterable as { [STEPS]?: () => Iterable<T> } | null)?.[STEPS];
	if (steps === undefined) return iterable;
	// An array that was given an iterator of its own, or that is of a class which may have one, means that.
	if (isArray(iterable) && (getPrototypeOf(iterable) !== ArrayPrototype || hasOwn(iterable, iterator))) return iterable;
	return apply(steps, iterable, []) as Iterable<T>;
}

// Nothing is known that replaces these, and reading them any other way would make every loop over bytes slower.
for (const prototype of [TypedArrayPrototype, ArrayBuffer.prototype, DataView.prototype, Map.prototype, Set.prototype])
	for (const name of Object.getOwnPropertyNames(prototype))
		if (getOwnPropertyDescriptor(prototype, name)?.get !== undefined)
			defineProperty(prototype, name, { configurable: false });

const KeptPromise = Promise;
const PromisePrototype = Promise.prototype;
const then = kept(Promise.prototype, "then");
const { resolve } = Promise;
const settle = (value: unknown) => apply(resolve, KeptPromise, [value]) as Promise<unknown>;

/** `Object.getOwnPropertyDescriptor(…)`, whose result has what it has and no more. */
export function descriptorOf(object: object, key: PropertyKey): PropertyDescriptor | undefined {
	const descriptor = getOwnPropertyDescriptor(object, key);
	if (descriptor !== undefined) setPrototypeOf(descriptor, null);
	return descriptor;
}

/** What the constructor of a typed array is given, of which it iterates arrays. */
export function elements(source: unknown): unknown {
	return isArray(source) ? each(source) : source;
}

function isThenReplaced(): boolean {
	try {
		return PromisePrototype.then !== then;
	} catch {
		return true;
	}
}

/** A promise is resolved with another by calling that one's `then`, whatever it is now: this sees to it that it is the kept one. */
function steady<T>(value: T): T {
	if (typeof value !== "object" || value === null || !isThenReplaced()) return value;
	if (getPrototypeOf(value) === PromisePrototype && !hasOwn(value, "then"))
		defineProperty(value, "then", { value: then, writable: true, configurable: true });
	return value;
}

/** What stands for `Promise` as a constructor. */
export function makePromise<T>(
	executor: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
	return new KeptPromise<T>((resolve, reject) => executor((value) => resolve(steady(value)), reject));
}
makePromise.prototype = PromisePrototype;

/** `Promise.all(list)` */
export function all(list: Promise<unknown>[]): Promise<unknown[]> {
	return new KeptPromise((resolve, reject) => {
		const values: unknown[] = [];
		let missing = list.length;
		if (missing === 0) resolve(values);
		for (let i = 0; i < list.length; i++) {
			const keep = (value: unknown) => {
				values[i] = value;
				missing--;
				if (missing === 0) resolve(values);
			};
			apply(then, settle(list[i]), [keep, reject]);
		}
	});
}

/** `promise.then(…)` */
export function steadyThen(this: Promise<unknown>, onFulfilled?: unknown, onRejected?: unknown): Promise<unknown> {
	if (!isThenReplaced()) return apply(then, this, [onFulfilled, onRejected]);
	return apply(then, this, [steadyHandler(onFulfilled), steadyHandler(onRejected)]);
}

function steadyHandler(handler: unknown): unknown {
	return typeof handler === "function" ? (value: unknown) => steady(handler(value)) : handler;
}

// RegExp's methods, and String's that take one, all look up `exec` and other properties; `exec` itself looks up nothing.
const exec = kept(RegExp.prototype, "exec") as (this: RegExp, text: string) => RegExpExecArray | null;
const RegExpPrototype = RegExp.prototype;

function isExecReplaced(): boolean {
	try {
		return RegExpPrototype.exec !== exec;
	} catch {
		return true;
	}
}

const isGlobal = keptGetter(RegExp.prototype, "global") as (this: RegExp) => boolean;
const slice = kept(String.prototype, "slice") as (this: string, from: number, to?: number) => string;
const KeptRegExp = RegExp;

function isRegExp(value: unknown): value is RegExp {
	return typeof value === "object" && value !== null && value instanceof KeptRegExp;
}

/** All matches of a global expression, or the first of another. */
function matches(text: string, expression: RegExp): RegExpExecArray[] {
	const found: RegExpExecArray[] = [];
	const global = apply(isGlobal, expression, []);
	if (global) expression.lastIndex = 0;
	for (;;) {
		const match = apply(exec, expression, [text]);
		if (match === null) return found;
		found[found.length] = match;
		if (!global) return found;
		if (match[0] === "") expression.lastIndex++;
	}
}

/** https://tc39.es/ecma262/#sec-getsubstitution, of which the prelude uses `$1` and `$&`. */
function substitute(template: string, match: RegExpExecArray): string {
	let text = "";
	for (let i = 0; i < template.length; i++) {
		const next = template[i] === "$" ? template[i + 1] : "";
		if (next === "&") text += match[0];
		else if (next >= "1" && next <= "9") text += match[next as unknown as number] ?? "";
		else {
			text += template[i];
			continue;
		}
		i++;
	}
	return text;
}

function replace(text: string, expression: RegExp, replacement: string | Method): string {
	let result = "";
	let from = 0;
	const found = matches(text, expression);
	for (let i = 0; i < found.length; i++) {
		const match = found[i];
		result += apply(slice, text, [from, match.index]);
		if (typeof replacement === "string") result += substitute(replacement, match);
		else {
			const args: unknown[] = [];
			for (let group = 0; group < match.length; group++) args[group] = match[group];
			args[args.length] = match.index;
			args[args.length] = text;
			result += apply(replacement, undefined, args);
		}
		from = match.index + match[0].length;
	}
	return result + apply(slice, text, [from]);
}

function split(text: string, expression: RegExp): (string | undefined)[] {
	const parts: (string | undefined)[] = [];
	let from = 0;
	const found = matches(text, new KeptRegExp(expression, "g"));
	for (let i = 0; i < found.length; i++) {
		const { 0: whole, index, length } = found[i];
		if (whole === "" && (index === from || index === text.length)) continue;
		parts[parts.length] = apply(slice, text, [from, index]);
		for (let group = 1; group < length; group++) parts[parts.length] = found[i][group];
		from = index + whole.length;
	}
	parts[parts.length] = apply(slice, text, [from]);
	return parts;
}

/** Methods that call other methods, by those that do not. */
function independent(prototype: object, name: string, method: Method): Method {
	if (prototype === Promise.prototype && name === "then") return steadyThen;
	if (prototype === Promise.prototype && name === "catch")
		return function (onRejected) {
			return apply(steadyThen, this, [undefined, onRejected]);
		};
	if (prototype === Promise.prototype && name === "finally")
		return function (onFinally) {
			const pass = (value: unknown) => apply(then, settle(onFinally()), [() => value]);
			const fail = (reason: unknown) =>
				apply(then, settle(onFinally()), [
					() => {
						throw reason;
					},
				]);
			return apply(steadyThen, this, [pass, fail]);
		};
	if (prototype === RegExp.prototype && name === "test")
		return function (text) {
			return isExecReplaced() ? apply(exec, this, [text]) !== null : apply(method, this, [text]);
		};
	if (prototype === ArrayPrototype || prototype === Map.prototype || prototype === Set.prototype)
		return name === "entries" || name === "keys" || name === "values" ? stepsOf(prototype, name) : method;
	if (prototype !== String.prototype) return method;
	const byExpression: Record<string, (text: string, expression: RegExp, extra: string | Method) => unknown> = {
		replace,
		replaceAll: replace,
		split,
		matchAll: matches,
		match: (text, expression) => {
			const found = matches(text, expression);
			if (!apply(isGlobal, expression, [])) return found[0] ?? null;
			for (let i = 0; i < found.length; i++) (found as unknown[])[i] = found[i][0];
			return found.length === 0 ? null : found;
		},
		search: (text, expression) => apply(exec, expression, [text])?.index ?? -1,
	};
	const special = byExpression[name];
	if (special === undefined) return method;
	return function (pattern, extra) {
		return isRegExp(pattern) ? special(this as string, pattern, extra) : apply(method, this, [pattern, extra]);
	};
}

/**
 * Keeps the methods of these names: gives every built-in prototype that has one a second property, under a symbol, that
 * nobody can replace. The first so many names are those of other objects' methods as well: on them the symbol stands for
 * the method of that name.
 */
export function keepMethods(names: string[], shared: number): symbol[] {
	const symbols: symbol[] = [];
	for (let i = 0; i < names.length; i++) {
		const name = names[i];
		// Libraries that copy prototypes name their copies by what follows "Symbol.".
		const symbol = Symbol(`Symbol.kept.${name}`);
		symbols[i] = symbol;
		for (let j = 0; j < PROTOTYPES.length; j++) {
			const method = kept(PROTOTYPES[j], name);
			if (typeof method === "function")
				defineProperty(PROTOTYPES[j], symbol, { value: independent(PROTOTYPES[j], name, method) });
		}
		if (i >= shared) continue;
		defineProperty(Object.prototype, symbol, {
			get(this: Record<string, unknown>) {
				return this[name];
			},
		});
	}
	return symbols;
}
