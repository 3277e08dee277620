import { type BindingNumber, CACHES, FETCH, LOOPBACK, SOCKETS } from "../link/calls.ts";
import type { Bound } from "./binding.ts";

/** One that stands in no `env`. */
const global = (type: string): Bound => ({ name: "", type, settings: undefined });

const GLOBAL_CALLS: ReadonlyMap<BindingNumber, Bound> = new Map([
	[FETCH, global("fetch")],
	[CACHES, global("caches")],
	[SOCKETS, global("sockets")],
	[LOOPBACK, global("loopback")],
]);

/** Stands for a number that no binding has. */
const NONE = global("");

/** The binding of a number, of those that a function has; one without a type where there is none. */
export function bindingOf(number: BindingNumber, bound: readonly Bound[]): Bound {
	return GLOBAL_CALLS.get(number) ?? bound[number - 1] ?? NONE;
}
