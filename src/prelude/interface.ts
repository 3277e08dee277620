/**
 * Gives a class the property attributes that Web IDL prescribes for an interface, and its `Symbol.toStringTag`.
 * `required` says how many arguments an operation (one of the class itself as `static name`), or `constructor`,
 * needs, where that is fewer than the function takes: it becomes its `length`.
 */
export function asInterface<C extends abstract new (...args: never[]) => object>(
	constructor: C,
	name: string,
	required: Record<string, number> = {},
): C {
	const prototype = constructor.prototype as object;
	for (const key of Object.getOwnPropertyNames(prototype)) {
		if (key !== "constructor") Object.defineProperty(prototype, key, { enumerable: true });
	}
	for (const key of Object.getOwnPropertyNames(constructor)) {
		if (typeof Object.getOwnPropertyDescriptor(constructor, key)?.value === "function")
			Object.defineProperty(constructor, key, { enumerable: true });
	}
	for (const key of Object.keys(required)) {
		const isStatic = key.startsWith("static ");
		const holder = isStatic ? constructor : prototype;
		const operation = Object.getOwnPropertyDescriptor(holder, isStatic ? key.slice(7) : key)?.value;
		Object.defineProperty(operation, "length", { value: required[key], configurable: true });
	}
	Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
	nameFunction(constructor, name); // Its own was lost in minification.
	return constructor;
}

/**
 * The same for an interface with one instance, which holds nothing of its own that would tell it from another object:
 * its operations and attributes refuse to be called on one.
 */
export function asSingleton<C extends abstract new (...args: never[]) => object>(
	constructor: C,
	name: string,
	instance: InstanceType<C>,
	required: Record<string, number> = {},
): InstanceType<C> {
	const { prototype } = constructor as unknown as { prototype: object };
	for (const key of Object.getOwnPropertyNames(prototype)) {
		if (key === "constructor") continue;
		const descriptor = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
		for (const part of ["value", "get"] as const) {
			const original = descriptor[part] as ((...args: unknown[]) => unknown) | undefined;
			if (typeof original !== "function") continue;
			const { member } = {
				member(this: unknown, ...args: unknown[]) {
					if (this !== instance) throw new TypeError("Illegal invocation");
					return Reflect.apply(original, this, args);
				},
			};
			nameFunction(member, original.name);
			Object.defineProperty(member, "length", { value: original.length, configurable: true });
			descriptor[part] = member;
		}
		Object.defineProperty(prototype, key, descriptor);
	}
	asInterface(constructor, name, { constructor: 0, ...required });
	return instance;
}

export function nameFunction(value: object, name: string): void {
	Object.defineProperty(value, "name", { value: name, configurable: true });
}

/** Web IDL's USVString conversion: a string whose lone surrogates are replaced by U+FFFD. */
export function toUSVString(value: unknown): string {
	return `${value as string}`.toWellFormed();
}

/** Web IDL's check for required arguments. */
export function requireArguments(given: number, needed: number, where: string): void {
	if (given < needed) {
		throw new TypeError(`${where}: ${needed} argument${needed === 1 ? "" : "s"} required, but only ${given} present`);
	}
}

/** Web IDL's conversion to a dictionary: absent and null make an empty one, primitives are refused. */
export function toDictionary(value: unknown, where: string): Record<string, unknown> {
	if (value === undefined || value === null) return ABSENT;
	if (typeof value !== "object" && typeof value !== "function") throw new TypeError(`${where}: not an object`);
	return value as Record<string, unknown>;
}
const ABSENT = Object.freeze(Object.create(null) as Record<string, unknown>);
