/** Functions in the syntax of service workers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";

inBothIsolations("service workers", (isolation) => {
	const atoll = new TestRuntime({ isolation });

	test("variables and bindings are globals, also at the top level", async () => {
		await atoll.deploy("api", `export default { fetch: () => new Response("from the service") }`);
		await atoll.write("greeting.js", "export const greet = (name) => 'hello ' + name;");
		const options = {
			env: { NAME: "world", LIMITS: { most: 3 }, URL: "not the platform's" },
			bindings: { API: { type: "service", function: "api" } },
		};
		const answer = `event.respondWith(API.fetch("http://any/").then(async (response) => Response.json([text, LIMITS.most, await response.text(), typeof URL])))`;
		await atoll.deploy("plain", `const text = NAME; addEventListener("fetch", (event) => ${answer});`, options);
		assert.deepEqual(JSON.parse(await atoll.text("plain")), ["world", 3, "from the service", "function"]);
		await atoll.deploy(
			"importing",
			`import { greet } from "./greeting.js"; const text = greet(NAME); addEventListener("fetch", (event) => ${answer});`,
			options,
		);
		assert.deepEqual(JSON.parse(await atoll.text("importing")), ["hello world", 3, "from the service", "function"]);
	});

	test("they are no globals of a function that exports anything", async () => {
		const listens = `addEventListener("fetch", (event) => event.respondWith(new Response(typeof NAME)));`;
		const env = { NAME: "x" };
		await atoll.deploy("module", `export default { fetch: (request, env) => new Response(typeof NAME + env.NAME) }`, {
			env,
		});
		await atoll.deploy("both", `${listens} export const version = 1;`, { env });
		await atoll.deploy("common", `${listens} module.exports = { scheduled() {} };`, { env });
		assert.equal(await atoll.text("module"), "undefinedx");
		assert.equal(await atoll.text("both"), "undefined");
		assert.equal(await atoll.text("common"), "undefined");
	});

	test("a fetch event has what Workers give it, and its request lives as long as waitUntil says", async () => {
		await atoll.deploy(
			"events",
			`addEventListener("fetch", (event) => {
				event.passThroughOnException();
				event.waitUntil(scheduler.wait(1).then(() => console.log("after the response")));
				const refused = (run) => { try { run(); return "taken"; } catch (error) { return error.name; } };
				const made = [() => new FetchEvent("fetch"), () => new ExtendableEvent("x"), () => new ScheduledEvent("x")].map(refused);
				event.respondWith(Promise.resolve().then(() => Response.json([
					event.type, event.request.method, event instanceof FetchEvent, event instanceof ExtendableEvent, event instanceof Event,
					Object.prototype.toString.call(event), made, twice, refused(() => event.respondWith(new Response("late"))),
				])));
				const twice = refused(() => event.respondWith(new Response("twice")));
			});
			addEventListener("fetch", () => console.log("never called"));`,
		);
		assert.deepEqual(JSON.parse(await atoll.text("events")), [
			"fetch",
			"GET",
			true,
			true,
			true,
			"[object FetchEvent]",
			["TypeError", "TypeError", "TypeError"],
			"Error",
			"Error",
		]);
		await atoll.log("after the response");
		assert.equal(
			atoll.logs.some(({ message }) => message.includes("never called")),
			false,
		);
	});

	test("the first listener that answers does, and one that throws before is the request's failure if none does", async () => {
		await atoll.deploy(
			"several",
			`addEventListener("fetch", (event) => { if (event.request.url.endsWith("/throws")) throw new RangeError("thrown here"); });
			addEventListener("fetch", (event) => { if (event.request.url.endsWith("/second")) event.respondWith(new Response("second")); });`,
		);
		assert.equal(await atoll.text("several", "/second"), "second");
		assert.equal(await errorCode(await atoll.fetch("several", "/throws")), "exception");
		await atoll.log("RangeError: thrown here");
		assert.equal(await errorCode(await atoll.fetch("several", "/none")), "invalid_response");
	});

	test("events that are no requests are of their own classes", async () => {
		await atoll.deploy(
			"classes",
			`addEventListener("scheduled", (event) => console.log(event instanceof ScheduledEvent, event instanceof ExtendableEvent, String(event), event.cron));
			addEventListener("queue", (event) => console.log(event instanceof QueueEvent, event.messages.length));`,
		);
		await atoll.runtime.dispatch({ name: "classes" }, { type: "scheduled", cron: "0 * * * *", scheduledTime: 0 });
		await atoll.log("true true [object ScheduledEvent] 0 * * * *");
	});
});
