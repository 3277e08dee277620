import assert from "node:assert/strict";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const COUNTS = "let n = 0; export default { fetch: () => new Response(String(++n)) }";
const LOOPS = "export default { fetch() { for (let i = 0; i < 3e8; i++); return new Response('x'); } }";

/** Asks each function so often, and then beside one that loops. Gives the first answer that another isolate gave. */
async function askBesideLoops(names: readonly string[]): Promise<string | null> {
	const atoll = new TestRuntime({ sandboxes: 2 });
	await Promise.all(names.map((name) => atoll.deploy(name, COUNTS)));
	await until(() => atoll.runtime.sandboxPids().length === 3); // With the spare, which is the heavy lane from then on.
	assert.equal(atoll.runtime.stats().sandboxes, 2);
	const ask = async (from: number, to: number) => {
		for (let i = from; i <= to; i++)
			for (const name of names) {
				const answer = await atoll.text(name);
				if (answer !== String(i)) return `request ${i} to ${name}: ${answer}`;
			}
		return null;
	};
	const moved = await ask(1, 100);
	if (moved !== null) return moved;
	assert.equal(atoll.runtime.stats().sandboxes, 3);
	await atoll.deploy("loops", LOOPS);
	const loops = Promise.all(Array.from({ length: 4 }, () => atoll.text("loops")));
	await until(() => atoll.runtime.stats().inFlight > 0);
	const movedBeside = await ask(101, 120);
	await loops;
	return movedBeside;
}

test("the isolate that had a function's first request has its hundredth, and what comes later is apart from it", async () => {
	let moved: string | null = null;
	// Where the machine stands still for a moment the spare takes over, and that is right.
	for (let tries = 0; tries < 3; tries++) {
		moved = await askBesideLoops(["a", "b", "c", "d"]);
		if (moved === null) return;
	}
	assert.fail(`${moved}`);
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
