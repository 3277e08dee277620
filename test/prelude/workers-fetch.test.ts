/** Requests and responses where Workers have more than the Fetch standard, or something else. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Evaluator } from "../support/evaluate.ts";
import { Listening } from "../support/listening.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

inBothIsolations("requests and responses as on Workers", (isolation) => {
	const evaluator = new Evaluator(isolation);
	const value = (code: string) => evaluator.value(code);

	test("a stream is a request's body without duplex", async () => {
		assert.deepEqual(
			await value(`
				const stream = () => new Response("streamed").body.pipeThrough(new TransformStream());
				const request = new Request("http://a/", { method: "POST", body: stream() });
				return [await request.text(), await new Request(request.url, { method: "PUT", body: stream(), duplex: "half" }).text(), request.duplex];
			`),
			["streamed", "streamed", "half"],
		);
	});
});

inBothIsolations("fetch as on Workers", (isolation) => {
	const atoll = new TestRuntime({ isolation, egress: { allow: ["127.0.0.1"] } });
	let origin: Listening;
	before(async () => {
		origin = await Listening.on((req, res) => req.pipe(res.setHeader("x-from", "origin")));
	});
	after(() => origin[Symbol.asyncDispose]());

	test("a stream is the body of a fetch without duplex", async () => {
		await atoll.deploy(
			"sends",
			`export default { fetch: (request) => fetch("${origin.origin}", { method: "POST", body: new Blob(["sent"]).stream() }) }`,
		);
		assert.equal(await atoll.text("sends"), "sent");
	});
});
