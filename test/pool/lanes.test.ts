import assert from "node:assert/strict";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const COUNTS = "let n = 0; export default { fetch: () => new Response(String(++n)) }";
const LOOPS = "export default { fetch() { for (let i = 0; i < 3e8; i++); return new Response('x'); } }";

test("the isolate that had a function's first request has its hundredth, and what comes later is apart from it", async () => {
	const atoll = new TestRuntime({ sandboxes: 2 });
	const names = ["a", "b", "c", "d"];
	await Promise.all(names.map((name) => atoll.deploy(name, COUNTS)));
	await until(() => atoll.runtime.sandboxPids().length === 3); // With the spare, which is the heavy lane from then on.
	assert.equal(atoll.runtime.stats().sandboxes, 2);
	for (let i = 1; i <= 100; i++)
		for (const name of names) assert.equal(await atoll.text(name), String(i), `request ${i} to ${name}`);
	assert.equal(atoll.runtime.stats().sandboxes, 3);

	await atoll.deploy("loops", LOOPS);
	const loops = Promise.all(Array.from({ length: 4 }, () => atoll.text("loops")));
	await until(() => atoll.runtime.stats().inFlight > 0);
	for (let i = 101; i <= 120; i++)
		for (const name of names) assert.equal(await atoll.text(name), String(i), `request ${i} to ${name}`);
	await loops;
});

test("where the first thing that is called computes, others go on beside it", async () => {
	const atoll = new TestRuntime({ sandboxes: 1 });
	await atoll.deploy("loops", LOOPS);
	await atoll.deploy("a", COUNTS);
	await until(() => atoll.runtime.sandboxPids().length === 2);
	const loops = Promise.all(Array.from({ length: 4 }, () => atoll.text("loops")));
	await until(() => atoll.runtime.stats().inFlight > 0);
	assert.equal(await atoll.text("a"), "1");
	await loops;
	assert.equal(atoll.runtime.stats().sandboxes, 2);
	assert.equal(atoll.runtime.stats().restarts, 0);
});
