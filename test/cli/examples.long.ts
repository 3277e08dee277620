import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { before, test } from "node:test";
import { findFunctions } from "../../src/config/project.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

inBothIsolations("the examples", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	const sources = findFunctions("examples", { domain: "test" });
	before(async () => {
		for (const source of sources) {
			assert.ok(source.problem === null && source.entry !== null);
			const { name, entry, hostnames, bindings, triggers } = source;
			await atoll.runtime.deploy({ name, entry, hostnames, bindings, triggers });
		}
	});

	test("all of them are found", () => {
		assert.equal(sources.length, readdirSync("examples").length);
	});
	test("hello greets", async () => {
		assert.equal(await atoll.text("hello", "/?name=Ada"), "Hello, Ada!\n");
	});
	test("app routes, and its middleware adds headers", async () => {
		const response = await atoll.fetch("app", "/users/42");
		assert.deepEqual(await response.json(), { id: 42, name: "Ada" });
		assert.equal(response.headers.get("x-served-by"), "atoll");
		assert.match(response.headers.get("server-timing") ?? "", /total/);
		assert.equal((await atoll.fetch("app", "/teapot")).status, 418);
		assert.equal((await atoll.fetch("app", "/nowhere")).status, 404);
	});
	test("stream sends line by line", async () => {
		const response = await atoll.fetch("stream", "/?lines=2");
		const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
		assert.equal((await reader.read()).value, "line 1 of 2\n");
		assert.equal((await reader.read()).value, "line 2 of 2\n");
	});
	test("api takes a user, and says what is wrong with one", async () => {
		const good = await atoll.fetch("api", "/", { method: "POST", body: '{"email":"ada@example.com","age":36}' });
		assert.equal(good.status, 201);
		assert.match(
			((await good.json()) as { id: string }).id,
			/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
		);
		const bad = await atoll.fetch("api", "/", { method: "POST", body: '{"email":"ada","age":-1}' });
		assert.equal(bad.status, 422);
		assert.deepEqual(Object.keys(((await bad.json()) as { errors: object }).errors), ["email", "age"]);
		assert.equal((await atoll.fetch("api", "/", { method: "POST", body: "{" })).status, 422);
	});
	test("page renders JSX, escaped", async () => {
		assert.match(await atoll.text("page", "/?name=%3Cb%3E"), /<h1>Good day, &lt;b&gt;<\/h1><ul><li>isolates<\/li>/);
	});
	test("proxy fetches the page and rewrites it", async () => {
		const response = await atoll.fetch("proxy", "/?name=Ada");
		assert.match(await response.text(), /<h1>Good evening, Ada<\/h1>/);
		assert.equal(response.headers.get("x-rewritten"), "yes");
		assert.equal((await atoll.record("proxy")).subrequests, 1);
	});
	test("jobs are done later, and their results are kept", async () => {
		const response = await atoll.fetch("jobs", "/", { method: "POST", body: "one two  three" });
		assert.equal(response.status, 202);
		const result = response.headers.get("location") as string;
		await until(async () => (await atoll.fetch("jobs", result)).status === 200);
		assert.equal(await atoll.text("jobs", result), "3 words\n");
	});
	test("webhook notes what becomes of an order", async () => {
		const event = { specversion: "1.0", id: "1", source: "/events/deliveries", type: "order.shipped" } as const;
		const data = { kind: "json", bytes: Buffer.from('{"type":"order.shipped","data":{"order":"17"}}') } as const;
		const to = { name: "webhook" };
		const { outcome, result } = await atoll.runtime.dispatch(to, {
			type: "event",
			attributes: event,
			data,
			attempts: 1,
		});
		assert.deepEqual([outcome, result], ["ok", { retry: false }]);
		assert.equal(await atoll.text("webhook", "/17"), "shipped\n");
		assert.equal((await atoll.fetch("webhook", "/18")).status, 404);
	});
	test("digest sums up when it is called by time", async () => {
		assert.equal(await atoll.text("digest"), "Counted\n");
		const event = { type: "scheduled", cron: "* * * * *", scheduledTime: 0 } as const;
		assert.equal((await atoll.runtime.dispatch({ name: "digest" }, event)).outcome, "ok");
		assert.match(await atoll.text("digest", "/digest"), /^\d+ visits in the hour before /);
	});
	test("todo keeps a list, and adds all of what is sent or nothing", async () => {
		const added = await atoll.fetch("todo", "/", { method: "POST", body: "milk\nbread" });
		assert.equal(added.status, 201);
		assert.equal((await atoll.fetch("todo", "/1", { method: "PUT" })).status, 204);
		assert.equal((await atoll.fetch("todo", "/9", { method: "PUT" })).status, 404);
		assert.deepEqual(JSON.parse(await atoll.text("todo")), [
			{ id: 2, text: "bread", done: 0 },
			{ id: 1, text: "milk", done: 1 },
		]);
	});

	test("thumbnail makes a small picture of each that is put there", async () => {
		const { decodePng, encodePng } = await import("../../examples/thumbnail/png.ts");
		const pixels = new Uint8Array(300 * 200 * 4).map(
			(_, i) => [250, Math.floor(i / 4) % 300 < 150 ? 0 : 200, 9, 255][i % 4],
		);
		const body = await encodePng({ width: 300, height: 200, pixels });
		assert.equal((await atoll.fetch("thumbnail", "/full/cat.png", { method: "PUT", body })).status, 201);
		assert.equal((await atoll.fetch("thumbnail", "/small/cat.png", { method: "PUT", body })).status, 403);
		await until(async () => (await atoll.fetch("thumbnail", "/small/cat.png")).status === 200);
		const response = await atoll.fetch("thumbnail", "/small/cat.png");
		assert.equal(response.headers.get("content-type"), "image/png");
		const small = await decodePng(new Uint8Array(await response.arrayBuffer()));
		assert.deepEqual([small.width, small.height], [128, 85]);
		assert.deepEqual([...small.pixels.subarray(0, 4)], [250, 0, 9, 255]);
		assert.deepEqual([...small.pixels.subarray(127 * 4, 128 * 4)], [250, 200, 9, 255]);
		const headers = { "if-none-match": response.headers.get("etag") as string };
		assert.equal((await atoll.fetch("thumbnail", "/small/cat.png", { headers })).status, 304);
		await atoll.fetch("thumbnail", "/full/text.png", { method: "PUT", body: "no picture" });
		await atoll.log("it is no PNG");
	});
	test("wasm adds", async () => {
		assert.deepEqual(JSON.parse(await atoll.text("wasm", "/?a=20&b=22")), { a: 20, b: 22, sum: 42 });
	});
});
