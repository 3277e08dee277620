import assert from "node:assert/strict";
import { test } from "node:test";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

const API = `import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
class Mine extends Error { name = "Mine"; }
class Counter extends RpcTarget { n = 1; increment() { return ++this.n; } }
class Base extends WorkerEntrypoint { inherited() { return "from the base"; } }
export default class extends Base {
	own = 1;
	method = () => "never";
	#secret = "s";
	static hidden() {}
	fetch() { return new Response("fetched"); }
	add(a, b) { return a + b; }
	async later(x) { await scheduler.wait(1); return x; }
	echo(...given) { return given; }
	nothing() {}
	get getter() { return "got " + this.#secret; }
	get promised() { return Promise.resolve([1]); }
	get data() { return { list: [{ name: "in it", call: (x) => x * 2 }], counter: new Counter() }; }
	get function() { return () => 1; }
	who() { return [this.ctx.props, this.env.KEY, typeof this.ctx.waitUntil]; }
	wait() { this.ctx.waitUntil(scheduler.wait(1).then(() => console.log("the method's waitUntil"))); return "waits"; }
	fails(name) {
		if (name === "Mine") throw new Mine("of my own");
		if (name === "text") throw "a text";
		if (name === "function") throw () => 1;
		if (name === "cause") throw new TypeError("outer", { cause: new RangeError("inner") });
		if (name === "dom") throw new DOMException("aborted", "AbortError");
		throw new globalThis[name]("failed");
	}
	async rejects() { throw new SyntaxError("rejected"); }
	gives(what) { return what === "symbol" ? Symbol("s") : new WeakMap(); }
	spin() { for (;;); }
	large(n) { return "x".repeat(n); }
}
export class Throws extends WorkerEntrypoint { constructor(ctx, env) { super(ctx, env); throw new Error("no instance"); } }
export class NoEntrypoint { fetch() {} add() {} }
export const object = {
	fetch: () => new Response("object"),
	add(x, env, ctx) { return [x, env.KEY, ctx.props, arguments.length]; },
	two(a, b, env, ctx) { return [a, b, env.KEY, typeof ctx.waitUntil]; },
	nested: { value: 5, deep(a, b) { return [a, b]; } },
};
Object.setPrototypeOf(object, { above() { return "never"; } });
`;

const USES = `
const said = async (promise) => { try { return await promise(); } catch (error) { return String(error); } };
export default { async fetch(request, env, ctx) {
	const { searchParams } = new URL(request.url);
	const run = new Function("env", "said", "ctx", "return (async () => {" + await request.text() + "})()");
	return Response.json(await run(env, said, ctx) ?? null);
} };`;

inBothIsolations("a call of a service's method", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	const run = async (code: string) =>
		JSON.parse(await atoll.text("uses", "/", { method: "POST", body: code })) as unknown;
	const service = (settings: object = {}) => ({ type: "service", function: "api", ...settings });
	const deploy = async () => {
		await atoll.deploy("api", API, { env: { KEY: "k" }, limits: { cpuMs: 1000 } });
		const bindings = {
			API: service({ props: { who: "uses" } }),
			OBJECT: service({ entrypoint: "object" }),
			THROWS: service({ entrypoint: "Throws" }),
			PLAIN: service({ entrypoint: "NoEntrypoint" }),
			MISSING: service({ entrypoint: "Missing" }),
			NOWHERE: { type: "service", function: "nowhere" },
		};
		await atoll.deploy("uses", USES, { bindings });
	};

	test("gives what the method gives", async () => {
		await deploy();
		assert.equal(await run("return env.API.add(1, 2)"), 3);
		assert.equal(await run("return env.API.later('x')"), "x");
		assert.equal(await run("return env.API.inherited()"), "from the base");
		assert.equal(await run("return (await env.API.nothing()) === undefined"), true);
		assert.deepEqual(await run("return env.API.who()"), [{ who: "uses" }, "k", "function"]);
		assert.equal(await run("return (await env.API.fetch('http://x/')).text()"), "fetched");
		assert.equal(await run("const { add } = env.API; return add('a', 'b')"), "ab");
		assert.equal(await run("return env.API.wait()"), "waits");
		await atoll.log("the method's waitUntil");
	});

	test("gets a property, and goes by properties to a method", async () => {
		assert.equal(await run("return env.API.getter"), "got s");
		assert.deepEqual(await run("return await env.API.promised"), [1]);
		assert.equal(await run("return env.API.data.list[0].name"), "in it");
		assert.equal(await run("return env.API.data.list[0].call(4)"), 8);
		assert.equal(await run("return env.API.data.counter.increment()"), 2);
		assert.equal(await run("return env.API.getter.then((x) => x.length)"), 5);
		assert.equal(await run("return env.API.missing.catch((error) => error.name)"), "TypeError");
		assert.equal(await run("return said(() => env.API.function)"), 'TypeError: "function" is a method: call it.');
	});

	test("is refused for what is no method of the class", async () => {
		const missing = (name: string) => `TypeError: The RPC receiver does not implement the method "${name}".`;
		for (const name of ["own", "method", "env", "ctx", "missing", "hidden", "secret", "__proto__x", "data.nothing"])
			assert.equal(await run(`return said(() => env.API.${name}())`), missing(name), name);
		for (const name of ["data.list.push", "data.counter.n", "getter.length"])
			assert.equal(await run(`return said(() => env.API.${name}())`), missing(name));
		for (const name of ["scheduled", "queue", "alarm", "dup", "connect"])
			assert.equal(
				await run(`return said(() => env.API.${name}())`),
				`TypeError: '${name}' is a reserved method and cannot be called over RPC.`,
			);
		assert.equal(await run("return said(() => env.API.getter())"), 'TypeError: "getter" is not a function.');
		assert.equal(
			await run("return env.API.toString() + typeof env.API.then + JSON.stringify(env.API)"),
			"[object Fetcher]undefined{}",
		);
		assert.match(
			String(await run("return said(() => env.PLAIN.add())")),
			/TypeError: The entrypoint "NoEntrypoint" has no methods/,
		);
		assert.equal(
			await run("return said(() => env.MISSING.add())"),
			'TypeError: The function has no entrypoint "Missing".',
		);
		assert.equal(await run("return said(() => env.NOWHERE.add())"), "Error: No function of this name is deployed.");
		assert.match(String(await run("return said(() => env.API['x'.repeat(300)]())")), /too long/);
		assert.match(String(await run("return said(() => env.API['a\\nb']())")), /TypeError/);
	});

	test("of an object gets `env` and `ctx` beside its arguments", async () => {
		assert.deepEqual(await run("return env.OBJECT.add(1)"), [1, "k", {}, 3]);
		assert.deepEqual(await run("return env.OBJECT.add()"), [null, "k", {}, 3]);
		assert.deepEqual(await run("return env.OBJECT.two('a', 'b')"), ["a", "b", "k", "function"]);
		assert.match(
			String(await run("return said(() => env.OBJECT.add(1, 2))")),
			/TypeError: a method of an object takes 1/,
		);
		assert.deepEqual(await run("return env.OBJECT.nested.deep(1, 2)"), [1, 2]);
		assert.equal(await run("return env.OBJECT.nested.value"), 5);
		assert.match(String(await run("return said(() => env.OBJECT.above())")), /does not implement the method "above"/);
	});

	test("is rejected with what the method throws", async () => {
		for (const name of ["Error", "RangeError", "TypeError"])
			assert.equal(await run(`return said(() => env.API.fails("${name}"))`), `${name}: failed`);
		assert.equal(await run("return said(() => env.API.fails('Mine'))"), "Error: of my own");
		assert.equal(await run("return said(() => env.API.fails('text'))"), "a text");
		assert.match(String(await run("return said(() => env.API.fails('function'))")), /^Error/);
		assert.equal(await run("return said(() => env.API.fails('dom'))"), "AbortError: aborted");
		assert.equal(await run("return env.API.fails('cause').catch(({ cause }) => String(cause))"), "RangeError: inner");
		assert.equal(await run("return said(() => env.API.rejects())"), "SyntaxError: rejected");
		assert.equal(await run("return said(() => env.THROWS.add())"), "Error: no instance");
		await atoll.log(/RangeError: failed\n +at .*api\.js/);
	});

	test("takes and gives all that structuredClone takes", async () => {
		const same = await run(`
			const cycle = { name: "cycle" }; cycle.self = cycle; cycle.list = [cycle, , 3]; cycle.list.extra = "e";
			const buffer = new Uint8Array([1, 2, 3, 4]).buffer;
			const given = [undefined, null, true, -0, NaN, -Infinity, 1e300, 12n ** 40n, "\\ud800 \\u0000\\n", new Date(5), new Date(NaN),
				/a\\/b/giu, new Map([[{ k: 1 }, new Set([1, "x"])]]), new Uint16Array(buffer, 2), new DataView(buffer, 1, 2), buffer,
				new ArrayBuffer(2, { maxByteLength: 8 }), Object("s"), Object(1), Object(true), Object(5n), new RangeError("r", { cause: [1] }),
				new DOMException("m", "DataError"), cycle, { __proto__: null, ["__proto__"]: 1, 1: "one" }, new (class Foo { x = 1; y() {} })(),
				new Blob(["blob"], { type: "a/b" }), new File(["file"], "f.txt", { lastModified: 7 }), "ü".repeat(100)];
			const back = await env.API.echo(...given);
			const c = back[23];
			return [back.length, back[0] === undefined, back[1], back[2], Object.is(back[3], -0), Number.isNaN(back[4]), back[5] === -Infinity, back[6], back[7] === 12n ** 40n,
				back[8] === "\\ud800 \\u0000\\n", back[9].getTime(), Number.isNaN(back[10].getTime()), String(back[11]), [...back[12]][0][0].k, [...[...back[12]][0][1]],
				back[13] instanceof Uint16Array && back[13].length, back[14].getUint8(0), back[13].buffer === back[15] && back[14].buffer === back[15], back[16].maxByteLength,
				back[17] instanceof String, back[18] + 1, back[19] instanceof Boolean, typeof back[20].valueOf(), back[21] instanceof RangeError && back[21].cause, back[22].name,
				c.self === c && c.list[0] === c && !(1 in c.list) && c.list.length === 3 && c.list.extra, Object.keys(back[24]), Object.hasOwn(back[24], "__proto__"), { ...back[25] }, back[25].y === undefined,
				await back[26].text() + back[26].type, back[27].name + back[27].lastModified + await back[27].text(), back[28].length];
		`);
		assert.deepEqual(same, [
			29,
			true,
			null,
			true,
			true,
			true,
			true,
			1e300,
			true,
			true,
			5,
			true,
			"/a\\/b/giu",
			1,
			[1, "x"],
			1,
			2,
			true,
			8,
			true,
			2,
			true,
			"bigint",
			[1],
			"DataError",
			"e",
			["1", "__proto__"],
			true,
			{ x: 1 },
			true,
			"bloba/b",
			"f.txt7file",
			100,
		]);
	});

	test("takes and gives headers, requests, responses and streams", async () => {
		assert.deepEqual(
			await run("const [h] = await env.API.echo(new Headers({ a: 'b' })); h.append('c', 'd'); return [...h]"),
			[
				["a", "b"],
				["c", "d"],
			],
		);
		assert.deepEqual(
			await run(
				"const [r] = await env.API.echo(new Request('http://x/', { method: 'PUT', body: 'text', headers: { a: 'b' } })); return [r.method, r.url, r.headers.get('a'), await r.text()]",
			),
			["PUT", "http://x/", "b", "text"],
		);
		assert.deepEqual(
			await run(
				"const [r] = await env.API.echo(new Response(new Uint8Array([1, 2]), { status: 201, statusText: 'ok', headers: { a: 'b' } })); return [r.status, r.statusText, r.headers.get('a'), [...await r.bytes()]]",
			),
			[201, "ok", "b", [1, 2]],
		);
		assert.deepEqual(
			await run(
				"const r = new Response('x'); await env.API.echo(r); return [r.bodyUsed, await said(() => env.API.echo(r))]",
			),
			[true, "TypeError: Body is unusable: it has already been read, or its stream is locked"],
		);
		const stream =
			"const of = (n, fill) => new ReadableStream({ pull(c) { if (n-- > 0) c.enqueue(new Uint8Array(60_000).fill(fill)); else c.close(); } });";
		assert.deepEqual(
			await run(
				`${stream} const [a, b, empty] = await env.API.echo(of(20, 1), new Response(of(10, 2)), of(0)); const bytes = await new Response(a).bytes(); const other = await b.bytes(); return [bytes.length, bytes.at(-1), other.length, other[0], (await new Response(empty).bytes()).length]`,
			),
			[1_200_000, 1, 600_000, 2, 0],
		);
		assert.deepEqual(
			await run(`const broken = new ReadableStream({ pull() { throw new Error("broke") } }); const wrong = new ReadableStream({ start(c) { c.enqueue("text"); c.close(); } });
				const [a, b] = await env.API.echo(broken, wrong); return [await said(() => new Response(a).text()), await said(() => new Response(b).text())]`),
			["Error: broke", "Error: a ReadableStream that is handed to another function must yield bytes"],
		);
		assert.equal(
			await run(
				`${stream} const [a] = await env.API.echo(of(1e9, 1)); const reader = a.getReader(); await reader.read(); await reader.cancel(); return "cancelled"`,
			),
			"cancelled",
		);
	});

	test("is of a stub that can be logged, spread and copied like any object", async () => {
		assert.deepEqual(
			await run(
				"console.log(env.API, env.API.add); return [{ ...env.API }, Object.keys(env.API), 'add' in env.API, env.API instanceof Object, String(Object.create(env.API).add)]",
			),
			[{}, [], false, true, "undefined"],
		);
		await atoll.log(/Fetcher \{\}/);
	});

	test("is refused for what nothing can stand for, at either end", async () => {
		const refused = /^DataCloneError: .* cannot be handed to another function/;
		for (const value of [
			"() => 1",
			"Symbol('s')",
			"new WeakMap()",
			"Promise.resolve()",
			"env.API",
			"env.API.x",
			"new WritableStream()",
			"new URL('http://x/')",
		])
			assert.match(String(await run(`return said(() => env.API.echo(${value}))`)), refused, value);
		for (const what of ["symbol", "map"])
			assert.match(String(await run(`return said(() => env.API.gives("${what}"))`)), refused, what);
	});

	test("leaves one record, with the method's name", async () => {
		atoll.records.length = 0;
		await run("return env.API.data.list[0].call(1)");
		const record = await atoll.record("api");
		assert.deepEqual(
			[record.event, record.method, record.trigger, record.outcome, record.hostname, record.status],
			["rpc", "data.list.0.call", "subrequest", "ok", "", 200],
		);
		await run("return said(() => env.API.fails('TypeError'))");
		const failed = await atoll.record("api", 1);
		assert.deepEqual([failed.event, failed.method, failed.outcome], ["rpc", "fails", "exception"]);
		await run("return said(() => env.MISSING.add())");
		assert.equal((await atoll.record("api", 2)).outcome, "no_handler");
		assert.equal((await atoll.record("uses")).subrequests, 1);
	});

	test("is held to limits as any request", async () => {
		assert.equal(
			await run("return said(() => env.API.spin())"),
			"Error: The function used more CPU time than it is allowed.",
		);
		assert.equal(await run("return (await env.API.large(1_000_000)).length"), 1_000_000);
		assert.equal(await run("return (await env.API.echo('x'.repeat(700_000)))[0].length"), 700_000);
		const self = `import { exports, WorkerEntrypoint } from "cloudflare:workers";
			export class Deep extends WorkerEntrypoint { async deep(n) { try { return await this.ctx.exports.Deep.deep(n + 1); } catch (error) { return n + " " + error.message; } } }
			export default { fetch: async () => new Response(await exports.Deep.deep(1)) };`;
		await atoll.deploy("deep", self);
		assert.equal(await atoll.text("deep"), "16 functions have called one another 16 deep");
		const small = { bindings: { API: service() }, limits: { subrequestBodyBytes: 1000 } };
		await atoll.deploy("small", USES, small);
		const body = "return said(() => env.API.large(2000))";
		assert.match(await atoll.text("small", "/", { method: "POST", body }), /sent more than 1000 bytes/);
		await atoll.deploy("api-small", API, { limits: { requestBodyBytes: 1000 } });
		await atoll.deploy("to-small", USES, { bindings: { API: { type: "service", function: "api-small" } } });
		const large = "return said(() => env.API.echo('x'.repeat(2000)))";
		assert.match(
			await atoll.text("to-small", "/", { method: "POST", body: large }),
			/body is larger than this function accepts/,
		);
	});
});
