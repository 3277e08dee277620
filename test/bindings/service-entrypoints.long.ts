import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";

const API = `import { env, exports, WorkerEntrypoint } from "cloudflare:workers";
let instances = 0;
export class Admin extends WorkerEntrypoint {
	constructor(ctx, env) { super(ctx, env); this.nth = ++instances; }
	async fetch(request) {
		this.ctx.waitUntil(Promise.resolve());
		return Response.json({ admin: request.url, method: request.method, body: await request.text(), props: this.ctx.props, env: this.env.KEY, nth: this.nth });
	}
}
export class Methods extends WorkerEntrypoint { add(a, b) { return a + b; } }
export class Plain { fetch() { return new Response("plain class"); } }
export const object = { fetch: (request, env, ctx) => Response.json({ object: env.KEY, props: ctx.props }) };
export function helper() { return new Response("never"); }
export const text = "text";
export default { async fetch(request, env, ctx) {
	switch (new URL(request.url).pathname) {
		case "/names": return Response.json([Object.keys(ctx.exports), exports === ctx.exports, exports.helper === undefined, "Admin" in exports, exports.Admin === ctx.exports.Admin, typeof exports.then]);
		case "/self": return exports.Admin.fetch("http://self/a", { method: "POST", body: "x" });
		case "/self-props": return ctx.exports.object({ props: { from: "self" } }).fetch("http://self/");
		case "/self-default": return exports.default.fetch("http://self/inner");
	}
	return Response.json({ default: env.KEY, props: ctx.props });
} };`;

const USES = `export default { fetch: (request, env) => env[new URL(request.url).pathname.slice(1)].fetch(request) };`;

inBothIsolations("the entrypoints of a function", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	const service = (settings: object) => ({ type: "service", function: "api", ...settings });
	const json = async (name: string, path: string, init?: RequestInit) =>
		JSON.parse(await atoll.text(name, path, init)) as Record<string, unknown>;

	test("are asked by service bindings, each with an instance for each request and the binding's props", async () => {
		await atoll.deploy("api", API, { env: { KEY: "k" } });
		const bindings = {
			ADMIN: service({ entrypoint: "Admin", props: { role: "boss", deep: [1, { a: null }] } }),
			BARE: service({ entrypoint: "Admin" }),
			PLAIN: service({ entrypoint: "Plain" }),
			OBJECT: service({ entrypoint: "object", props: { a: 1 } }),
			DEFAULT: service({ props: { who: "uses" } }),
			NAMED: service({ entrypoint: "default" }),
			METHODS: service({ entrypoint: "Methods" }),
			HELPER: service({ entrypoint: "helper" }),
			TEXT: service({ entrypoint: "text" }),
			PROTO: service({ entrypoint: "constructor" }),
			MISSING: service({ entrypoint: "Missing" }),
		};
		await atoll.deploy("uses", USES, { bindings });
		assert.deepEqual(await json("uses", "/ADMIN", { method: "POST", body: "hello" }), {
			admin: "http://uses.test/ADMIN",
			method: "POST",
			body: "hello",
			props: { role: "boss", deep: [1, { a: null }] },
			env: "k",
			nth: 1,
		});
		const bare = await json("uses", "/BARE");
		assert.deepEqual([bare.props, bare.nth], [{}, 2]);
		assert.equal(await atoll.text("uses", "/PLAIN"), "plain class");
		assert.deepEqual(await json("uses", "/OBJECT"), { object: "k", props: { a: 1 } });
		assert.deepEqual(await json("uses", "/DEFAULT"), { default: "k", props: { who: "uses" } });
		assert.deepEqual(await json("uses", "/NAMED"), { default: "k", props: {} });
		assert.deepEqual(await json("api", "/"), { default: "k", props: {} });
	});

	test("are no other exports, nor what is not there", async () => {
		for (const name of ["METHODS", "HELPER", "TEXT", "PROTO", "MISSING"])
			assert.match(await atoll.text("uses", `/${name}`), /"code":"no_handler"/, name);
		await atoll.log("no_handler: the function has no entrypoint Missing for requests");
	});

	test("leave a record each, as requests do", async () => {
		const { event, trigger, method, status } = await atoll.record("api");
		assert.deepEqual([event, trigger, method, status], ["http", "subrequest", "POST", 200]);
	});

	test("are the function's own to call, with whatever props", async () => {
		assert.deepEqual(await json("api", "/names"), [
			["Admin", "Methods", "Plain", "default", "object"],
			true,
			true,
			true,
			true,
			"undefined",
		]);
		const self = await json("api", "/self");
		assert.deepEqual([self.admin, self.body], ["http://self/a", "x"]);
		assert.deepEqual(await json("api", "/self-props"), { object: "k", props: { from: "self" } });
		assert.deepEqual(await json("api", "/self-default"), { default: "k", props: {} });
	});

	test("are refused where a deployment says what makes no sense of them", async () => {
		const refusals: [settings: object, why: RegExp][] = [
			[{ entrypoint: "a b" }, /bindings\.X: entrypoint: must be a name/],
			[{ entrypoint: "" }, /bindings\.X: entrypoint: must be a name/],
			[{ entrypoint: "x".repeat(101) }, /bindings\.X: entrypoint: must be a name/],
			[{ props: "text" }, /bindings\.X: props: /],
			[{ props: { long: "x".repeat(20_000) } }, /bindings\.X: props: must be JSON of up to 16384 letters/],
		];
		for (const [settings, why] of refusals)
			await assert.rejects(atoll.deploy("wrong", USES, { bindings: { X: service(settings) } }), why);
	});

	test("may be all that a function has", async () => {
		const only = `import { WorkerEntrypoint } from "cloudflare:workers";
			export class Only extends WorkerEntrypoint { fetch() { return new Response("only"); } }`;
		const { handlers } = await atoll.deploy("only", only);
		assert.deepEqual(handlers, []);
		const bindings = { ONLY: { type: "service", function: "only", entrypoint: "Only" } };
		await atoll.deploy("uses-only", USES, { bindings });
		assert.equal(await atoll.text("uses-only", "/ONLY"), "only");
		assert.equal(await errorCode(await atoll.fetch("only")), "no_handler");
		const methods = `import { WorkerEntrypoint } from "cloudflare:workers";
			class Base extends WorkerEntrypoint { async hello() { return "hello"; } }
			export default class extends Base {}`;
		assert.deepEqual((await atoll.deploy("methods", methods)).handlers, []);
		const calls = "export default { fetch: async (request, env) => new Response(await env.METHODS.hello()) };";
		await atoll.deploy("uses-methods", calls, { bindings: { METHODS: { type: "service", function: "methods" } } });
		assert.equal(await atoll.text("uses-methods"), "hello");
		assert.equal(await errorCode(await atoll.fetch("methods")), "no_handler");
		await assert.rejects(atoll.deploy("none", "export class None { fetch() {} }"), /it exports only None/);
	});
});
