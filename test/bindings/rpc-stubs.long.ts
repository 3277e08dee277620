import assert from "node:assert/strict";
import { test } from "node:test";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const API = `import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
class Counter extends RpcTarget {
	#n;
	own = "never";
	constructor(n) { super(); this.#n = n; }
	increment(by = 1) { return this.#n += by; }
	get value() { return this.#n; }
	fails() { throw new RangeError("beyond"); }
	another() { return new Counter(this.#n * 10); }
	self() { return this; }
	echo(x) { return x; }
	gives() { return new ReadableStream(); }
	[Symbol.dispose]() { console.log("disposed of " + this.#n); }
}
let kept = 0;
export default class extends WorkerEntrypoint {
	counter(n = 0) { return new Counter(n); }
	adder(n) { return (x) => x + n; }
	async both() { const one = new Counter(1); return { one, again: one, list: [new Counter(2)], add: (a, b) => a + b, plain: [{ deep: "d" }], bytes: new Uint8Array(3), stream: new Response("s").body }; }
	get property() { return new Counter(7); }
	spinner() { return () => { for (;;); }; }
	symbol() { return [new Counter(1), Symbol("s")]; }
	echo(x) { return x; }
	takes(x) { return [x.length, new Counter(1)]; }
}`;

const USES = `
const said = async (promise) => { try { return await promise(); } catch (error) { return String(error); } };
export default { async fetch(request, env, ctx) {
	const run = new Function("env", "said", "ctx", "return (async () => {" + await request.text() + "})()");
	return Response.json(await run(env, said, ctx) ?? null);
} };`;

inBothIsolations("a stub of what another function holds", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	const run = async (code: string, name = "uses") =>
		JSON.parse(await atoll.text(name, "/", { method: "POST", body: code })) as unknown;

	test("calls the methods of an RpcTarget, whose state stays where it is", async () => {
		await atoll.deploy("api", API, { limits: { cpuMs: 1000 } });
		await atoll.deploy("uses", USES, { bindings: { API: { type: "service", function: "api" } } });
		assert.deepEqual(
			await run(
				"const c = await env.API.counter(5); return [await c.increment(), await c.increment(10), await c.value, await said(() => c.fails()), await c.echo({ a: [1] })]",
			),
			[6, 16, 16, "RangeError: beyond", { a: [1] }],
		);
		assert.deepEqual(
			await run(
				"const [a, b] = await Promise.all([env.API.counter(1), env.API.counter(100)]); return Promise.all([a.increment(), b.increment(), a.increment(), b.value])",
			),
			[2, 101, 3, 101],
		);
		assert.equal(await run("return (await env.API.property).increment()"), 8);
	});

	test("calls a function, and comes anywhere in a result, beside whatever else", async () => {
		assert.equal(await run("const add = await env.API.adder(3); return add(4)"), 7);
		assert.deepEqual(
			await run(
				"const { one, again, list, add, plain, bytes, stream } = await env.API.both(); return [await one.increment(), await again.increment(), await list[0].value, await add(1, 2), plain[0].deep, bytes.length, await new Response(stream).text()]",
			),
			[2, 3, 2, 3, "d", 3, "s"],
		);
		assert.deepEqual(
			await run(
				"const c = await env.API.counter(2); const d = await c.another(); const e = await c.self(); return [await d.increment(), await e.increment(), await c.value]",
			),
			[21, 3, 3],
		);
	});

	test("is no text, and can be logged", async () => {
		assert.equal(
			await run(
				"const c = await env.API.counter(); console.log(c, 'was logged'); return [String(c), String(c.increment), typeof c.then, JSON.stringify([c])].join(' ')",
			),
			"[object RpcStub] [object RpcStub] undefined [null]",
		);
		await atoll.log("was logged");
		assert.equal(
			await run(
				"const p = env.API.counter(); return [String(p), p instanceof Promise, (await Promise.resolve(p)) !== p].join()",
			),
			"[object RpcStub],true,true",
		);
	});

	test("is called before it is there", async () => {
		assert.equal(await run("return env.API.counter(1).increment()"), 2);
		assert.equal(await run("return env.API.counter(2).another().increment(2)"), 22);
		assert.equal(await run("return env.API.adder(1)(2)"), 3);
		assert.equal(await run("return env.API.both().plain[0].deep"), "d");
		assert.deepEqual(
			await run(
				"const c = env.API.counter(0); const all = [c.increment(), c.increment(), c.value]; return Promise.all(all)",
			),
			[1, 2, 2],
		);
		assert.equal(
			await run("return said(() => env.API.missing().increment())"),
			'TypeError: The RPC receiver does not implement the method "missing".',
		);
		assert.equal(await run("return said(() => env.API.echo(1).more())"), 'TypeError: "more" is not a function.');
	});

	test("reaches the methods of the class alone", async () => {
		for (const name of ["own", "missing", "constructor", "toString", "value.x"])
			assert.match(
				String(await run(`const c = await env.API.counter(); return said(() => c["${name}"]())`)),
				/TypeError: .* does not implement the method|is not a function|reserved/,
				name,
			);
		assert.match(
			String(await run("const c = await env.API.counter(); return said(() => c())")),
			/TypeError: a target is no function/,
		);
		assert.match(
			String(await run("const f = await env.API.adder(1); return said(() => f.call(null, 1))")),
			/does not implement the method "call"/,
		);
		assert.match(
			String(await run("const c = await env.API.counter(); return said(() => c.gives())")),
			/DataCloneError: a stub takes and gives no streams/,
		);
		assert.match(
			String(await run("const c = await env.API.counter(); return said(() => c.echo(() => 1))")),
			/DataCloneError: a function cannot be handed/,
		);
		assert.match(
			String(await run("const c = await env.API.counter(); return said(() => env.API.echo(c))")),
			/DataCloneError: a function cannot be handed/,
		);
		assert.match(String(await run("return said(() => env.API.symbol())")), /DataCloneError: a symbol/);
		assert.match(
			String(await run("return said(() => env.API.takes('x'.repeat(300_000)))")),
			/DataCloneError: an RpcTarget cannot be handed/,
		);
	});

	test("is there until it is disposed of, or its request is over, of which the target hears", async () => {
		assert.deepEqual(
			await run(
				"const c = await env.API.counter(41); await c.increment(); c[Symbol.dispose](); c[Symbol.dispose](); return said(() => c.increment())",
			),
			"Error: the stub has been disposed of",
		);
		await atoll.log("disposed of 42");
		assert.equal(await run("const c = await env.API.counter(76); return c.increment()"), 77);
		await atoll.log("disposed of 77");

		await run(
			"const { one, again, list, add } = await env.API.both(); one[Symbol.dispose](); const n = await again.increment(); for (const x of [again, list[0], add]) x[Symbol.dispose](); return n",
		);
		assert.equal(await run("return env.API.counter(8).increment()"), 9);
		await until(() => atoll.runtime.stats().inFlight === 0);
		const ended = atoll.records.filter(
			({ event, method }) => event === "rpc" && (method === "counter" || method === "both"),
		);
		assert.deepEqual([...new Set(ended.map(({ outcome }) => outcome))], ["ok"]);
	});

	test("does not keep others from being called, and counts as a subrequest with each call", async () => {
		assert.equal(
			await run(
				"const all = []; for (let i = 0; i < 20; i++) all.push(await env.API.counter(i)); let sum = 0; for (const c of all) sum += await c.increment(); return sum",
			),
			210,
		);
		const limits = { subrequests: 3 };
		await atoll.deploy("few", USES, { bindings: { API: { type: "service", function: "api" } }, limits });
		const code =
			"const c = await env.API.counter(); await c.increment(); await c.increment(); return said(() => c.increment())";
		assert.equal(await run(code, "few"), "Error: the request has already made its 3 subrequests");
	});

	test("is gone with its function's invocation", async () => {
		assert.match(
			String(await run("const spin = await env.API.spinner(); return said(() => spin())")),
			/Error: what the stub stands for is gone/,
		);
		assert.match(
			String(await run("const spin = await env.API.spinner(); await said(() => spin()); return said(() => spin())")),
			/Error: what the stub stands for is gone/,
		);
	});

	test("may be told much at once", async () => {
		assert.deepEqual(
			await run(
				"const c = await env.API.counter(); const big = 'x'.repeat(700_000); const all = await Promise.all([c.echo(big), c.echo('small'), c.echo(big)]); return all.map(({ length }) => length)",
			),
			[700_000, 5, 700_000],
		);
	});
});
