import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { errorCode, TestRuntime } from "../support/runtime.ts";

describe("a turn that was cut while its thread waited for a core", () => {
	const atoll = new TestRuntime({ isolation: "inline" });
	const LOOP = `export default { fetch(r) { for (;;); } }`;

	test("is run again, three times at most, and then counts as beyond its limit", async ({ mock }) => {
		await atoll.deploy("starves", LOOP, { limits: { cpuMs: 50 } });
		mock.method(process, "threadCpuUsage", () => ({ user: 0, system: 0 }));
		const response = await atoll.fetch("starves");
		assert.equal(response.status, 503);
		assert.equal(await errorCode(response), "cpu_limit_exceeded");
		const { attempts, exceeded, cpuMs } = await atoll.record("starves");
		assert.deepEqual([attempts, exceeded], [3, { cpuMs: 1 }]);
		assert.ok(cpuMs >= 150, `${cpuMs} ms`);
	});

	test("is not run again if its method is not idempotent and it has had an effect", async ({ mock }) => {
		await atoll.deploy(
			"acts",
			`export default { async fetch(r) { try { await fetch("http://127.0.0.1:1/"); } catch {} for (;;); } }`,
			{ limits: { cpuMs: 50 } },
		);
		mock.method(process, "threadCpuUsage", () => ({ user: 0, system: 0 }));
		assert.equal(await errorCode(await atoll.fetch("acts", "/", { method: "POST" })), "cpu_limit_exceeded");
		assert.equal((await atoll.record("acts")).attempts, 1);
	});

	test("and one that had its time is not", async ({ mock }) => {
		await atoll.deploy("loops", LOOP, { limits: { cpuMs: 50 } });
		let user = 0;
		mock.method(process, "threadCpuUsage", () => {
			user += 1e9;
			return { user, system: 0 };
		});
		assert.equal(await errorCode(await atoll.fetch("loops")), "cpu_limit_exceeded");
		assert.equal((await atoll.record("loops")).attempts, 1);
	});
});
