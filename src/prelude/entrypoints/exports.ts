import type { Fetcher } from "../../bindings/service/isolate.ts";
import { LOOPBACK } from "../../link/calls.ts";
import { exported, exportedNames } from "../function-exports.ts";
import { toDictionary } from "../interface.ts";

const { isEntrypointClass } = require("./base-classes.ts") as typeof import("./base-classes.ts");

/** Whether the function's export of a name is one that is called: as a class, or by what it does with requests. */
function isEntrypoint(name: string): boolean {
	const value = exported(name);
	if (name === "default" || isEntrypointClass(value)) return true;
	const holder: unknown = typeof value === "function" ? value.prototype : value;
	return typeof holder === "object" && holder !== null && typeof (holder as { fetch?: unknown }).fetch === "function";
}

/** By the names of exports, what the function calls itself by. */
const stubs = Object.create(null) as Record<string, object | undefined>;

/** A stub of an export; called, it gives one whose calls have `props` in their `ctx`. */
function stubOf(entrypoint: string): object | undefined {
	const known = stubs[entrypoint];
	if (known !== undefined || !isEntrypoint(entrypoint)) return known;
	const { create } = require("../../bindings/service/isolate.ts") as typeof import("../../bindings/service/isolate.ts");
	const stub = create(LOOPBACK, entrypoint);
	const specialize = (options: unknown): Fetcher => {
		const { props } = toDictionary(options, `exports.${entrypoint}`);
		return create(LOOPBACK, entrypoint, props === undefined ? "" : encodeProps(props));
	};
	const fetch = (input: unknown, init?: unknown) => stub.fetch(input, init);
	const both = new Proxy(specialize, {
		get: (_, name) => (name === "fetch" ? fetch : Reflect.get(stub, name)),
		getPrototypeOf: () => Reflect.getPrototypeOf(stub),
	});
	stubs[entrypoint] = both;
	return both;
}

function encodeProps(props: unknown): string {
	if (typeof props !== "object" || props === null) throw new TypeError("props must be an object");
	return JSON.stringify(props);
}

/** The function's own entrypoints: https://developers.cloudflare.com/workers/runtime-apis/context/#exports */
export const exports = new Proxy(Object.create(null) as object, {
	get: (_, name) => (typeof name === "string" ? stubOf(name) : undefined),
	has: (_, name) => typeof name === "string" && isEntrypoint(name),
	ownKeys: () => exportedNames().filter((name) => isEntrypoint(name)),
	getOwnPropertyDescriptor(_, name) {
		const value = typeof name === "string" ? stubOf(name) : undefined;
		return value === undefined ? undefined : { value, enumerable: true, configurable: true };
	},
	set: () => false,
	defineProperty: () => false,
	deleteProperty: () => false,
});
