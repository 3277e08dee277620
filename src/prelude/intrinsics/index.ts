/**
 * JavaScript's built-ins as they were before the function ran. A function may replace any of them, as polyfills and
 * instrumentation do, and the Web's APIs must go on working. The rest of the prelude calls built-ins as anybody
 * would; its build (`build/harden.ts`) makes every such call one of what is kept here.
 */

import { defineProperty, getOwnPropertyDescriptor, setPrototypeOf, TypedArrayPrototype } from "./kept.ts";

export { each, elements } from "./iteration.ts";
export { keepMethods } from "./methods.ts";
export { all, makePromise, steadyThen } from "./promises.ts";

/** `Object.getOwnPropertyDescriptor(…)`, whose result has what it has and no more. */
export function descriptorOf(object: object, key: PropertyKey): PropertyDescriptor | undefined {
	const descriptor = getOwnPropertyDescriptor(object, key);
	if (descriptor !== undefined) setPrototypeOf(descriptor, null);
	return descriptor;
}

// Nothing is known that replaces these, and reading them any other way would make every loop over bytes slower.
for (const prototype of [TypedArrayPrototype, ArrayBuffer.prototype, DataView.prototype, Map.prototype, Set.prototype])
	for (const name of Object.getOwnPropertyNames(prototype))
		if (getOwnPropertyDescriptor(prototype, name)?.get !== undefined)
			defineProperty(prototype, name, { configurable: false });
