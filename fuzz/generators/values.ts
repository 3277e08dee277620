import fc from "fast-check";
import { hostileHeads } from "./heads.ts";

const primitives = fc.constantFrom(
	...[
		"undefined",
		"null",
		'""',
		"0",
		"-1",
		"NaN",
		"1e300",
		"true",
		"1n",
		'"text"',
		'"a\\r\\nx-split: yes"',
		"Symbol.iterator",
	],
);
const objects = fc.constantFrom(
	...["{}", "[]", "held", "globalThis", "Object.prototype", "Array.prototype", "{ length: 2 ** 32 }", "{ length: -1 }"],
	...[
		"new Uint8Array(10)",
		"new ArrayBuffer(5)",
		"new Map([[1, 2]])",
		"new Error('e')",
		"/x/g",
		"new Date(NaN)",
		"request",
	],
	...["new Headers({ a: '1' })", "new Response('r')", "new ReadableStream()", "new Blob(['b'])", "Object.create(null)"],
);
const literals = hostileHeads.map((head) => JSON.stringify(head));

/** What a getter asks before it decides what to be. */
export const conditions = fc.constantFrom(
	...["this === Array.prototype", "this === Object.prototype", "Array.isArray(this)", "typeof this === 'object'"],
	...["Object.hasOwn(this, 'message')", "Object.hasOwn(this, 'headers')", "n++ % 2 === 0", "n++ > 3", "n++ === 0"],
);

const TRAPS = ["get", "has", "set", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor", "defineProperty", "apply"];

/** Expressions: what functions hand to the platform, and have its own objects come upon. */
export const { value: values, callable: callables } = fc.letrec<{
	value: string;
	callable: string;
	proxy: string;
	thenable: string;
}>((tie) => ({
	value: fc.oneof(
		{ maxDepth: 3, depthIdentifier: "value" },
		{ weight: 4, arbitrary: primitives },
		{ weight: 3, arbitrary: objects },
		{ weight: 3, arbitrary: literals },
		{ weight: 5, arbitrary: tie("callable") },
		{ weight: 2, arbitrary: tie("proxy") },
		{ weight: 2, arbitrary: tie("thenable") },
	),
	callable: fc
		.tuple(fc.constantFrom("arrow", "arrow", "function", "throw", "async", "generator", "class"), tie("value"))
		.map(([form, value]) => {
			if (form === "arrow") return `(() => (${value}))`;
			if (form === "function") return `(function () { return ${value}; })`;
			if (form === "throw") return `(() => { throw ${value}; })`;
			if (form === "async") return `(async () => (${value}))`;
			if (form === "generator") return `(function* () { yield ${value}; })`;
			return `(class { constructor() { return ${value}; } })`;
		}),
	proxy: fc
		.tuple(
			fc.constantFrom("{}", "[]", "(() => {})"),
			fc.array(fc.tuple(fc.constantFrom(...TRAPS), tie("callable")), { maxLength: 3 }),
		)
		.map(
			([target, traps]) => `new Proxy(${target}, { ${traps.map(([name, trap]) => `${name}: ${trap}`).join(", ")} })`,
		),
	thenable: fc
		.tuple(fc.constantFrom("then", "promise", "rejected", "never", "iterable"), tie("value"))
		.map(([form, value]) => {
			if (form === "then") return `({ then(resolve) { resolve(${value}); } })`;
			if (form === "promise") return `Promise.resolve(${value})`;
			if (form === "rejected") return `Promise.reject(${value})`;
			if (form === "never") return "new Promise(() => {})";
			return `({ [Symbol.iterator]: function* () { yield ${value}; } })`;
		}),
}));
