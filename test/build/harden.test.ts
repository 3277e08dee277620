import assert from "node:assert/strict";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { harden } from "../../src/build/harden.ts";
import { bundleIntrinsics } from "../../src/build/prelude-bundle.ts";

/** What a function's code gives after everything that it uses was replaced by what throws. */
async function hardened(code: string, replaced: string): Promise<unknown> {
	const context = createContext({});
	const script = await harden(
		`globalThis.run = (done, fail) => { (async function () { ${code} })().then(done, fail); };`,
		await bundleIntrinsics(),
	);
	runInContext(script, context);
	runInContext(`{ const refuse = () => { throw new Error("called"); }; ${replaced} }`, context);
	const { promise, resolve, reject } = Promise.withResolvers<unknown>();
	(runInContext("run", context) as (...settle: unknown[]) => void)(resolve, reject);
	return JSON.parse(JSON.stringify(await promise));
}

const CASES: [code: string, replaced: string, expected: unknown][] = [
	["return [1, 2].map((n) => n * 2)", "Array.prototype.map = refuse", [2, 4]],
	["return (null ?? 'ab').slice(1)", "String.prototype.slice = refuse", "b"],
	["const o = { slice: () => 'own' }; return o.slice()", "String.prototype.slice = refuse", "own"],
	["const o = null; return o?.slice() ?? 'none'", "", "none"],
	["let s = ''; for (const x of [1, 2]) s += x; return s", "Array.prototype[Symbol.iterator] = refuse", "12"],
	[
		"let s = ''; for (const [k, v] of new Map([['a', 1]])) s += k + v; return s",
		"Map.prototype[Symbol.iterator] = refuse; Array.prototype[Symbol.iterator] = refuse",
		"a1",
	],
	[
		"return [...'añ😀', ...new Set([1])]",
		"String.prototype[Symbol.iterator] = Set.prototype[Symbol.iterator] = refuse",
		["a", "ñ", "😀", 1],
	],
	["const own = [1]; own[Symbol.iterator] = function* () { yield 9; }; return [...own]", "", [9]],
	[
		"const list = []; const f = (...all) => { for (const x of all) list.push(x); }; f(...[1, 2]); return list",
		"Array.prototype.push = refuse",
		[1, 2],
	],
	["let a, b; [a, , b = 3] = [1, 2]; return [a, b]", "Array.prototype[Symbol.iterator] = refuse", [1, 3]],
	[
		"function f() { return [this.x, arguments.length]; } return [f.call({ x: 1 }, 2), f.apply({ x: 3 }, [4, 5]), f.call({ x: 6 })]",
		"Function.prototype.call = Function.prototype.apply = refuse",
		[
			[1, 1],
			[3, 2],
			[6, 0],
		],
	],
	[
		"return [Object.keys({ a: 1 }), Array.from([1]), Array.isArray([])]",
		"Object.keys = Array.from = Array.isArray = refuse",
		[["a"], [1], true],
	],
	["return new Uint8Array([1, 2])[1]", "Array.prototype[Symbol.iterator] = refuse; globalThis.Uint8Array = refuse", 2],
	[
		"return (await Promise.all([Promise.resolve(1)]))[0]",
		"Promise.all = Promise.resolve = refuse; globalThis.Promise = refuse",
		1,
	],
	["const p = (async () => 1)(); const f = async () => p; return await f()", "Promise.prototype.then = refuse", 1],
	["return await new Promise((done) => done((async () => 1)()))", "Promise.prototype.then = refuse", 1],
	[
		"return await Promise.resolve(1).then(async (n) => n + 1).catch(() => 0).finally(() => 5)",
		"Promise.prototype.then = Promise.prototype.catch = Promise.prototype.finally = refuse",
		2,
	],
	[
		"return ['a-b_c'.replace(/[-_]/g, '.'), 'x1y22'.split(/(\\d+)/), 'aXb'.match(/x/i).index, [...'a1b2'.matchAll(/[a-z](\\d)/g)].map((m) => m[1]), /b/.test('abc'), 'a.b'.search(/\\./)]",
		"RegExp.prototype.exec = RegExp.prototype[Symbol.replace] = RegExp.prototype[Symbol.split] = RegExp.prototype[Symbol.match] = RegExp.prototype[Symbol.matchAll] = refuse; String.prototype.replace = String.prototype.split = refuse",
		["a.b.c", ["x", "1", "y", "22", ""], 1, ["1", "2"], true, 1],
	],
	[
		"return 'john smith'.replace(/(\\w+) (\\w+)/, '$2, $1 ($&)')",
		"RegExp.prototype.exec = refuse",
		"smith, john (john smith)",
	],
	[
		"return 'a1'.replace(/[a-z]/g, (found, at, whole) => found + at + whole)",
		"RegExp.prototype.exec = refuse",
		"a0a11",
	],
	[
		"return ['aaa'.replace(/x*/g, '-'), ''.split(/,/), 'a,b'.split(/,/), 'abc'.split(/(?:)/)]",
		"RegExp.prototype.exec = refuse",
		["-a-a-a-", [""], ["a", "b"], ["a", "b", "c"]],
	],
	["const o = {}; Object.defineProperty(o, 'x', { value: 1 }); return o.x", "Object.prototype.get = refuse", 1],
	[
		`class A { constructor(o) { this.x = o.b ?? 'none'; } }
		class B extends A { constructor() { super({ a: 1 }); } } return new B().x`,
		"Object.prototype.b = 1",
		"none",
	],
	["return Object.getOwnPropertyDescriptor({ x: 1 }, 'x').get === undefined", "Object.prototype.get = refuse", true],
];

for (const [code, replaced, expected] of CASES)
	test(`hardened: ${code}`, async () => assert.deepEqual(await hardened(code, replaced), expected));

test("what cannot be made independent is refused", async () => {
	const intrinsics = await bundleIntrinsics();
	for (const [code, why] of [
		["const [a, ...rest] = x;", /a pattern with a rest/],
		["async function f() { try { return g(); } catch {} }", /inside of a try/],
		["f.call(...args)", /Reflect.apply/],
		["const Map = 1;", /declares a Map of its own/],
	] as const)
		await assert.rejects(harden(code, intrinsics), why);
});
