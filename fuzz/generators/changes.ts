import fc from "fast-check";
import { hostileHeads } from "./heads.ts";
import { callables, conditions, values } from "./values.ts";

const holders = fc.oneof(
	{ weight: 5, arbitrary: fc.constant("Object.prototype") },
	{ weight: 2, arbitrary: fc.constant("Array.prototype") },
	{
		weight: 3,
		arbitrary: fc.constantFrom(
			...["Function", "String", "Number", "Promise", "Error", "RegExp", "Map", "Set", "Uint8Array", "ArrayBuffer"].map(
				(name) => `${name}.prototype`,
			),
			...["Headers", "Response", "Request", "URL", "ReadableStream", "Event", "AbortSignal", "Blob", "WebSocket"].map(
				(name) => `${name}.prototype`,
			),
			...[
				"JSON",
				"Reflect",
				"Promise",
				"Symbol",
				"Object",
				"Array",
				"Object.getPrototypeOf(async () => {})",
				"globalThis",
			],
			...["Object.getPrototypeOf([][Symbol.iterator]())", "Object.getPrototypeOf(Uint8Array.prototype)", "console"],
		),
	},
);

/** Names by which the platform's own records and the language's protocols are asked. */
const WORDS =
	`abort answer attempt body byteLength code configurable constructor cause data done enumerable error get has head headers
kind length level limit message name next op raw return redirect set signal size source stack status statusText socket stream text throw
type url value webSocket writable 0 1 __proto__ toString valueOf exec flags`.split(/\s+/);
const SYMBOLS =
	"iterator asyncIterator toPrimitive species hasInstance toStringTag isConcatSpreadable match replace split unscopables".split(
		" ",
	);

const keys = fc.oneof(
	{ weight: 3, arbitrary: fc.constant('"toJSON"') },
	{ weight: 1, arbitrary: fc.constant('"then"') },
	{ weight: 3, arbitrary: fc.constantFrom(...WORDS).map((word) => JSON.stringify(word)) },
	{ weight: 2, arbitrary: fc.constantFrom(...SYMBOLS).map((name) => `Symbol.${name}`) },
);

/** What is found there: often a function that makes up a head of the platform's own. */
const replies = fc.oneof(
	{ weight: 2, arbitrary: hostileHeads.map((head) => `(() => (${JSON.stringify(head)}))`) },
	{ weight: 1, arbitrary: callables },
	{ weight: 1, arbitrary: values },
);

/** Getters that are not the same to everybody, or not always. */
const getters = fc
	.tuple(
		conditions,
		replies,
		fc.oneof({ weight: 3, arbitrary: fc.constant("undefined") }, { weight: 1, arbitrary: replies }),
		fc.boolean(),
	)
	.map(([condition, first, second, swap]) => {
		const [then, otherwise] = swap ? [second, first] : [first, second];
		return `get() { return ${condition} ? ${then} : ${otherwise}; }`;
	});

/** Statements that change what others find, be it on what all objects inherit or on what the platform hands out. */
export const changes: fc.Arbitrary<string> = fc.oneof(
	{
		weight: 5,
		arbitrary: fc
			.tuple(holders, keys, getters)
			.map(
				([holder, key, getter]) =>
					`Object.defineProperty(${holder}, ${key}, { configurable: true, ${getter}, set(v) { held.push(v); } });`,
			),
	},
	{
		weight: 2,
		arbitrary: fc
			.tuple(holders, keys, replies)
			.map(
				([holder, key, value]) =>
					`Object.defineProperty(${holder}, ${key}, { configurable: true, writable: true, value: ${value} });`,
			),
	},
	{
		weight: 2,
		arbitrary: fc.tuple(holders, keys, replies).map(([holder, key, value]) => `${holder}[${key}] = ${value};`),
	},
	{
		weight: 1,
		arbitrary: fc.tuple(holders, values).map(([holder, value]) => `Object.setPrototypeOf(${holder}, ${value});`),
	},
	{ weight: 1, arbitrary: fc.tuple(holders, keys).map(([holder, key]) => `delete ${holder}[${key}];`) },
	{ weight: 1, arbitrary: holders.map((holder) => `Object.freeze(${holder});`) },
);
