import { regExpTest, STRING_METHODS } from "./expressions.ts";
import { stepsOf } from "./iteration.ts";
import { ArrayPrototype, defineProperty, hasOwn, kept, type Method, TypedArrayPrototype } from "./kept.ts";
import { PROMISE_METHODS } from "./promises.ts";

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

/** Methods that call other methods, by those that do not. */
function independent(prototype: object, name: string, method: Method): Method {
	if (prototype === Promise.prototype) return hasOwn(PROMISE_METHODS, name) ? PROMISE_METHODS[name] : method;
	if (prototype === String.prototype) return hasOwn(STRING_METHODS, name) ? STRING_METHODS[name](method) : method;
	if (prototype === RegExp.prototype) return name === "test" ? regExpTest : method;
	if (prototype === ArrayPrototype || prototype === Map.prototype || prototype === Set.prototype)
		return name === "entries" || name === "keys" || name === "values" ? stepsOf(prototype, name) : method;
	return method;
}

/**
 * Keeps the methods of these names: gives every built-in prototype that has one a second property, under a symbol,
 * that nobody can replace. The first so many names are those of other objects' methods as well: on them the symbol
 * stands for the method of that name.
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
