import { waitUntil as keep } from "../execution-context.ts";
import { environment } from "../handlers.ts";
import { requireArguments } from "../interface.ts";
import { requireContext } from "../io-context.ts";

/*
 * What `cloudflare:workers` exports, which a bundle that imports it takes from here (`compat/workers.ts`):
 * https://developers.cloudflare.com/workers/runtime-apis/
 */

export const { RpcTarget, WorkerEntrypoint } = require("./base-classes.ts") as typeof import("./base-classes.ts");

export const { exports } = require("./exports.ts") as typeof import("./exports.ts");

/** What stands in the place of the function's environment while `withEnv` calls something. */
let inPlace: object | null = null;

/** The function's environment, also outside of a request: what handlers have as `env`. */
export const env = new Proxy(Object.create(null) as object, {
	get: (_, name) => Reflect.get(inPlace ?? environment(), name),
	set: (_, name, value) => Reflect.set(inPlace ?? environment(), name, value),
	has: (_, name) => Reflect.has(inPlace ?? environment(), name),
	deleteProperty: (_, name) => Reflect.deleteProperty(inPlace ?? environment(), name),
	ownKeys: () => Reflect.ownKeys(inPlace ?? environment()),
	getOwnPropertyDescriptor(_, name) {
		const descriptor = Reflect.getOwnPropertyDescriptor(inPlace ?? environment(), name);
		if (descriptor !== undefined) descriptor.configurable = true; // As a proxy's are whose target has none such.
		return descriptor;
	},
	defineProperty: (_, name, descriptor) =>
		Reflect.defineProperty(inPlace ?? environment(), name, { ...descriptor, configurable: true }),
	getPrototypeOf: () => Object.prototype,
	setPrototypeOf: () => false,
	preventExtensions: () => false,
});

/** Calls a function for which `env` is another one, until it returns. */
export function withEnv(given: unknown, call: unknown): unknown {
	requireArguments(arguments.length, 2, "withEnv");
	if (typeof given !== "object" || given === null) throw new TypeError("withEnv: the environment is no object");
	if (typeof call !== "function") throw new TypeError("withEnv: what is to be called is no function");
	const before = inPlace;
	inPlace = given;
	try {
		return (call as () => unknown)();
	} finally {
		inPlace = before;
	}
}

/** `ctx.waitUntil` of the request that is being handled. */
export function waitUntil(promise: unknown): void {
	requireArguments(arguments.length, 1, "waitUntil");
	keep(requireContext("waitUntil()"), promise);
}
