/** The built-ins by which the others are kept, and how to get hold of those. */
export const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, setPrototypeOf } = Reflect;
export const { isArray } = Array;
export const { hasOwn } = Object;
export const iterator: typeof Symbol.iterator = Symbol.iterator;
export const ArrayPrototype = Array.prototype;
export const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype) as object;

// biome-ignore lint/suspicious/noExplicitAny: built-ins take and give whatever theirs are.
export type Method = (this: any, ...args: any[]) => any;

export function kept(prototype: object, name: string | symbol): Method {
	return getOwnPropertyDescriptor(prototype, name)?.value as Method;
}

export function keptGetter(prototype: object, name: string): Method {
	return getOwnPropertyDescriptor(prototype, name)?.get as Method;
}
