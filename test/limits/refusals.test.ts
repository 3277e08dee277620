import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";

inBothIsolations("a tenant that has used up what it may use", (isolation) => {
	const atoll = new TestRuntime({ isolation, sandboxes: 1 });
	const until = Date.now() + 3600_000;

	test("is refused whatever calls its functions, and leaves records that say so", async () => {
		const bindings = { ONE: { type: "service", function: "one" } } as const;
		await atoll.deploy("one", "export default { fetch: () => new Response('one'), scheduled() {} };", {
			tenant: "acme",
		});
		await atoll.deploy("two", "export default { fetch: (r, env) => env.ONE.fetch('http://one.test/') };", {
			...{ tenant: "acme", bindings },
		});
		await atoll.deploy("other", "export default { fetch: () => new Response('other') };", { tenant: "umbrella" });
		const { runtime } = atoll;
		const used: [string, number][] = [];
		runtime.onUsed = ({ function: name, attempts }, memory) => used.push([name, attempts === 0 ? 0 : memory]);
		const scheduled = { type: "scheduled", cron: "* * * * *", scheduledTime: 0 } as const;
		runtime.refusals.set([{ tenant: "acme", code: "quota_exceeded", until }]);
		const response = await atoll.fetch("one");
		assert.equal(response.status, 429);
		const wait = Number(response.headers.get("retry-after"));
		assert.ok(wait > 3000 && wait <= 3600, String(wait));
		assert.equal(await errorCode(response), "quota_exceeded");
		const { outcome, record } = await runtime.dispatch({ tenant: "acme", name: "one" }, scheduled);
		assert.deepEqual([outcome, record.outcome, record.attempts], ["quota_exceeded", "quota_exceeded", 0]);
		assert.equal(await atoll.text("other"), "other");
		runtime.refusals.set([{ tenant: "acme", code: "budget_exhausted", until: null }]);
		assert.equal((await atoll.fetch("two")).status, 402);
		// Nothing of what was refused has used anything.
		assert.ok(
			used.every(([name, memory]) => (name === "other" ? memory > 0 : memory === 0)),
			JSON.stringify(used),
		);
		// What is over is over without another word.
		runtime.refusals.set([{ tenant: "acme", code: "quota_exceeded", until: Date.now() }]);
		assert.equal(await atoll.text("one"), "one");
		runtime.refusals.set([]);
		assert.equal(await atoll.text("two"), "one");
	});

	test("is refused in the midst of a request, too: its functions' own requests are refused", async () => {
		const { runtime } = atoll;
		const bindings = { ONE: { type: "service", function: "one" } } as const;
		const source = `export default { async fetch(r, env) {
			await r.text();
			return new Response(String((await env.ONE.fetch('http://one.test/')).status));
		} };`;
		await atoll.deploy("late", source, { tenant: "acme", bindings });
		const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
		const asked = atoll.text("late", "/", { method: "POST", body: readable, duplex: "half" } as RequestInit);
		const writer = writable.getWriter();
		await writer.write(new Uint8Array(100_000));
		runtime.refusals.set([{ tenant: "acme", code: "budget_exhausted", until: null }]);
		await writer.close();
		assert.equal(await asked, "402");
		runtime.refusals.set([]);
	});
});
