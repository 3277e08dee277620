import {
	ArrayPrototype,
	apply,
	defineProperty,
	getPrototypeOf,
	hasOwn,
	isArray,
	iterator,
	kept,
	type Method,
	TypedArrayPrototype,
} from "./kept.ts";

/**
 * Under a symbol of its own: what iterates a built-in without looking up a method that a function could have
 * replaced.
 */
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
export function stepsOf(prototype: object, method: string | symbol): Method {
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

/**
 * What `for (… of iterable)` and `...iterable` go through: built-ins by their own steps, anything else by its own
 * protocol.
 */
export function each<T>(iterable: Iterable<T>): Iterable<T> {
	if (isArray(iterable) && !isArrayIterationReplaced()) return iterable;
	const steps = (iterable as { [STEPS]?: () => Iterable<T> } | null)?.[STEPS];
	if (steps === undefined) return iterable;
	// An array that was given an iterator of its own, or that is of a class which may have one, means that.
	if (isArray(iterable) && (getPrototypeOf(iterable) !== ArrayPrototype || hasOwn(iterable, iterator))) return iterable;
	return apply(steps, iterable, []) as Iterable<T>;
}

/** What the constructor of a typed array is given, of which it iterates arrays. */
export function elements(source: unknown): unknown {
	return isArray(source) ? each(source) : source;
}
