import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const API = `export default { fetch: () => new Response("from the api") };`;

const USES = `import { env, RpcTarget, waitUntil, WorkerEntrypoint, withEnv } from "cloudflare:workers";
const atTop = [env.VARIABLE, typeof env.API.fetch, Object.keys(env).join("+")];
let refused;
try { waitUntil(Promise.resolve()); } catch (error) { refused = error.message; }
const deep = () => env.VARIABLE;
export default { async fetch(request, given) {
	switch (new URL(request.url).pathname) {
		case "/top": return Response.json(atTop);
		case "/same": return Response.json([env.API === given.API, env.VARIABLE === given.VARIABLE, "API" in env, "b" in env, { ...env }.API === given.API]);
		case "/call": return env.API.fetch("http://x/");
		case "/refused": return new Response(refused);
		case "/wait": waitUntil(scheduler.wait(1).then(() => console.log("waited for"))); return new Response("answered");
		case "/with": {
			const seen = [withEnv({ VARIABLE: "other" }, deep), deep()];
			try { withEnv({ VARIABLE: 1 }, () => { throw new Error("thrown " + env.VARIABLE); }); } catch (error) { seen.push(error.message); }
			seen.push(deep(), withEnv({ VARIABLE: 1 }, () => withEnv({ VARIABLE: 2 }, deep) + deep()));
			for (const wrong of [() => withEnv(1, deep), () => withEnv({}), () => waitUntil()]) try { wrong(); } catch (error) { seen.push(error.name); }
			return Response.json(seen);
		}
		case "/classes": return Response.json([new RpcTarget() instanceof RpcTarget, new (class extends WorkerEntrypoint {})(1, 2).env]);
	}
} };`;

describe("the module cloudflare:workers", () => {
	const atoll = new TestRuntime({ isolation: "inline" });
	const json = async (path: string) => JSON.parse(await atoll.text("uses", path)) as unknown;

	test("has the environment with its bindings, at the top level and in requests", async () => {
		await atoll.deploy("api", API);
		const bindings = { API: { type: "service", function: "api" } };
		await atoll.deploy("uses", USES, { env: { VARIABLE: "a" }, bindings });
		assert.deepEqual(await json("/top"), ["a", "function", "VARIABLE+API"]);
		assert.deepEqual(await json("/same"), [true, true, true, false, true]);
		assert.equal(await atoll.text("uses", "/call"), "from the api");
	});

	test("waits for a promise on behalf of the request, and refuses outside of one", async () => {
		assert.equal(await atoll.text("uses", "/wait"), "answered");
		await atoll.log("waited for");
		assert.match(await atoll.text("uses", "/refused"), /waitUntil\(\) is not available at the top level/);
	});

	test("has another environment for what is called with it", async () => {
		const seen = ["other", "a", "thrown 1", "a", 3, "TypeError", "TypeError", "TypeError"];
		assert.deepEqual(await json("/with"), seen);
	});

	test("has the base classes of entrypoints and targets", async () => {
		assert.deepEqual(await json("/classes"), [true, 2]);
	});

	test("is there for what is imported within a request", async () => {
		await atoll.deploy(
			"late",
			`export default { async fetch() { return new Response((await import("cloudflare:workers")).env.A); } };`,
			{ env: { A: "late" } },
		);
		assert.equal(await atoll.text("late"), "late");
	});
});
