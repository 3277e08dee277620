import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const CROWD = 400;

inBothIsolations("fairness", (isolation) => {
	const atoll = new TestRuntime({ isolation });

	test("a function with hundreds of requests at once does not keep another's one waiting for all of them", async () => {
		await atoll.deploy(
			"crowd",
			`export default { fetch() { let x = 0; for (let i = 0; i < 1_200_000; i++) x += i; return new Response("crowd " + (x > 0)); } }`,
		);
		await atoll.deploy("single", `export default { fetch: () => new Response("single") }`);
		await atoll.text("crowd");
		await atoll.text("single");
		await until(() => atoll.records.length === 2);
		// It comes to the sandbox behind the others, some of which have had their turn by then: all of them, where little
		// is left for whoever sends them, and it comes again. Served in the order of their coming, it is the last each time.
		for (let tries = 1; ; tries++) {
			const { length } = atoll.records;
			const crowd = Array.from({ length: CROWD }, () => atoll.text("crowd"));
			assert.equal(await atoll.text("single"), "single");
			await Promise.all(crowd);
			await until(() => atoll.records.length === length + CROWD + 1);
			const first = atoll.records.slice(length).findIndex((record) => record.function === "single");
			if (first < CROWD / 3) break;
			assert.ok(tries < 10, `${first} of ${CROWD} came first`);
		}
	});

	test("requests of one function beyond its limit get 503 overloaded with retry-after, and others none", async () => {
		await atoll.deploy(
			"full",
			`export default { async fetch() { await new Promise((r) => setTimeout(r, 30)); return new Response("in"); } }`,
			{ limits: { concurrentRequests: 2, queuedRequests: 1 } },
		);
		const responses = await Promise.all(Array.from({ length: 5 }, () => atoll.fetch("full")));
		assert.deepEqual(responses.map(({ status }) => status).toSorted(), [200, 200, 200, 503, 503]);
		const refused = responses.find(({ status }) => status === 503) as Response;
		assert.equal(refused.headers.get("retry-after"), "1");
		assert.equal(await errorCode(refused), "overloaded");
		assert.equal(await atoll.text("single"), "single");
		assert.equal(await atoll.text("full"), "in");
	});
});
