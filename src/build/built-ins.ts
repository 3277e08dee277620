/** Methods that are looked up on the object by the standards themselves, and those whose name alone says nothing. */
const NOT_KEPT = new Set(["constructor", "next", "return", "throw"]);

const CONSTRUCTORS = [
	"AggregateError",
	"Array",
	"ArrayBuffer",
	"BigInt",
	"BigInt64Array",
	"BigUint64Array",
	"Boolean",
	"DataView",
	"Error",
	"EvalError",
	"FinalizationRegistry",
	"Float32Array",
	"Float64Array",
	"Function",
	"Int16Array",
	"Int32Array",
	"Int8Array",
	"Map",
	"Number",
	"Object",
	"Promise",
	"Proxy",
	"RangeError",
	"ReferenceError",
	"RegExp",
	"Set",
	"String",
	"Symbol",
	"SyntaxError",
	"TypeError",
	"URIError",
	"Uint16Array",
	"Uint32Array",
	"Uint8Array",
	"Uint8ClampedArray",
	"WeakMap",
	"WeakRef",
	"WeakSet",
];
const FUNCTIONS = ["decodeURIComponent", "encodeURIComponent", "isFinite", "isNaN", "parseFloat", "parseInt"];
/** The globals that are kept. */
export const GLOBALS = new Set([...CONSTRUCTORS, ...FUNCTIONS, "JSON", "Math", "Reflect"]);

/** The names of their methods. */
export const METHODS = new Set(
	CONSTRUCTORS.flatMap((name) => {
		const { prototype } = (globalThis as unknown as Record<string, { prototype?: object }>)[name];
		const prototypes = prototype === undefined ? [] : [prototype, Object.getPrototypeOf(prototype) as object | null];
		return prototypes.flatMap((object) => Object.entries(Object.getOwnPropertyDescriptors(object ?? {})));
	})
		.filter(([name, { value }]) => typeof value === "function" && !NOT_KEPT.has(name))
		.map(([name]) => name),
);

export const TYPED_ARRAY = /^(?:Big|Float|Int|Uint).*Array$/;

/** Static functions that need to be called on their constructor. */
export const needsReceiver = (global: string, name: string) =>
	global === "Promise" || ((name === "from" || name === "of") && (global === "Array" || TYPED_ARRAY.test(global)));

/** Globals whose first argument is iterated when they are called or constructed. */
export const ITERATES = new Set(["Array.from", "Map", "Object.fromEntries", "Set", "WeakMap", "WeakSet"]);
