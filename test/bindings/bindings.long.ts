import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { addBinding } from "../../src/bindings/folders.ts";
import { UsageError } from "../../src/index.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";
import { seen } from "./sample/edge.ts";

addBinding("sample", new URL("./sample/", import.meta.url));

const USES = `export default { async fetch(request, env, ctx) {
	const { pathname } = new URL(request.url);
	const text = (promise) => promise.then((said) => new Response(said), (error) => new Response(error.name + ": " + error.message));
	const streamed = (parts) => new ReadableStream({ pull(c) { if (parts-- > 0) c.enqueue(new Uint8Array(60_000).fill(parts)); else c.close(); } });
	switch (pathname) {
		case "/say": return text(env.SAMPLE.say("how are you? \\n\\ud800"));
		case "/shout": return text(env.SAMPLE.shout("hey"));
		case "/quiet": return text(env.QUIET.shout("hey"));
		case "/stream": return new Response(await env.SAMPLE.mirror(streamed(20)));
		case "/whole": return new Response(await env.SAMPLE.mirror("whole"));
		case "/abort": return text(env.SAMPLE.wait(AbortSignal.timeout(1)));
		case "/leave": ctx.waitUntil(env.SAMPLE.wait(null)); return new Response("left");
		case "/many": return text(Promise.all(Array.from({ length: 4 }, () => env.SAMPLE.say("x"))).then((all) => all.length));
		case "/huge": return text(env.SAMPLE.say("x".repeat(150_000)));
		case "/keys": return new Response(Object.keys(env).join());
	}
} };`;

const bindings = {
	SAMPLE: { type: "sample", greeting: "Hello" },
	QUIET: { type: "sample", greeting: "Psst", shouts: false },
};

for (const isolation of ["process", "inline"] as const)
	describe(`a binding from its folder alone (${isolation})`, () => {
		const atoll = new TestRuntime({ isolation });
		const deploy = (name: string, options = {}) =>
			atoll.deploy(name, USES, { bindings, env: { VARIABLE: 1 }, ...options });

		test("is called with text, and says who has called it", async () => {
			await deploy("uses");
			assert.equal(await atoll.text("uses", "/say"), "Hello, uses: how are you? \n\ufffd");
			assert.equal(await atoll.text("uses", "/shout"), "Hello, uses: HEY");
			assert.equal(await atoll.text("uses", "/huge"), "Error: what is asked for has more than 147456 letters");
			assert.equal(await atoll.text("uses", "/keys"), "VARIABLE,SAMPLE,QUIET");
		});

		test("has settings of its own each time it is bound", async () => {
			assert.equal(await atoll.text("uses", "/quiet"), "Error: it does not shout");
		});

		test("takes and gives bytes, whole and in streams longer than the window", async () => {
			assert.equal(await atoll.text("uses", "/whole"), "whole");
			const bytes = await (await atoll.fetch("uses", "/stream")).bytes();
			assert.equal(bytes.length, 20 * 60_000);
			assert.deepEqual([bytes[0], bytes[60_000], bytes.at(-1)], [19, 18, 0]);
		});

		test("hears of a signal that aborts, and of a request that ends", async () => {
			// A response that was handed on is whole before its invocation is over.
			const times = (what: string) => seen.filter((one) => one.startsWith(what)).length;
			await until(() => times("open") === times("close"));
			seen.length = 0;
			assert.match(await atoll.text("uses", "/abort"), /^TimeoutError/);
			await until(() => seen.includes("close"));
			assert.deepEqual(seen, ["open for default/uses", "waits", "aborted", "close"]);
			seen.length = 0;
			await deploy("hurried", { limits: { wallMs: 2_000 } });
			assert.equal(await atoll.text("hurried", "/leave"), "left");
			await until(() => seen.includes("close"));
			assert.deepEqual(seen, ["open for default/hurried", "waits", "aborted", "close"]);
		});

		test("is held to the limits of subrequests, and stands in the record like them", async () => {
			await deploy("few", { limits: { subrequests: 3 } });
			assert.equal(await atoll.text("few", "/many"), "Error: the request has already made its 3 subrequests");
			const record = await atoll.record("few");
			assert.deepEqual([record.subrequests, record.exceeded], [3, { subrequests: 1 }]);
		});

		test("is refused where it is bound wrongly, and nothing is deployed", async () => {
			const refusals: [given: Record<string, { type: string }>, why: RegExp][] = [
				[
					{ X: { type: "nothing" } },
					/bindings\.X: there is no binding of the type nothing, only service, assets, .*, sample/,
				],
				[{ X: { type: "fetch" } }, /bindings\.X: there is no binding of the type fetch/],
				[{ X: { type: "constructor" } }, /no binding of the type constructor/],
				[{ X: { type: "sample" } }, /bindings\.X: greeting: /],
				[{ VARIABLE: { ...bindings.SAMPLE } }, /bindings\.VARIABLE: there is a variable of this name/],
				[{ "a b": { ...bindings.SAMPLE } }, /must be a name as JavaScript has them/],
				[
					Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`B${i}`, bindings.SAMPLE])),
					/there are more than 1000 of them/,
				],
			];
			for (const [given, why] of refusals)
				await assert.rejects(deploy("wrong", { bindings: given }), (error: Error) => {
					assert.ok(error instanceof UsageError);
					assert.match(error.message, why);
					return true;
				});
			assert.equal((await atoll.fetch("wrong")).status, 404);
		});
	});

describe("a service binding", () => {
	const atoll = new TestRuntime({ isolation: "inline" });
	const services = (functions: Record<string, string>) =>
		Object.fromEntries(Object.entries(functions).map(([name, to]) => [name, { type: "service", function: to }]));
	const CALLS = `export default { async fetch(request, env) {
		const { pathname } = new URL(request.url);
		try {
			if (pathname === "/url") return new Response((await env.API.fetch(new URL("ftp://x/"))).body);
			if (pathname === "/bare") return new Response(String(env.API) + Object.keys(env.API) + (() => { try { new env.API.constructor(); } catch (e) { return e.message } })());
			if (pathname === "/to") return await env.API.fetch("https://anything.example/", { headers: request.headers });
			return env.API.fetch(new Request("https://anything.example/a?b#c", request));
		} catch (error) { return new Response(error.name + ": " + error.message); }
	} };`;
	const ANSWERS = `export default { async fetch(request, env) {
		if (request.method === "PUT") return new Response(request.body, { status: 201, headers: { "x-from": "api" } });
		if (request.headers.has("x-redirect")) return Response.redirect("https://elsewhere.example/b", 303);
		if (request.headers.has("x-to")) return new Response(null, { status: 302, headers: { location: request.headers.get("x-to") } });
		return new Response([request.method, request.url, request.headers.get("host"), request.headers.get("x-kept")].join());
	} };`;

	test("is answered by the function of its name, whatever the hostname, with all of the request", async () => {
		await atoll.deploy("api", ANSWERS, { hostnames: ["not-asked.test"] });
		await atoll.deploy("calls", CALLS, { bindings: services({ API: "api" }) });
		const headers = { "x-kept": "kept" };
		assert.equal(
			await (await atoll.fetch("calls", "/", { headers })).text(),
			"GET,https://anything.example/a?b,anything.example,kept",
		);
		const body = "x".repeat(600_000);
		const put = await atoll.fetch("calls", "/", { method: "PUT", body });
		assert.deepEqual([put.status, put.headers.get("x-from"), await put.text()], [201, "api", body]);
		const record = await atoll.record("api");
		assert.equal(record.trigger, "subrequest");
	});

	test("follows redirects to the same function, and asks http and https URLs alone", async () => {
		assert.equal(
			await (await atoll.fetch("calls", "/", { headers: { "x-redirect": "1" }, redirect: "manual" })).text(),
			"",
		);
		assert.match(
			await atoll.text("calls", "/to", { headers: { "x-to": "ftp://x/" } }),
			/: a service is asked with http/,
		);
		assert.match(await atoll.text("calls", "/url"), /^TypeError: fetch failed: a service is asked with http and https/);
		assert.equal(await atoll.text("calls", "/bare"), "[object Fetcher]Illegal constructor");
	});

	test("reaches the version of that moment, and answers 404 where there is none", async () => {
		await atoll.deploy("later", CALLS, { bindings: services({ API: "missing" }) });
		assert.equal((await atoll.fetch("later")).status, 404);
		await atoll.deploy("missing", ANSWERS);
		assert.match(await atoll.text("later"), /^GET/);
		await atoll.runtime.remove({ name: "missing" });
		assert.equal((await atoll.fetch("later")).status, 404);
	});

	test("reaches no other tenant's function of that name", async () => {
		await atoll.deploy("hers", ANSWERS, { tenant: "victim", name: "private" });
		await atoll.deploy("his", CALLS, { tenant: "mallory", bindings: services({ API: "private" }) });
		assert.equal((await atoll.fetch("his")).status, 404);
		await assert.rejects(
			atoll.deploy("his", CALLS, { tenant: "mallory", bindings: services({ API: "victim/private" }) }),
			/bindings\.API: function: must be letters/,
		);
	});

	test("goes so deep, and no deeper", async () => {
		const deep = `export default { async fetch(request, env) {
			const depth = Number(new URL(request.url).searchParams.get("depth"));
			try { return await env.SELF.fetch("http://self/?depth=" + (depth + 1)); }
			catch (error) { return new Response(depth + " " + error.message); }
		} };`;
		await atoll.deploy("deep", deep, { bindings: services({ SELF: "deep" }) });
		assert.equal(await atoll.text("deep"), "16 fetch failed: functions have called one another 16 deep");
	});

	test("does not wait for those that wait for it, however many have come at once", async () => {
		const self = `export default { fetch: (request, env) =>
			new URL(request.url).pathname === "/" ? env.SELF.fetch("http://self/inner") : new Response("inner") };`;
		const limits = { concurrentRequests: 2, queuedRequests: 10 };
		await atoll.deploy("busy", self, { bindings: services({ SELF: "busy" }), limits });
		const all = await Promise.all(Array.from({ length: 12 }, () => atoll.text("busy")));
		assert.deepEqual(new Set(all), new Set(["inner"]));
	});
});
